"""Signed return paths for the program that sends: one object, made once, asked for each mail. No I/O but the keys."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path
from typing import Self

from bounced.config import Signing, load
from bounced.correlate import Inspected, Mail, Purpose, Signer, Stamp, decode, sign, stamp
from bounced.errors import ConfigError


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ReturnPaths:
    """Mints return paths and headers, and reads them again. Safe to share between threads.

    Raises ConfigError without a key, and for a secret that cannot be used; its methods raise ValueError for a
    recipient that is no address and where no key is valid any more.
    """

    def __init__(self, settings: Signing, clock: Callable[[], datetime] = _utc_now) -> None:
        if not settings.keys:
            raise ConfigError(["correlation.signing.keys: no key is set, so no return path can be signed"])
        self._signer, self._clock = Signer(settings), clock

    @classmethod
    def load(cls, config: Path | str) -> Self:
        """Return it for the keys, domains and campaigns that a config.yaml names."""
        return cls(load(Path(config)).correlation.signing)

    def sign(self, mail: Mail, purpose: Purpose = Purpose.BOUNCE) -> str:
        """Return the address that reports on this mail shall come back to, at most 64 octets before its `@`."""
        return sign(self._signer, mail, self._clock(), purpose)

    def stamp(self, mail: Mail, unsubscribe: str | None = None) -> Stamp:
        """Return return path, ENVID and headers, so that whichever survives is enough.

        `unsubscribe` is the one-click HTTPS address of RFC 8058, if there is one.
        """
        return stamp(self._signer, mail, self._clock(), unsubscribe)

    def set_on(self, message: Message, mail: Mail, unsubscribe: str | None = None) -> Stamp:
        """Set the headers on a mail, in place of those of the same names, and return the stamp for its envelope.

        A Message-ID that the mail has already is kept, and is the one that the token is made for.
        """
        told = mail.message_id or message["Message-ID"]
        made = self.stamp(Mail(mail.recipient, mail.tags, str(told) if told else None), unsubscribe)
        for name, value in made.headers.items():
            del message[name]
            message[name] = value
        return made

    def carries_tags(self, return_path: str) -> bool:
        """True if a return path made here gives its tags back: they fit, or `campaigns` explains their mark."""
        ours = self.decode(return_path).ours
        return ours is None or ours.content is None or ours.content.tags_mark is None or ours.content.tags is not None

    def by_reference(self, record: str, purpose: Purpose = Purpose.BOUNCE) -> str:
        """Return the return path that names a stored record: its id, lower-case base32 of 1 to 16 octets."""
        return self._signer.return_path(self._signer.sign_reference(record, purpose, self._clock()))

    def decode(self, spelt: str) -> Inspected:
        """Return what an address or a header value says: a token of ours, or the shape of another program."""
        return decode(spelt, self._signer, self._clock())
