"""Tokens of the HTTP interface: who may ask what. A token itself is never kept, only its SHA-256."""

import base64
import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row, insert, or_, select, update

from bounced.store.database import Database
from bounced.store.tables import token

#: Tells people, and programs that look for leaked secrets, what they have found.
_PREFIX: Final = "bounced"
_FORM: Final = re.compile(rf"{_PREFIX}_([a-z2-7]{{8}})_[a-z2-7]{{52}}")
#: How often the last use of one token is written down at most.
USE_NOTED_EVERY: Final = timedelta(minutes=1)


class TokenScope(StrEnum):
    """What a token allows. Every scope stands for itself, but who may read may also check."""

    CHECK = "check"  # ask about single addresses and batches, classify
    READ = "read"  # list suppressions, events, deliveries
    WRITE = "write"  # suppress, release, retry


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token. `id` is the readable part of it, `digest` the SHA-256 of the whole, 64 hex digits."""

    id: str
    name: str
    digest: str
    scopes: frozenset[TokenScope]
    created_at: datetime
    created_by: str
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def allows(self, scope: TokenScope) -> bool:
        """Return whether the token is good for a request of this scope."""
        return scope in self.scopes or (scope is TokenScope.CHECK and TokenScope.READ in self.scopes)


def mint(name: str, scopes: Collection[TokenScope], now: datetime, by: str) -> tuple[str, Token]:
    """Return a new secret of 256 random bits, `bounced_ID_SECRET`, and what is kept of it."""
    id_ = _letters(5)
    secret = f"{_PREFIX}_{id_}_{_letters(32)}"
    return secret, Token(id_, name, digest_of(secret), frozenset(scopes), now, by)


def digest_of(secret: str) -> str:
    """Return the SHA-256 of a token as 64 hex digits; a random secret of this length needs no salt."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def id_of(secret: str) -> str | None:
    """Return the readable part of a token; None for what was never one of ours."""
    found = _FORM.fullmatch(secret)
    return found[1] if found else None


def _letters(octets: int) -> str:
    return base64.b32encode(secrets.token_bytes(octets)).decode("ascii").rstrip("=").lower()


class Tokens(Database):
    """The table of tokens."""

    def add_token(self, new: Token) -> bool:
        """Keep a token; False, and nothing kept, if one of that name is in use."""
        with self._write(alone=True) as connection:
            taken = select(token.c.id).where(token.c.name == new.name, token.c.revoked_at.is_(None))
            if connection.execute(taken).first() is not None:
                return False
            connection.execute(insert(token).values(_row(new)))
            return True

    def tokens(self, revoked: bool = False) -> list[Token]:
        """Return the tokens in use, by name; with `revoked` those too that no longer are."""
        listed = select(token).order_by(token.c.name, token.c.created_at)
        with self._read() as connection:
            found = connection.execute(listed if revoked else listed.where(token.c.revoked_at.is_(None)))
            return [to_token(row) for row in found]

    def revoke_token(self, name: str, now: datetime) -> bool:
        """Put the token of this name, or id, out of use; False if there is none in use."""
        these = (or_(token.c.name == name, token.c.id == name), token.c.revoked_at.is_(None))
        with self._write() as connection:
            return connection.execute(update(token).where(*these).values(revoked_at=now)).rowcount > 0

    def token_used(self, id_: str, now: datetime) -> None:
        """Note the last use of a token, unless one was noted within the last minute."""
        old = or_(token.c.last_used_at.is_(None), token.c.last_used_at < now - USE_NOTED_EVERY)
        with self._write() as connection:
            connection.execute(update(token).where(token.c.id == id_, old).values(last_used_at=now))


def _row(new: Token) -> dict[str, Any]:
    plain = ("id", "name", "digest", "created_at", "created_by", "last_used_at", "revoked_at")
    return {name: getattr(new, name) for name in plain} | {"scopes": sorted(new.scopes)}


def to_token(row: Row[Any]) -> Token:
    """Return the token that a row, which may hold more, tells of."""
    return Token(
        id=row.id,
        name=row.name,
        digest=row.digest,
        scopes=frozenset(map(TokenScope, row.scopes)),
        created_at=row.created_at,
        created_by=row.created_by,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
