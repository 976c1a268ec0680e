"""The signing keys, ready for use: from each secret one key for signatures, one for recipients, one for sealing."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from bounced.config import SigningKey
from bounced.errors import ConfigError

#: The shortest secret taken, in octets: what 128 random bits need at the least.
MIN_SECRET = 16


@dataclass(frozen=True)
class Key:
    """One key; what is derived from its secret serves one end each, so that no output can pass for another."""

    id: str
    secret: bytes = field(repr=False)
    not_after: datetime | None = None

    def valid(self, now: datetime) -> bool:
        """True until `not_after`."""
        return self.not_after is None or now <= self.not_after

    def mac(self, *parts: str) -> bytes:
        """Return 32 octets that only this key makes of these parts; no part may hold a NUL."""
        return hmac.digest(self._mac_key, "\0".join(parts).encode("ascii"), "sha256")

    def mark(self, address: str) -> bytes:
        """Return 6 octets that stand for a normalised address: not to be guessed or undone without the key."""
        return hmac.digest(self._mark_key, address.encode("utf-8"), "sha256")[:6]

    @cached_property
    def sealing(self) -> AESSIV:
        """The cipher for sealed references: RFC 5297, safe without a nonce."""
        return AESSIV(self._derive(b"seal 1") + self._derive(b"seal 2"))

    @cached_property
    def _mac_key(self) -> bytes:
        return self._derive(b"signature")

    @cached_property
    def _mark_key(self) -> bytes:
        return self._derive(b"recipient")

    def _derive(self, label: bytes) -> bytes:
        return hmac.digest(self.secret, b"bounced return path: " + label, "sha256")


def read_keys(settings: Sequence[SigningKey]) -> dict[str, Key]:
    """Return the keys by id, in their order. Raises ConfigError for a secret that is missing or short."""
    keys: dict[str, Key] = {}
    problems: list[str] = []
    for at, setting in enumerate(settings):
        try:
            secret = setting.secret.read().encode()
        except ConfigError as exc:
            problems += [f"correlation.signing.keys[{at}].secret: {line}" for line in exc.problems]
            continue
        if len(secret) < MIN_SECRET:
            problems.append(f"correlation.signing.keys[{at}].secret: want {MIN_SECRET} octets or more, random ones")
        keys[setting.id] = Key(setting.id, secret, setting.not_after)
    if problems:
        raise ConfigError(problems)
    return keys
