"""Counting for reports: bit by bit, behind what is written now, and exact also where the past changes.

Events count by when they were recorded. Those of the last minutes are not counted yet: transactions that began with
an earlier time may still come to their end. Whoever writes behind the mark, or changes what is counted, says so here.
Whatever counts, and whatever is counted, is written in transactions of the ledger, of which one runs at a time.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Table,
    Text,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from bounced.model import Event
from bounced.store import facts
from bounced.store.columns import Words, among
from bounced.store.database import Database
from bounced.store.days import DAY, slot_of, time_of
from bounced.store.facts import DIMENSIONS, Facts
from bounced.store.families import DIGEST, Counts
from bounced.store.report_tables import block_count, combination, day_count, mark, slot_count
from bounced.store.statements import many, upserting
from bounced.store.tables import event, journal, message

#: How far the mark stays behind the clock, and how old an event is that may lie behind the mark when it is recorded:
#: the clocks of daemons that share a database may differ by the difference.
LAG: Final = timedelta(minutes=20)
_LATE: Final = timedelta(minutes=10)
#: Facts counted in one transaction, about: whoever else wants to write waits for it.
_CHUNK: Final = 10_000
_COMBINATION: Final = tuple(column.name for column in combination.columns)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the counting got: events and messages before the slot, journal lines up to the number."""

    slot: int
    line: int


def mark_of(connection: Connection) -> Mark | None:
    """Return how far the counting got; None where it has not begun, or went by other families than those of today."""
    row = connection.execute(select(mark.c.slot, mark.c.line).where(mark.c.families == DIGEST)).one_or_none()
    return Mark(*row) if row else None


class RollUps(Database):
    """The counting."""

    def roll_up(self, now: datetime, steps: int | None = None) -> bool:
        """Count what is new, some thousand facts to a transaction; return whether all of it is counted.

        It ends after so many steps. Broken off at any place and begun again, by whomever, it goes on where it was.
        """
        horizon, left = slot_of(now - LAG), steps
        while more := self._count_more(horizon):
            left = None if left is None else left - 1
            if left == 0:
                break
        return not more

    def counted_until(self) -> datetime | None:
        """Return until when events are counted: what is older may go, the figures stay. None: nothing is counted."""
        with self._read() as connection:
            reached = mark_of(connection)
        return time_of(reached.slot) if reached else None

    def _count_more(self, horizon: int) -> bool:
        """Count the next facts up to the horizon; return whether there may be more."""
        with self._write(alone=True) as connection:
            before = mark_of(connection) or _anew(connection, horizon)
            after = Mark(_next_slot(connection, before.slot, horizon), _next_line(connection, before.line))
            counts = Counts()
            if after.slot > before.slot:
                for source in (facts.events(connection.dialect), facts.unreadable(connection.dialect)):
                    between = source.at >= time_of(before.slot), source.at < time_of(after.slot)
                    counts.add(_rows(connection, source, *between))
            if after.line > before.line:
                lines = journal.c.seq > before.line, journal.c.seq <= after.line
                counts.add(_rows(connection, facts.changes(connection.dialect), *lines))
            _add(connection, counts)
            connection.execute(delete(mark))
            connection.execute(insert(mark).values(id=1, slot=after.slot, line=after.line, families=DIGEST))
            lines_left = connection.scalar(select(func.max(journal.c.seq))) or 0
        return after.slot < horizon or after.line < lines_left


def recorded(connection: Connection, events: Sequence[Event], now: datetime) -> None:
    """Count events that were just recorded, if their time is long past and counted already."""
    old = [each for each in events if each.at < now - _LATE]
    if old:
        recount(connection, 1, [each.id for each in old])


def recount(connection: Connection, sign: int, events: Collection[str], lines: Collection[int] = ()) -> None:
    """Take out of the counts (-1), or add to them (1), what these events and journal lines say now.

    To be called before and after they change. What is not counted yet is left alone, and so is a line whose event
    is gone: what it counted as cannot be told any more.
    """
    reached = mark_of(connection)
    if reached is None:
        return
    dialect, counts = connection.dialect, Counts()
    if events:
        these = among(dialect, event.c.id, events), event.c.at < time_of(reached.slot)
        counts.add(_rows(connection, facts.events(dialect), *these), sign)
    if lines:
        whole = or_(journal.c.event_id.is_(None), event.c.id.is_not(None))
        counted = among(dialect, journal.c.seq, lines), journal.c.seq <= reached.line, whole
        counts.add(_rows(connection, facts.changes(dialect), *counted), sign)
    _add(connection, counts)
    if sign < 0:
        _clear(connection, counts)


@contextmanager
def renamed(connection: Connection, address: str) -> Iterator[None]:
    """Keep the counts in step while an address goes from its events and journal lines, and its domain with it."""
    events = list(connection.scalars(select(event.c.id).where(event.c.address == address)))
    lines = list(connection.scalars(select(journal.c.seq).where(journal.c.address == address)))
    recount(connection, -1, events, lines)
    yield
    recount(connection, 1, events, lines)


def _rows(connection: Connection, source: Facts, *where: ColumnElement[bool]) -> Iterable[Sequence[Any]]:
    return connection.execute(source.counted(DIMENSIONS, *where, when=source.slot))


def _anew(connection: Connection, horizon: int) -> Mark:
    """Remove what was counted by other families, if anything; return where the counting begins.

    That is the slot of the oldest event or message, or the horizon.
    """
    for table in (mark, slot_count, day_count, block_count, combination):
        connection.execute(delete(table))
    oldest = [connection.scalar(select(func.min(table.c.at))) for table in (event, message)]
    return Mark(min([horizon, *(slot_of(at) for at in oldest if at is not None)]), 0)


def _next_slot(connection: Connection, begin: int, horizon: int) -> int:
    """Return up to which slot there are as many events as are counted at once; at least one slot, if there is one."""
    if begin >= horizon:
        return begin
    later = select(event.c.at).where(event.c.at >= time_of(begin)).order_by(event.c.at).offset(_CHUNK).limit(1)
    at = connection.scalar(later)
    return horizon if at is None else min(horizon, max(begin + 1, slot_of(at)))


def _next_line(connection: Connection, begin: int) -> int:
    """Return the number of the line up to which as many are counted as at once."""
    later = select(journal.c.seq).where(journal.c.seq > begin).order_by(journal.c.seq).limit(_CHUNK).subquery()
    return connection.scalar(select(func.max(later.c.seq))) or begin


def _add(connection: Connection, counts: Counts) -> None:
    """Add to what was counted before."""
    _pour(connection, combination, [tuple(row[name] for name in _COMBINATION) for row in counts.combinations], _wider)
    _pour(connection, slot_count, counts.slots, _sum)
    _pour(connection, day_count, counts.days, _sum)
    _pour(connection, block_count, counts.blocks, _sum)


def _pour(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]], merge: Callable[[Any], Any]) -> None:
    """Write rows that have a value for each column, in their order; `merge` says what becomes of those known already.

    Millions of them, when a database with a past is counted first: in PostgreSQL a column is one parameter.
    """
    if not rows:
        return
    add: Any = upserting(connection, table)
    names = [column.name for column in table.columns]
    if connection.dialect.name == "postgresql":
        kinds = (Text() if isinstance(column.type, Words | Text) else BigInteger() for column in table.columns)
        values = map(list, zip(*rows, strict=True))
        arrays = (bindparam(None, v, type_=ARRAY(kind), unique=True) for v, kind in zip(values, kinds, strict=True))
        listed = func.unnest(*arrays).table_valued(*names, name="listed").render_derived()
        connection.execute(merge(add.from_select(names, select(*(listed.c[name] for name in names)))))
        return
    compiled = merge(add).compile(dialect=connection.dialect, column_keys=names)
    connection.exec_driver_sql(str(compiled), list(rows))


def _sum(add: Any) -> Any:
    sums = {"amount": add.table.c.amount + add.excluded.amount}
    return add.on_conflict_do_update(index_elements=list(add.table.primary_key), set_=sums)


def _wider(add: Any) -> Any:
    first, last = add.excluded.first_slot, add.excluded.last_slot
    known = combination.c
    wider = {
        "first_slot": case((first < known.first_slot, first), else_=known.first_slot),
        "last_slot": case((last > known.last_slot, last), else_=known.last_slot),
    }
    changed = or_(first < known.first_slot, last > known.last_slot)
    return add.on_conflict_do_update(index_elements=[known.id], set_=wider, where=changed)


def _clear(connection: Connection, counts: Counts) -> None:
    """Remove what came down to nothing, with the names of domains of which nothing is left."""
    for table, cells in ((slot_count, counts.slots), (day_count, counts.days), (block_count, counts.blocks)):
        family, time, number = table.primary_key
        these = and_(family == bindparam("f"), time == bindparam("t"), number == bindparam("n"), table.c.amount == 0)
        many(connection, delete(table).where(these), ({"f": f, "t": t, "n": n} for f, t, n, _ in cells))
    named = [row["id"] for row in counts.combinations if row["domain"] is not None]
    days = combination.c.first_slot // DAY, combination.c.last_slot // DAY
    left = exists().where(
        day_count.c.family == combination.c.family,
        day_count.c.day.between(*days),
        day_count.c.combination == combination.c.id,
    )
    these = among(connection.dialect, combination.c.id, named)
    connection.execute(delete(combination).where(these, ~left))
