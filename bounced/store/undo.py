"""Letting many addresses go at once: after a mistake, an outage, a rule that was wrong; and taking that back."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    tuple_,
    update,
)

from bounced.model import Change, Move, Notification, Suppression
from bounced.store import rows
from bounced.store.ledger import Batch, LedgerOf, wanted
from bounced.store.tables import event, journal, suppression, suppression_count
from bounced.store.watch_tables import member

#: Notifications written at once.
_TOLD: Final = 2_000
_TYPES: Final = {Move.RELEASE: "suppression.released", Move.SUPPRESS: "suppression.created"}

Tell = Callable[[Sequence[Change]], Sequence[Notification]]


@dataclass(frozen=True, slots=True)
class UndoQuery:
    """Which entries are meant: those that began from `since` on and before `until`, and fit all that is named.

    `provider` and `rule` are those of the event that made the entry; what a person or an import wrote has none,
    but bears its `actor`: `import bounces.csv`.
    """

    since: datetime | None = None
    until: datetime | None = None
    provider: str | None = None
    reason: str | None = None
    rule: str | None = None
    scope: str | None = None
    wave: int | None = None
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """How many entries of one scope, reason and provider are meant."""

    scope: str
    reason: str
    provider: str | None
    amount: int


@dataclass(frozen=True, slots=True)
class Word:
    """Who says so, when, and why: what each line in the journal bears."""

    actor: str
    at: datetime
    why: str


class Undo(LedgerOf):
    """Bulk releases, in a few statements however many they are, and in one transaction."""

    def undo_amounts(self, query: UndoQuery) -> list[Amount]:
        """Return how many entries are meant, the most first."""
        columns = suppression.c.scope, suppression.c.reason, event.c.provider
        amount = func.count()
        meant = select(*columns, amount).select_from(_with_events()).where(*_conditions(query))
        with self._read() as connection:
            return [Amount(*row) for row in connection.execute(meant.group_by(*columns).order_by(amount.desc()))]

    def undo_sample(self, query: UndoQuery, limit: int) -> list[Suppression]:
        """Return some of the entries that are meant, by address."""
        some = select(suppression).select_from(_with_events()).where(*_conditions(query))
        some = some.order_by(suppression.c.address, suppression.c.scope).limit(limit)
        with self._read() as connection:
            return [rows.to_suppression(row) for row in connection.execute(some)]

    def undo(self, query: UndoQuery, word: Word, tell: Tell) -> int:
        """Release every entry that is meant, and return how many. Evidence up to then counts no more against them."""
        entry = suppression.c
        lines = select(
            entry.address,
            entry.scope,
            *_said(Move.RELEASE, word),
            entry.category,
            entry.reason,
            null().label("until"),
            entry.event_id,
        )
        lines = lines.select_from(_with_events()).where(*_conditions(query))
        with self._write(alone=True) as connection:
            mark = _append(connection, lines)
            these = select(journal.c.address, journal.c.scope).where(journal.c.seq > mark)
            connection.execute(delete(suppression).where(tuple_(entry.address, entry.scope).in_(these)))
            amount = _count(connection, mark, -1)
            self._tell(connection, mark, _TYPES[Move.RELEASE], tell)
            return amount

    def redo_amounts(self, since: datetime, until: datetime) -> list[Amount]:
        """Return how many releases by persons in that time could be taken back, the most first."""
        meant = _released(since, until).subquery()
        columns = meant.c.scope, meant.c.reason, event.c.provider
        amount = func.count()
        found = select(*columns, amount).select_from(meant.outerjoin(event, event.c.id == meant.c.event_id))
        with self._read() as connection:
            return [Amount(*row) for row in connection.execute(found.group_by(*columns).order_by(amount.desc()))]

    def redo(self, since: datetime, until: datetime, word: Word, tell: Tell) -> int:
        """Suppress again what persons released in that time and nothing happened to since; return how many.

        The entries are what they were, with cause, words, beginning and actor; the journal says who put them back.
        What would have run out by now stays released.
        """
        before = _released(since, until).subquery().c
        lines = select(
            before.address,
            before.scope,
            *_said(Move.SUPPRESS, word),
            before.category,
            before.reason,
            before.until,
            before.event_id,
            before.since,
        ).where(or_(before.until.is_(None), before.until > word.at))
        with self._write(alone=True) as connection:
            mark = _append(connection, lines)
            entries = _as_they_were(mark)
            names = [column.name for column in entries.selected_columns]
            connection.execute(insert(suppression).from_select(names, entries))
            amount = _count(connection, mark, +1)
            self._tell(connection, mark, _TYPES[Move.SUPPRESS], tell)
            return amount

    def _tell(self, connection: Connection, mark: int, type_: str, tell: Tell) -> None:
        """Write a notification of each line after `mark`; none where no endpoint wants this type."""
        if not any(wanted(type_, types) for types in self.webhooks.values()):
            return
        batch = Batch(connection, self.webhooks, self.seal)
        while True:
            page = select(journal).where(journal.c.seq > mark).order_by(journal.c.seq).limit(_TOLD)
            found = connection.execute(page).all()
            batch.announce(tell([rows.to_change(row) for row in found]))
            if len(found) < _TOLD:
                return
            mark = found[-1].seq


def _said(move: Move, word: Word) -> tuple[ColumnElement[Any], ...]:
    return (
        literal(move.value).label("move"),
        literal(word.at, journal.c.at.type).label("at"),
        literal(word.why, journal.c.why.type).label("why"),
        literal(word.actor, journal.c.actor.type).label("actor"),
    )


def _with_events() -> Any:
    return suppression.outerjoin(event, event.c.id == suppression.c.event_id)


def _conditions(query: UndoQuery) -> Iterator[ColumnElement[bool]]:
    pairs = (
        (suppression.c.scope, query.scope),
        (suppression.c.reason, query.reason),
        (suppression.c.actor, query.actor),
        (event.c.provider, query.provider),
        (event.c.rule, query.rule),
    )
    yield from (column == value for column, value in pairs if value is not None)
    if query.wave is not None:
        yield suppression.c.address.in_(select(member.c.address).where(member.c.wave == query.wave))
    if query.since is not None:
        yield suppression.c.since >= query.since
    if query.until is not None:
        yield suppression.c.since < query.until


def _same(one: Any, other: Any) -> ColumnElement[bool]:
    return and_(one.c.address == other.c.address, one.c.scope == other.c.scope)


def _released(since: datetime, until: datetime) -> Select[Any]:
    """Return the last suppression before each release by a person in that time that is the last line of its entry.

    Its `since` is the beginning of the entry: of the first of the lines that made it what it was.
    """
    line, later, earlier = journal.alias("line"), journal.alias("later"), journal.alias("earlier")
    first, ended = journal.alias("first"), journal.alias("ended")
    last = select(func.max(earlier.c.seq)).where(
        _same(earlier, line), earlier.c.seq < line.c.seq, earlier.c.move == Move.SUPPRESS
    )
    end = select(func.max(ended.c.seq)).where(
        _same(ended, line), ended.c.seq < line.c.seq, ended.c.move.in_((Move.RELEASE, Move.EXPIRE))
    )
    begun = select(func.min(func.coalesce(first.c.since, first.c.at))).where(
        _same(first, line),
        first.c.seq < line.c.seq,
        first.c.seq > func.coalesce(end.scalar_subquery(), 0),
        first.c.move == Move.SUPPRESS,
    )
    columns = [column for column in journal.c if column.name != "since"]
    return (
        select(*columns, begun.scalar_subquery().label("since"))
        .select_from(line.join(journal, journal.c.seq == last.scalar_subquery()))
        .where(
            line.c.at >= since,
            line.c.at < until,
            line.c.move == Move.RELEASE,
            line.c.actor != "bounced",
            ~line.c.actor.startswith("wave "),
            line.c.actor.not_like("wave %"),
            ~exists().where(_same(later, line), later.c.seq > line.c.seq),
            ~exists().where(_same(suppression, line)),
        )
    )


def _as_they_were(mark: int) -> Select[Any]:
    """Return the entries that the lines after `mark` put back: as the last suppression before each had left them."""
    new, old = journal.alias("new"), journal.alias("old")
    earlier, doubt = journal.alias("earlier"), journal.alias("doubt")
    last = select(func.max(earlier.c.seq)).where(
        _same(earlier, new), earlier.c.seq <= mark, earlier.c.move == Move.SUPPRESS
    )
    disputed = select(func.min(doubt.c.at)).where(
        _same(doubt, new), doubt.c.seq > old.c.seq, doubt.c.seq <= mark, doubt.c.move == Move.DISPUTE
    )
    alike = (old.c[name] for name in ("address", "scope", "category", "reason", "until", "event_id", "why", "actor"))
    return (
        select(*alike, new.c.since, disputed.scalar_subquery().label("disputed"))
        .select_from(new.join(old, old.c.seq == last.scalar_subquery()))
        .where(new.c.seq > mark)
    )


def _append(connection: Connection, lines: Select[Any]) -> int:
    """Write the lines to the journal, and return the number after which they stand there."""
    mark = connection.scalar(select(func.max(journal.c.seq))) or 0
    names = [column.name for column in lines.selected_columns]
    connection.execute(insert(journal).from_select(names, lines))
    return mark


def _count(connection: Connection, mark: int, sign: int) -> int:
    """Bring the numbers of entries up to date; return how many lines there are after `mark`."""
    total = 0
    counted = select(journal.c.category, func.count()).where(journal.c.seq > mark).group_by(journal.c.category)
    for category, amount in connection.execute(counted).all():
        these = suppression_count.c.category == category
        more = suppression_count.c.amount + sign * amount
        connection.execute(update(suppression_count).where(these).values(amount=more))
        total += amount
    return total
