"""What was counted already: the question for a span, to the smallest of the counts that can answer it."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, union_all

from bounced.model import By
from bounced.store.days import DAY
from bounced.store.families import family_for
from bounced.store.report_tables import combination, day_count, slot_count
from bounced.store.spans import Span


def answers(span: Span) -> bool:
    """Return whether anything is counted by all that the span tells apart."""
    return family_for(span.dimensions) is not None


def rolled(connection: Connection, span: Span) -> Select[Any] | None:
    """Return the question for amounts, by figure and what the span tells apart; None if surely nothing was counted."""
    family = family_for(span.dimensions)
    if family is None or (bounds := _bounds(connection, span, family)) is None:
        return None
    those = combination.c.family == family, *span.conditions(combination.c)
    if span.by is By.DAY:
        return _by_day(span, family, bounds).where(*those)
    sums = _sums(family, *bounds)
    told = [combination.c.figure, *(combination.c[name] for name in span.wanted)]
    found = select(func.sum(sums.c.amount).label("amount"), *told).where(*those)
    return found.join_from(sums, combination, combination.c.id == sums.c.combination).group_by(*told)


def _by_day(span: Span, family: int, bounds: tuple[int, int]) -> Select[Any]:
    """Return the question by local day; where that is the day in UTC, to the sums of days."""
    begin, end = bounds
    if all(ahead == 0 for _, ahead in span.offsets):
        table, time, begin, end = day_count, day_count.c.day, begin // DAY, -(-end // DAY)
        when: ColumnElement[int] = time
    else:
        table, time = slot_count, slot_count.c.slot
        when = span.day(time)
    told = [when.label("time"), combination.c.figure, *(combination.c[name] for name in span.wanted)]
    found = select(func.sum(table.c.amount).label("amount"), *told)
    found = found.join_from(table, combination, combination.c.id == table.c.combination)
    return found.where(table.c.family == family, time >= begin, time < end).group_by(*told)


def _bounds(connection: Connection, span: Span, family: int) -> tuple[int, int] | None:
    """Return the slots in which anything that fits was counted: a campaign is over after some days."""
    begin, end = span.begin, span.end
    conditions = list(span.conditions(combination.c))
    if conditions:
        outer = select(func.min(combination.c.first_slot), func.max(combination.c.last_slot))
        first, last = connection.execute(outer.where(combination.c.family == family, *conditions)).one()
        if first is None:
            return None
        begin, end = max(begin, first), min(end, last + 1)
    return (begin, end) if begin < end else None


def _sums(family: int, begin: int, end: int) -> Any:
    """Return a table of amounts by combination: whole UTC days by their sums, what is left at both ends by slots."""
    first, last = -(-begin // DAY), end // DAY
    if first >= last:
        parts = [_slots(family, begin, end)]
    else:
        days = select(day_count.c.combination, day_count.c.amount)
        days = days.where(day_count.c.family == family, day_count.c.day >= first, day_count.c.day < last)
        edges = (begin, first * DAY), (last * DAY, end)
        parts = [days, *(_slots(family, since, until) for since, until in edges if since < until)]
    every = union_all(*parts).subquery()
    amount = func.sum(every.c.amount).label("amount")
    return select(every.c.combination, amount).group_by(every.c.combination).subquery()


def _slots(family: int, begin: int, end: int) -> Select[Any]:
    slots = select(slot_count.c.combination, slot_count.c.amount)
    return slots.where(slot_count.c.family == family, slot_count.c.slot >= begin, slot_count.c.slot < end)
