"""What was recorded, newest first."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, or_, select

from bounced.model import Event
from bounced.store import rows
from bounced.store.database import Database
from bounced.store.tables import event

_PAGE: Final = 500
#: The fields of a query that are compared with the column of the same name.
_EQUAL: Final = (
    "kind",
    "category",
    "reason",
    "fault",
    "trust",
    "address",
    "campaign",
    "list",
    "provider",
    "rule",
    "mailbox",
)


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events are listed. `since` is inclusive, `until` is not; `cursor` is that of the last event seen."""

    since: datetime | None = None
    until: datetime | None = None
    kind: str | None = None
    category: str | None = None
    reason: str | None = None
    fault: str | None = None
    trust: str | None = None
    address: str | None = None
    campaign: str | None = None
    list: str | None = None
    provider: str | None = None
    rule: str | None = None
    mailbox: str | None = None
    limit: int | None = None
    cursor: str | None = None


def cursor_of(event: Event) -> str:
    """Return what `EventQuery.cursor` takes to go on after this event. Events that come meanwhile change nothing."""
    return f"{event.at.isoformat()}_{event.id}"


class Events(Database):
    """Questions about events."""

    def events(self, query: EventQuery | None = None) -> Iterator[Event]:
        """Yield events, newest first, page by page. Raises StoreDown; ValueError for a cursor that is none."""
        query = query or EventQuery()
        left = query.limit
        while left is None or left > 0:
            page = self._page_of_events(query, min(_PAGE, left or _PAGE))
            yield from page
            if len(page) < _PAGE:
                return
            left = None if left is None else left - len(page)
            query = replace(query, cursor=cursor_of(page[-1]))

    def event(self, id_: str) -> Event | None:
        """Return the event of that id, or None."""
        with self._read() as connection:
            row = connection.execute(select(event).where(event.c.id == id_)).one_or_none()
        return None if row is None else rows.to_event(row)

    def _page_of_events(self, query: EventQuery, limit: int) -> list[Event]:
        found = select(event).where(*_conditions(query)).order_by(event.c.at.desc(), event.c.id.desc()).limit(limit)
        with self._read() as connection:
            return [rows.to_event(row) for row in connection.execute(found)]


def _conditions(query: EventQuery) -> Iterator[ColumnElement[bool]]:
    for name in _EQUAL:
        if (value := getattr(query, name)) is not None:
            yield event.c[name] == value
    if query.since is not None:
        yield event.c.at >= query.since
    if query.until is not None:
        yield event.c.at < query.until
    if query.cursor is not None:
        at, id_ = _place_of(query.cursor)
        yield event.c.at <= at  # tells the index where to begin; the next line alone would not
        yield or_(event.c.at < at, and_(event.c.at == at, event.c.id < id_))


def _place_of(cursor: str) -> tuple[datetime, str]:
    """Return time and id of the event that a cursor was made of. Raises ValueError."""
    moment, _, id_ = cursor.partition("_")
    try:
        return datetime.fromisoformat(moment), id_
    except ValueError:
        raise ValueError(f"no cursor of an event: {cursor[:80]!r}") from None
