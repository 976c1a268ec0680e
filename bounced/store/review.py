"""What a person should look at, newest first, and what persons said about it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, and_, or_, select, text

from bounced.model import Category, Cause, Fault, Kind, Reason, Settled, Unclear
from bounced.store.database import Database
from bounced.store.review_tables import QUARANTINED, UNCLEAR, settled
from bounced.store.statements import upserting
from bounced.store.tables import event, message

_PAGE: Final = 1_000
_COLUMNS: Final = (
    *(event.c.id, event.c.at, event.c.kind, event.c.category, event.c.reason, event.c.fault, event.c.rule),
    *(event.c.provider, event.c.address, event.c.status, event.c.reply_code, event.c.remote_mta, event.c.digest),
    *(event.c.diagnostic, event.c.disagreed, event.c.reader, event.c.subtype),
)


class ReviewQueue(Database):
    """Questions to the review queue."""

    def unclear(self, since: datetime, limit: int) -> list[Unclear]:
        """Return the newest events from `since` on that a person should look at, the newest first."""
        return list(self._events(text(UNCLEAR), since, limit))

    def recent(self, since: datetime, limit: int) -> list[Unclear]:
        """Return the newest failures from `since` on, whatever was made of them, the newest first."""
        failed = and_(event.c.superseded_by.is_(None), event.c.kind.in_([Kind.BOUNCE, Kind.DELAYED]))
        return list(self._events(failed, since, limit))

    def quarantined(self, since: datetime, limit: int) -> list[Unclear]:
        """Return the newest messages from `since` on that could not be read, the newest first."""
        wanted = select(message).where(text(QUARANTINED), message.c.at >= since)
        with self._read() as connection:
            return [
                _to_quarantined(row) for row in connection.execute(wanted.order_by(message.c.at.desc()).limit(limit))
            ]

    def settled(self) -> Mapping[str, Settled]:
        """Return what persons said, by the key of the wording."""
        with self._read() as connection:
            return {
                row.key: Settled(row.key, row.at, row.actor, row.how) for row in connection.execute(select(settled))
            }

    def settle(self, word: Settled) -> None:
        """Write down a person's word; a later one takes the place of the earlier."""
        with self._write() as connection:
            once = upserting(connection, settled).values(key=word.key, at=word.at, actor=word.actor, how=word.how)
            new = once.excluded
            again = {"at": new.at, "actor": new.actor, "how": new.how}
            connection.execute(once.on_conflict_do_update(index_elements=[settled.c.key], set_=again))

    def _events(self, condition: Any, since: datetime, limit: int) -> Iterator[Unclear]:
        wanted = select(*_COLUMNS).where(condition, event.c.at >= since).order_by(event.c.at.desc(), event.c.id.desc())
        place: tuple[datetime, str] | None = None
        while limit > 0:
            page = wanted.limit(min(_PAGE, limit))
            if place is not None:
                at, id_ = place
                page = page.where(event.c.at <= at, or_(event.c.at < at, event.c.id < id_))
            with self._read() as connection:
                found = connection.execute(page).all()
            yield from map(_to_unclear, found)
            if len(found) < min(_PAGE, limit):
                return
            limit -= len(found)
            place = found[-1].at, found[-1].id


def _to_unclear(row: Any) -> Unclear:
    return Unclear(
        event_id=row.id,
        at=row.at,
        cause=_cause(row),
        text=row.diagnostic or "",
        digest=row.digest,
        kind=Kind(row.kind),
        category=Category(row.category) if row.category else None,
        reason=Reason(row.reason) if row.reason else None,
        fault=Fault(row.fault),
        rule=row.rule,
        provider=row.provider,
        address=row.address,
        status=row.status,
        reply_code=row.reply_code,
        remote_mta=row.remote_mta,
        against="; ".join(row.disagreed),
        source=" ".join(filter(None, (row.reader, row.subtype))),
    )


def _cause(row: Any) -> Cause:
    """Return the first cause that fits; an event that needs no look has one too, and nobody asks for it."""
    causes = (
        (row.kind == Kind.OTHER, Cause.PUZZLING),
        (row.kind == Kind.BOUNCE and row.address is None, Cause.NOBODY),
        (row.reason == Reason.UNKNOWN, Cause.UNKNOWN),
        (row.disagreed, Cause.CONTRADICTION),
    )
    return next((cause for holds, cause in causes if holds), Cause.CODE)


def _to_quarantined(row: Row[Any]) -> Unclear:
    source = f"{row.mailbox}/{row.folder} {row.uidvalidity}:{row.uid}"
    return Unclear(None, row.at, Cause.QUARANTINE, row.detail or row.last_error or "", row.digest, source=source)
