"""What was recorded, mail by mail: filtered, in order of time, page by page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal_column, or_, select

from bounced.model import Event
from bounced.store import rows
from bounced.store.patience import within
from bounced.store.pseudonyms import Pseudonyms
from bounced.store.tables import LINE, event, event_tag

_PAGE: Final = 500
#: The fields of a query that are compared with the column of the same name; those that mostly leave the fewest first.
_INDEXED: Final = (
    *("address", "domain", "campaign", "rule", "list", "reason"),
    *("provider", "mailbox", "category", "fault", "kind"),
)
_EQUAL: Final = (*_INDEXED, "trust")
#: An index in which a filter finds so many entries is no better than another.
_MANY: Final = 200_000
#: So many events are sorted by time at most; of more, enough are found soon by walking back in time.
_SORTED: Final = 10_000
#: This filter finds events in the order of addresses; they must be sorted by time.
_BEGINS: Final = "begins"
#: After every character that an address may have.
_LAST: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events are listed. `since` is inclusive, `until` is not; `cursor` is that of the last event seen.

    `failed` leaves out what has no category, `tag` what the sender did not put into that category; `begins` is how
    an address begins. Newest first, unless `oldest`. Events that others superseded are listed only if `superseded`.
    """

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
    domain: str | None = None
    begins: str | None = None
    tag: str | None = None
    failed: bool = False
    oldest: bool = False
    superseded: bool = False


def cursor_of(event: Event) -> str:
    """Return what `EventQuery.cursor` takes to go on after this event. Events that come meanwhile change nothing."""
    return f"{event.at.isoformat()}_{event.id}"


class Events(Pseudonyms):
    """Questions about events."""

    def events(self, query: EventQuery | None = None) -> Iterator[Event]:
        """Yield events in order of time, page by page. Raises StoreDown; ValueError for a cursor that is none.

        Where no addresses are kept, nothing has a domain, and `begins` finds a whole address only.
        """
        query = self._asked_by_name(query or EventQuery())
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

    def events_page(self, query: EventQuery, seconds: float) -> list[Event]:
        """Return at most `limit` events, read at once. Raises TimeoutError if that takes longer; else as `events`."""
        with self._read() as connection, within(connection, seconds):
            found = self._found(connection, self._asked_by_name(query)).limit(query.limit)
            return [rows.to_event(row) for row in connection.execute(found)]

    def events_amount(self, query: EventQuery, most: int, seconds: float) -> int | None:
        """Return how many events there are, whatever page of them is asked for; `most` where there are more.

        None where counting them would take longer.
        """
        query = replace(self._asked_by_name(query), cursor=None)
        try:
            with self._read() as connection, within(connection, seconds):
                some: Select[Any] = self._found(connection, query).with_only_columns(literal_column("1")).limit(most)
                return connection.scalar(select(func.count()).select_from(some.subquery())) or 0
        except TimeoutError:
            return None

    def _asked_by_name(self, query: EventQuery) -> EventQuery:
        """Return the query by the name under which an address is kept."""
        if self.seal is None:
            return query
        address, begins = (text and self.seal.name(text) for text in (query.address, query.begins))
        return replace(query, address=address, begins=begins)

    def _page_of_events(self, query: EventQuery, limit: int) -> list[Event]:
        with self._read() as connection:
            return [rows.to_event(row) for row in connection.execute(self._found(connection, query).limit(limit))]

    def _found(self, connection: Connection, query: EventQuery) -> Select[Any]:
        leader = _leader(connection, query) if self.is_sqlite else None
        by = _Order(query, leader)
        found = select(event).where(*_conditions(query, leader), *by.conditions()).order_by(*by.columns())
        if query.tag is not None:
            found = found.join_from(event_tag, event, event.c.id == event_tag.c.event_id)
        return found


class _Order:
    """In which order events are listed, and where in it a page begins: by the columns of the index that leads."""

    def __init__(self, query: EventQuery, leader: str | None = None) -> None:
        self._query = query
        tagged = query.tag is not None
        self.at: ColumnElement[Any] = event_tag.c.at if tagged else event.c.at
        self.id: ColumnElement[Any] = event_tag.c.event_id if tagged else event.c.id
        if leader == _BEGINS:
            self.at = _unindexed("at")

    def columns(self) -> tuple[ColumnElement[Any], ...]:
        """Return what to order by."""
        return (self.at, self.id) if self._query.oldest else (self.at.desc(), self.id.desc())

    def bounds(self) -> Iterator[ColumnElement[bool]]:
        """Yield the bounds in time."""
        if self._query.since is not None:
            yield self.at >= self._query.since
        if self._query.until is not None:
            yield self.at < self._query.until

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """Yield the bounds in time, and the place after which the page begins. Raises ValueError."""
        yield from self.bounds()
        if self._query.cursor is None:
            return
        moment, last = _place_of(self._query.cursor)
        # The first of the two tells the index where to begin; the second alone would not.
        if self._query.oldest:
            yield self.at >= moment
            yield or_(self.at > moment, and_(self.at == moment, self.id > last))
        else:
            yield self.at <= moment
            yield or_(self.at < moment, and_(self.at == moment, self.id < last))


def _conditions(query: EventQuery, leader: str | None) -> Iterator[ColumnElement[bool]]:
    """Yield what an event must be, but for its time. Where a filter leads, no other has an index to offer."""
    for name in _EQUAL:
        if (value := getattr(query, name)) is not None:
            yield _column(name, leader) == value
    if query.begins is not None:
        yield _beginning(query.begins, event.c.address if leader in (None, _BEGINS) else _unindexed("address"))
    if query.tag is not None:
        yield event_tag.c.tag == query.tag[:LINE]
    if query.failed:
        yield _column("category", leader).is_not(None)
    if not query.superseded:
        yield event.c.superseded_by.is_(None)


def _column(name: str, leader: str | None) -> ColumnElement[Any]:
    return event.c[name] if leader in (None, name) else _unindexed(name)


def _unindexed(name: str) -> ColumnElement[Any]:
    """Return the column as SQLite does not see that an index has it."""
    return literal_column(f"+event.{name}", event.c[name].type)


def _beginning(words: str, address: ColumnElement[Any] = event.c.address) -> ColumnElement[bool]:
    return and_(address >= words, address < words + _LAST)


def _leader(connection: Connection, query: EventQuery) -> str:
    """Return the filter whose index SQLite is to follow, since it does not know how many events each finds.

    It is the one that finds the fewest, by a count of some hundred thousand entries at most; `at` where none is better.
    """
    if query.tag is not None:
        return "tag"
    leads = {name: event.c[name] == value for name in _INDEXED if (value := getattr(query, name)) is not None}
    if query.begins is not None:
        leads[_BEGINS] = _beginning(query.begins)
    elif len(leads) < 2:
        return next(iter(leads), "at")
    amounts = dict(zip(leads, connection.execute(select(*_amounts(query, leads))).one(), strict=True))
    if amounts.get(_BEGINS, 0) >= _SORTED:
        del amounts[_BEGINS]
    return min(amounts, key=amounts.__getitem__, default="at")


def _amounts(query: EventQuery, leads: Mapping[str, ColumnElement[bool]]) -> Iterator[ColumnElement[int]]:
    """Yield how many events in time each filter finds, or that they are many."""
    for name, condition in leads.items():
        bounds = _Order(query, name).bounds()
        some: Select[Any] = select(literal_column("1")).select_from(event).where(condition, *bounds).limit(_MANY)
        yield select(func.count()).select_from(some.subquery()).scalar_subquery()


def _place_of(cursor: str) -> tuple[datetime, str]:
    """Return time and id of the event that a cursor was made of. Raises ValueError."""
    moment, _, id_ = cursor.partition("_")
    try:
        return datetime.fromisoformat(moment), id_
    except ValueError:
        raise ValueError(f"no cursor of an event: {cursor[:80]!r}") from None
