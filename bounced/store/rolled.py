"""What was counted already: the questions for a span, to the smallest of the counts that can answer them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Dialect, Select, Table, func, select, union_all

from bounced.model import By, days_between
from bounced.store.columns import among
from bounced.store.days import BLOCK, DAY, begin_of, number_of, time_of
from bounced.store.families import family_for
from bounced.store.report_tables import block_count, combination, day_count, slot_count
from bounced.store.spans import Span

#: To which local days the amounts at a time belong, and whether they are added (1) or taken away (-1).
Spread = Callable[[int], Sequence[tuple[int, int]]]
#: A table, the family that is asked there, and from where to where.
Part = tuple[Table, int, int, int]
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
    spans: list[Part] = [(slot_count, slots, narrow.begin, narrow.end)]
    for table, family, size in ((day_count, days, DAY), (block_count, days, BLOCK)):
        spans = [part for span_ in spans for part in _coarser(span_, table, family, size)]
    yield _asked(narrow, spans), None


def _coarser(part: Part, table: Table, family: int, size: int) -> Iterator[Part]:
    """Yield the parts of a span, of which the whole units of the next table are answered there."""
    finer, of, since, until = part
    first, last = -(-since // size), until // size
    if first >= last or (table is block_count) != (finer is day_count):
        yield part
        return
    yield table, family, first, last
    for begin, end in ((since, first * size), (last * size, until)):
        if begin < end:
            yield finer, of, begin, end


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


def _asked(span: Span, parts: Sequence[Part]) -> Select[Any]:
    """Return the question for the amounts of these parts: added up by combination first, of which are fewer."""
    selects = []
    for table, family, since, until in parts:
        time = list(table.primary_key)[1]
        where = table.c.family == family, time >= since, time < until, *_fitting(span, table, family)
        selects.append(select(table.c.combination, table.c.amount).where(*where))
    every = union_all(*selects).subquery()
    amount = func.sum(every.c.amount).label("amount")
    return _by_names(span, select(every.c.combination, amount).group_by(every.c.combination).subquery())


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
    between = [slot for low, high in ends for slot in range(low, high)]
    if not between:
        return
    counted = slot_count.c
    half = ((counted.slot + DAY // 2) // (DAY // 2)).label("time")  # before a midnight in UTC even, after it odd
    place_of = {2 * near + (sign > 0): place for place, (near, sign) in enumerate(zip(nearest, signs, strict=True))}
    sums = (
        select(half, counted.combination, func.sum(counted.amount).label("amount"))
        .where(
            counted.family == slots,
            among(dialect, counted.slot, between),
            *_fitting(span, slot_count, slots, each=True),
        )
        .group_by(half, counted.combination)
    )

    def spread(time: int) -> Sequence[tuple[int, int]]:
        place = place_of[time]
        before = [(numbers[place - 1], signs[place])] if place > 0 else []
        after = [(numbers[place], -signs[place])] if place < len(numbers) - 1 else []
        return before + after

    yield _by_names(span, sums.subquery(), timed=True), spread


def _fitting(span: Span, table: Table, family: int, each: bool = False) -> list[ColumnElement[bool]]:
    """Return the condition that a count is of a combination that is asked for; none where all are.

    With `each` every count of its time is looked at: SQLite would else look up each such combination in each slot.
    """
    conditions = list(span.conditions(combination.c))
    these = select(combination.c.id).where(combination.c.family == family, *conditions)
    number = table.c.combination + 0 if each else table.c.combination
    return [number.in_(these)] if conditions else []


def _by_names(span: Span, sums: Any, timed: bool = False) -> Select[Any]:
    """Return the question for amounts by what their combinations stand for."""
    told = [*([sums.c.time] if timed else []), combination.c.figure, *(combination.c[name] for name in span.wanted)]
    found = select(func.sum(sums.c.amount).label("amount"), *told)
    return found.join_from(sums, combination, combination.c.id == sums.c.combination).group_by(*told)
