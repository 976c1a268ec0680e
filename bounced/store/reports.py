"""Reports: roll-ups as far as they go, and what happened since from where it was written, in one snapshot."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, case, literal

from bounced.model import By, CountReport, Figure, Figures, Only, ReportQuery, ReportRow, days_between
from bounced.store import facts
from bounced.store.database import Database
from bounced.store.days import DAY, begin_of, date_of, offsets, time_of
from bounced.store.faults import mapped

Key = str | None
_DAY_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days of a zone, what they are counted by, and what is counted at all."""

    first: date
    last: date
    zone: ZoneInfo
    by: By
    only: Only

    @property
    def begin(self) -> int:
        """The first slot."""
        return begin_of(self.first, self.zone)

    @property
    def end(self) -> int:
        """The first slot that is not in it."""
        return begin_of(self.last + _DAY_AFTER, self.zone)

    @property
    def wanted(self) -> tuple[str, ...]:
        """The dimensions that must be told apart beyond what conditions can say."""
        names = {"categories"} if self.only.category is not None else set[str]()
        if self.by is By.CATEGORY:
            names.add("categories")
        elif self.by is not By.DAY:
            names.add(self.by.value)
        return tuple(sorted(names))

    def conditions(self, values: Any) -> Iterator[ColumnElement[bool]]:
        """Yield what must hold, where a column is found in `values` by the name of its dimension.

        Of a category only what its text begins to say; `amounts` looks at it closely.
        """
        for name, value in self.only.given().items():
            if name == "category":
                yield values["categories"].contains(json.dumps(value, ensure_ascii=False)[1:-1], autoescape=True)
            else:
                yield values[name] == value

    def day(self, slot: ColumnElement[int]) -> ColumnElement[int] | None:
        """Return the local day (counted since 1970) of a slot; None where days are not told apart."""
        if self.by is not By.DAY:
            return None
        (_, ahead), *changes = offsets(self.first, self.last, self.zone)
        number = (slot + literal(ahead)) // DAY
        for since, then in changes:
            number = case((slot >= since, (slot + literal(then)) // DAY), else_=number)
        return number


class Amounts:
    """How often what happened, by key and in all."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self.by_key: dict[Key, Counter[Figure]] = defaultdict(Counter)
        self.total: Counter[Figure] = Counter()

    def add(self, rows: Iterable[Row[Any]]) -> None:
        """Add rows of `amount`, `figure`, and what the span wants told apart."""
        category = self._span.only.category
        tagged = "categories" in self._span.wanted
        for row in rows:
            found = row._mapping
            tags = json.loads(found["categories"] or "[]") if tagged else []
            if category is not None and category not in tags:
                continue
            figure, amount = Figure(found["figure"]), int(found["amount"])
            self.total[figure] += amount
            for key in self._keys(found, tags):
                self.by_key[key][figure] += amount

    def _keys(self, found: Any, tags: Sequence[str]) -> Iterable[Key]:
        if self._span.by is By.DAY:
            return (date_of(found["time"]).isoformat(),)
        if self._span.by is By.CATEGORY:
            return dict.fromkeys(tags) or (None,)
        return (found[self._span.by.value],)


class Reports(Database):
    """Questions for figures."""

    def report(self, query: ReportQuery) -> CountReport:
        """Return the figures that a query asks for, exact to the unit.

        Raises StoreDown; ValueError for a time zone that nobody knows.
        """
        span = Span(query.first, query.last, ZoneInfo(query.timezone), query.by, query.only)
        with self._snapshot() as connection:
            now = self._amounts(connection, span)
            before = self._amounts(connection, _before(span, query)) if query.compare else None
        return _told(query, span, now, before)

    def _amounts(self, connection: Connection, span: Span) -> Amounts:
        amounts = Amounts(span)
        for each in (facts.events, facts.changes, facts.unreadable):
            amounts.add(connection.execute(_live(each(connection.dialect), span)))
        return amounts

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        """Lend a connection all of whose statements see the same state."""
        if self.is_sqlite:
            with self._read() as connection:
                connection.exec_driver_sql("BEGIN")
                try:
                    yield connection
                finally:
                    connection.exec_driver_sql("ROLLBACK")
            return
        engine = self._engine.execution_options(isolation_level="REPEATABLE READ")
        with mapped(self.where), engine.connect() as connection, connection.begin():
            yield connection


def _live(source: facts.Facts, span: Span) -> Any:
    begin, end = time_of(span.begin), time_of(span.end)
    where = source.at >= begin, source.at < end, *span.conditions(source.values)
    return source.counted(span.wanted, *where, when=span.day(source.slot))


def _before(span: Span, query: ReportQuery) -> Span:
    first, last = query.before()
    return replace(span, first=first, last=last)


def _told(query: ReportQuery, span: Span, now: Amounts, before: Amounts | None) -> CountReport:
    total = ReportRow(None, _figures(now.total), _figures(before.total) if before else None)
    if span.by is By.DAY:
        return CountReport(query, tuple(_days(span, now, before, query)), total)
    old = before.by_key if before else {}
    keys = sorted({*now.by_key, *old}, key=lambda key: (-_weight(now.by_key.get(key)), key is None, key or ""))
    rows = (_row(key, now, key, before) for key in keys)
    return CountReport(query, tuple(rows), total)


def _days(span: Span, now: Amounts, before: Amounts | None, query: ReportQuery) -> Iterator[ReportRow]:
    first, _ = query.before()
    for day in days_between(span.first, span.last):
        as_far = first + (day - span.first)
        yield _row(day.isoformat(), now, as_far.isoformat(), before)


def _row(key: Key, now: Amounts, old: Key, before: Amounts | None) -> ReportRow:
    return ReportRow(key, _figures(now.by_key.get(key)), _figures(before.by_key.get(old)) if before else None)


def _figures(counted: Counter[Figure] | None) -> Figures:
    return Figures(**{figure.value: amount for figure, amount in (counted or {}).items()})


def _weight(counted: Counter[Figure] | None) -> int:
    return sum(counted[each] for each in (Figure.HARD, Figure.SOFT, Figure.COMPLAINTS)) if counted else 0
