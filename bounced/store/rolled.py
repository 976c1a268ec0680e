"""What was counted already: the questions for a span, to the smallest of the counts that can answer them."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Connection, Dialect, Select, Table, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from bounced.model import By, days_between
from bounced.store.days import DAY, begin_of, number_of, time_of
from bounced.store.families import family_for
from bounced.store.report_tables import combination, day_count, slot_count
from bounced.store.spans import Span

#: To which local days the amounts at a time belong, and whether they are added (1) or taken away (-1).
Spread = Callable[[int], Sequence[tuple[int, int]]]
_NEXT: Final = timedelta(days=1)


def answers(span: Span) -> bool:
    """Return whether anything is counted by all that the span tells apart."""
    return family_for(span.dimensions) is not None


def rolled(connection: Connection, span: Span) -> Iterator[tuple[Select[Any], Spread | None]]:
    """Yield the questions for amounts, by figure and what the span tells apart; their answers add up.

    Where the span tells days apart, their `time` is to be spread over these.
    """
    days, slots = family_for(span.dimensions), family_for(span.dimensions, by_slots=True)
    if days is None or slots is None or (narrow := _narrowed(connection, span, slots)) is None:
        return
    if span.by is By.DAY:
        yield from _by_day(connection.dialect, narrow, days, slots)
        return
    first, last = -(-narrow.begin // DAY), narrow.end // DAY
    edges = [(narrow.begin, first * DAY), (last * DAY, narrow.end)]
    if first < last:
        yield _asked(narrow, day_count, days, day_count.c.day >= first, day_count.c.day < last), None
    else:
        edges = [(narrow.begin, narrow.end)]
    slot = slot_count.c.slot
    for since, until in edges:
        if since < until:
            yield _asked(narrow, slot_count, slots, slot >= since, slot < until), None


def _narrowed(connection: Connection, span: Span, family: int) -> Span | None:
    """Return the days of the span in which anything that fits was counted: a campaign is over after some time."""
    if not (conditions := list(span.conditions(combination.c))):
        return span
    outer = select(func.min(combination.c.first_slot), func.max(combination.c.last_slot))
    first, last = connection.execute(outer.where(combination.c.family == family, *conditions)).one()
    if first is None or first >= span.end or last < span.begin:
        return None
    days = [time_of(slot).astimezone(span.zone).date() for slot in (first, last)]
    return replace(span, first=max(span.first, days[0]), last=min(span.last, days[1]))


def _asked(span: Span, table: Table, family: int, *where: ColumnElement[bool]) -> Select[Any]:
    """Return the question for the amounts in a table of counts: added up by combination first, of which are fewer."""
    amount = func.sum(table.c.amount).label("amount")
    sums = select(table.c.combination, amount).where(table.c.family == family, *where, *_fitting(span, table, family))
    return _by_names(span, sums.group_by(table.c.combination).subquery())


def _by_day(dialect: Dialect, span: Span, days: int, slots: int) -> Iterator[tuple[Select[Any], Spread]]:
    """Yield the sums of UTC days, each for the local day that it is nearest to, and what lies between the midnights."""
    local = [*days_between(span.first, span.last), span.last + _NEXT]
    begins = [begin_of(day, span.zone) for day in local]
    numbers = [number_of(day) for day in local]
    nearest = [(begin + DAY // 2) // DAY for begin in begins]
    day_of = {
        utc: number
        for number, first, until in zip(numbers, nearest, nearest[1:], strict=False)
        for utc in range(first, until)
    }
    table = day_count.c
    sums = select(table.day.label("time"), table.combination, table.amount).where(
        table.family == days, table.day >= nearest[0], table.day < nearest[-1], *_fitting(span, day_count, days)
    )
    yield _by_names(span, sums.subquery(), timed=True), lambda utc: ((day_of[utc], 1),)

    signs = [1 if near * DAY <= begin else -1 for near, begin in zip(nearest, begins, strict=True)]
    ends = [sorted((near * DAY, begin)) for near, begin in zip(nearest, begins, strict=True)]
    if all(low == high for low, high in ends):
        return
    between = _listed(dialect, [(place, *pair) for place, pair in enumerate(ends)])
    counted = slot_count.c
    when, amount = between.c.place.label("time"), func.sum(counted.amount).label("amount")
    sums = (
        select(when, counted.combination, amount)
        .join_from(between, slot_count, (counted.slot >= between.c.low) & (counted.slot < between.c.high))
        .where(counted.family == slots, *_fitting(span, slot_count, slots))
        .group_by(when, counted.combination)
    )

    def spread(place: int) -> Sequence[tuple[int, int]]:
        before = [(numbers[place - 1], signs[place])] if place > 0 else []
        after = [(numbers[place], -signs[place])] if place < len(numbers) - 1 else []
        return before + after

    yield _by_names(span, sums.subquery(), timed=True), spread


def _fitting(span: Span, table: Table, family: int) -> list[ColumnElement[bool]]:
    """Return the condition that a count is of a combination that is asked for; none where all are."""
    conditions = list(span.conditions(combination.c))
    these = select(combination.c.id).where(combination.c.family == family, *conditions)
    return [table.c.combination.in_(these)] if conditions else []


def _by_names(span: Span, sums: Any, timed: bool = False) -> Select[Any]:
    """Return the question for amounts by what their combinations stand for."""
    told = [*([sums.c.time] if timed else []), combination.c.figure, *(combination.c[name] for name in span.wanted)]
    found = select(func.sum(sums.c.amount).label("amount"), *told)
    return found.join_from(sums, combination, combination.c.id == sums.c.combination).group_by(*told)


def _listed(dialect: Dialect, rows: Sequence[tuple[int, ...]]) -> Any:
    """Return a table with the columns `place`, `low` and `high` that holds the rows."""
    names = ("place", "low", "high")
    if dialect.name == "postgresql":
        columns = zip(*rows, strict=True)
        arrays = (bindparam(None, list(values), type_=ARRAY(BigInteger()), unique=True) for values in columns)
        return func.unnest(*arrays).table_valued(*names, name="between_days").render_derived()
    each = func.json_each(json.dumps(rows)).table_valued("value", name="between_days")
    values = (
        func.json_extract(each.c.value, f"$[{n}]", type_=BigInteger()).label(name) for n, name in enumerate(names)
    )
    return select(*values).subquery()
