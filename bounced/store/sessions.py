"""Sessions of the page: who logged in by which token. They outlive a restart, and every daemon knows them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, select, update

from bounced.store.database import Database
from bounced.store.session_tables import page_session
from bounced.store.tables import token
from bounced.store.tokens import Token, to_token

#: How often it is written down that a session is in use.
_SEEN_EVERY: Final = timedelta(minutes=1)
#: Sessions that began so long ago are removed, however long one may last.
_KEPT: Final = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Login:
    """A session that was begun, and the token it stands for, which is in use."""

    digest: str
    token: Token
    began_at: datetime
    seen_at: datetime


class Sessions(Database):
    """The table of sessions."""

    def begin_session(self, digest: str, token_id: str, now: datetime) -> None:
        """Keep a session, and forget those that are long over."""
        row = {"digest": digest, "token_id": token_id, "began_at": now, "seen_at": now}
        with self._write() as connection:
            connection.execute(delete(page_session).where(page_session.c.began_at < now - _KEPT))
            connection.execute(insert(page_session).values(row))

    def session(self, digest: str) -> Login | None:
        """Return the session; None where there is none, or its token was revoked."""
        found = (
            select(token, page_session.c.began_at, page_session.c.seen_at)
            .join(page_session, page_session.c.token_id == token.c.id)
            .where(page_session.c.digest == digest, token.c.revoked_at.is_(None))
        )
        with self._read() as connection:
            row = connection.execute(found).one_or_none()
        return None if row is None else Login(digest, to_token(row), row.began_at, row.seen_at)

    def session_seen(self, digest: str, now: datetime) -> None:
        """Note that a session is in use, unless that was noted within the last minute."""
        old = page_session.c.seen_at < now - _SEEN_EVERY
        with self._write() as connection:
            connection.execute(update(page_session).where(page_session.c.digest == digest, old).values(seen_at=now))

    def end_session(self, digest: str) -> None:
        """Forget a session."""
        with self._write() as connection:
            connection.execute(delete(page_session).where(page_session.c.digest == digest))
