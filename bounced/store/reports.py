"""Reports: roll-ups as far as they go, and what happened since from where it was written, in one snapshot."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import ColumnElement, Connection, Dialect, Row, Select

from bounced.model import By, CountReport, Figure, Figures, ReportQuery, ReportRow, days_between
from bounced.store import facts
from bounced.store.days import date_of, time_of
from bounced.store.faults import mapped
from bounced.store.rolled import Spread, answers, rolled
from bounced.store.rollups import Mark, RollUps, mark_of
from bounced.store.sent_counts import SentFigures, sent_in
from bounced.store.spans import Span
from bounced.store.tables import journal

Key = str | None
#: Memory for sums by very many keys, and for their names, while a report is made.
_MEMORY_KB: Final = 65_536


class Amounts:
    """How often what happened, by key and in all."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self.by_key: dict[Key, Counter[Figure]] = defaultdict(Counter)
        self.total: Counter[Figure] = Counter()
        self.sent: SentFigures | None = None

    @property
    def keys(self) -> set[Key]:
        """Everything of which something is known."""
        return {*self.by_key, *(self.sent.by_key if self.sent else ())}

    def figures(self, key: Key) -> Figures:
        """Return the figures of a key."""
        return _figures(self.by_key.get(key), self.sent.by_key.get(key) if self.sent else None)

    def all_figures(self) -> Figures:
        """Return the figures of all keys together."""
        return _figures(self.total, self.sent.total if self.sent else None)

    def add(self, rows: Iterable[Row[Any]], spread: Spread | None = None) -> None:
        """Add rows of `amount`, `figure`, what the span wants told apart, and `time` where that is days."""
        category = self._span.only.category
        tagged = "categories" in self._span.wanted
        for row in rows:
            found = row._mapping
            tags = json.loads(found["categories"] or "[]") if tagged else []
            if category is not None and category not in tags:
                continue
            figure, amount = Figure(found["figure"]), int(found["amount"])
            for keys, sign in self._places(found, tags, spread):
                self.total[figure] += sign * amount
                for key in keys:
                    self.by_key[key][figure] += sign * amount

    def _places(self, found: Any, tags: Sequence[str], spread: Spread | None) -> Iterable[tuple[Iterable[Key], int]]:
        """Return the keys that a row counts for, each time with the sign that it has there."""
        if self._span.by is not By.DAY:
            return ((self._keys(found, tags), 1),)
        days = spread(found["time"]) if spread else ((found["time"], 1),)
        return [((date_of(day).isoformat(),), sign) for day, sign in days]

    def _keys(self, found: Any, tags: Sequence[str]) -> Iterable[Key]:
        if self._span.by is By.CATEGORY:
            return dict.fromkeys(tags) or (None,)
        return (found[self._span.by.value],)


class Reports(RollUps):
    """Questions for figures."""

    def report(self, query: ReportQuery, counted: bool = True) -> CountReport:
        """Return the figures that a query asks for, exact to the unit; without what was `counted` it takes longer.

        Raises StoreDown; ValueError for a time zone that nobody knows.
        """
        span = Span(query.first, query.last, zone(query.timezone), query.by, query.only)
        with self._snapshot() as connection:
            now = _amounts(connection, span, counted)
            now.sent = sent_in(connection, span)
            before = None
            if query.compare:
                before = _amounts(connection, _before(span, query), counted)
                before.sent = sent_in(connection, _before(span, query), now.sent.source if now.sent else None)
        return _told(query, span, now, before)

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        """Lend a connection all of whose statements see the same state."""
        if self.is_sqlite:
            with self._read() as connection:
                usual = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
                connection.exec_driver_sql(f"PRAGMA cache_size = -{_MEMORY_KB}")
                connection.exec_driver_sql("BEGIN")
                try:
                    yield connection
                finally:
                    connection.exec_driver_sql("ROLLBACK")
                    connection.exec_driver_sql(f"PRAGMA cache_size = {usual}")
            return
        engine = self._engine.execution_options(isolation_level="REPEATABLE READ")
        with mapped(self.where), engine.connect() as connection, connection.begin():
            connection.exec_driver_sql(f"SET LOCAL work_mem = '{_MEMORY_KB}kB'")
            yield connection


def zone(name: str) -> ZoneInfo:
    """Return a time zone. Raises ValueError for a name that is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):  # folders, other files, and paths that lead out
        raise ValueError(f"{name!r} is no time zone, want one such as Europe/Berlin") from None


def _amounts(connection: Connection, span: Span, counted: bool) -> Amounts:
    amounts = Amounts(span)
    reached = mark_of(connection) if counted and answers(span) else None
    for question, spread in rolled(connection, span) if reached else ():
        amounts.add(connection.execute(question), spread)
    for question in _live(connection.dialect, span, reached):
        amounts.add(connection.execute(question))
    return amounts


def _live(dialect: Dialect, span: Span, reached: Mark | None) -> Iterator[Select[Any]]:
    """Yield the questions to what was written and is not counted yet."""
    begin, end = (reached.slot, reached.line) if reached else (span.begin, 0)
    since, until = time_of(max(span.begin, begin)), time_of(span.end)
    for source in (facts.events(dialect), facts.unreadable(dialect)):
        if since < until:
            yield _asked(source, span, source.at >= since, source.at < until)
    lines = facts.changes(dialect)
    yield _asked(lines, span, lines.at >= time_of(span.begin), lines.at < until, journal.c.seq > end)


def _asked(source: facts.Facts, span: Span, *where: ColumnElement[bool]) -> Select[Any]:
    when = span.day(source.slot) if span.by is By.DAY else None
    return source.counted(span.wanted, *where, *span.conditions(source.values), when=when)


def _before(span: Span, query: ReportQuery) -> Span:
    first, last = query.before()
    return replace(span, first=first, last=last)


def _told(query: ReportQuery, span: Span, now: Amounts, before: Amounts | None) -> CountReport:
    total = ReportRow(None, now.all_figures(), before.all_figures() if before else None)
    source = now.sent.source if now.sent else None
    if span.by is By.DAY:
        first, _ = query.before()
        pairs = [(day, first + (day - span.first)) for day in days_between(span.first, span.last)]
        days = (_row(day.isoformat(), now, as_far.isoformat(), before) for day, as_far in pairs)
        return CountReport(query, tuple(days), total, source)
    rows = [_row(key, now, key, before) for key in now.keys | (before.keys if before else set())]
    rows.sort(key=lambda row: (-_weight(row.figures), row.key is None, row.key or ""))
    return CountReport(query, tuple(rows), total, source)


def _row(key: Key, now: Amounts, old: Key, before: Amounts | None) -> ReportRow:
    return ReportRow(key, now.figures(key), before.figures(old) if before else None)


def _figures(counted: Counter[Figure] | None, sent: int | None) -> Figures:
    return Figures(**{figure.value: amount for figure, amount in (counted or {}).items()}, sent=sent)


def _weight(figures: Figures) -> int:
    return figures.hard + figures.soft + figures.complaints
