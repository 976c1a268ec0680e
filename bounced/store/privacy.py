"""What is held on one person: shown, erased; and what is too old to be kept of anybody."""

import dataclasses
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Delete,
    Select,
    Table,
    Update,
    bindparam,
    delete,
    false,
    insert,
    or_,
    select,
    update,
)

from bounced.errors import ConfigError
from bounced.store import rows
from bounced.store.columns import Words, among
from bounced.store.naming import Name
from bounced.store.private_tables import erasure, raw_evidence
from bounced.store.pseudonyms import Pseudonyms, held_under
from bounced.store.rollups import RollUps, renamed
from bounced.store.statements import many, replace
from bounced.store.tables import (
    ADDRESS,
    event,
    journal,
    message,
    metadata,
    notification,
    suppression,
    suppression_count,
)

_CHUNK: Final = 5_000
#: What an event says in words that strangers wrote.
_WORDY: Final = ("diagnostic", "matched", "subject")
#: What goes of an event of the person's own, and where words of ours may name them.
_NAMING: Final = ("address", "domain", "final_recipient", "message_id", *_WORDY)
_OURS: Final = ("trust_why", "decision", "basis", "disagreed")
#: Where another's event may name them.
_QUOTING: Final = ("final_recipient", "message_id", *_WORDY, *_OURS)
_TROUBLE: Final = ("detail", "last_error")
#: Tables, beside those with a column of addresses, that may tell of a person, and where.
_TOLD_OF: Final[Mapping[Table, Sequence[str]]] = {
    event: ("address", *_QUOTING),
    notification: ("data",),
    message: _TROUBLE,
}
_TREATED_APART: Final = frozenset({"event", "suppression", "suppression_journal"})


@dataclass(frozen=True, slots=True)
class Erasure:
    """Who is to be forgotten, by whose word; `keep_hash` leaves the suppression under a digest."""

    address: str
    actor: str
    why: str
    at: datetime
    keep_hash: bool = False


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows named the person and do not any more."""

    events: int = 0
    journal: int = 0
    suppressions: int = 0
    reports: int = 0
    notifications: int = 0
    others: int = 0

    @property
    def any(self) -> bool:
        """True if anything was held."""
        return self != Erased()


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days what is kept; None is without end."""

    events: float | None = None
    diagnostics: float | None = None
    evidence: float | None = None


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows went, or lost their words, for their age."""

    events: int
    diagnostics: int
    evidence: int

    @property
    def any(self) -> bool:
        """True if anything was too old."""
        return self != Forgotten(0, 0, 0)


class Privacy(Pseudonyms, RollUps):
    """The rights of people, and the end of every retention."""

    def held_on(self, address: str) -> dict[str, list[dict[str, Any]]]:
        """Return all that is held on an address, one list of rows for each table; a table without any is left out.

        Reports are found by the events that came of them; `content` is still compressed.
        """
        name = Name(self.name_of(address))
        found: dict[str, list[dict[str, Any]]] = {}
        with self._read() as connection:
            for table, columns in _TOLD_OF.items():
                found[table.name] = _naming(connection, table, name, columns)
            digests = {row["digest"] for row in found[event.name]}
            these = among(connection.dialect, raw_evidence.c.digest, digests)
            found[raw_evidence.name] = _rows(connection, raw_evidence, these)
            names = [name.address, *([self.pseudonym(address)] if self.pseudonym else [])]
            for column in personal_columns():
                if isinstance(column.table, Table) and column.table is not event:
                    held = _rows(connection, column.table, among(connection.dialect, column, names))
                    found.setdefault(column.table.name, []).extend(held)
        return {table: held for table, held in found.items() if held}

    def erase(self, who: Erasure) -> Erased:
        """Take a person out of everything that is kept, in one transaction; what happened stays, without the name.

        A report that names others too goes as a whole. Raises ConfigError for `keep_hash` where there is no key.
        """
        if who.keep_hash and self.pseudonym is None:
            raise ConfigError(["privacy.key: is needed to keep a hash"])
        with self._write(alone=True) as connection:
            row = {"at": who.at, "actor": who.actor, "why": Name(who.address).masked(who.why)}
            number = connection.execute(insert(erasure).values(row).returning(erasure.c.seq)).scalar_one()
            with renamed(connection, self.name_of(who.address)):
                erased = self._erase(connection, who)
            connection.execute(update(erasure).where(erasure.c.seq == number).values(done_at=who.at))
        return erased

    def forget(self, now: datetime, retention: Retention) -> Forgotten:
        """Remove what is too old to be kept; suppressions, their journal, and the figures of reports stay."""
        if retention.events is not None:
            self.roll_up(now)
        wordy = or_(*(event.c[name].is_not(None) for name in _WORDY))
        silent: dict[str, Any] = dict.fromkeys(_WORDY)
        reports, events = _older(raw_evidence, now, retention.evidence), _older(event, now, retention.events)
        worded = _older(event, now, retention.diagnostics).where(wordy)
        return Forgotten(
            events=self._in_turns(events, event.c.id, delete(event)),
            diagnostics=self._in_turns(worded, event.c.id, update(event).values(silent)),
            evidence=self._in_turns(reports, raw_evidence.c.digest, delete(raw_evidence)),
        )

    def _erase(self, connection: Connection, who: Erasure) -> Erased:
        name = Name(self.name_of(who.address))
        instead = self.pseudonym(who.address) if self.pseudonym and who.keep_hash else None
        events = _naming(connection, event, name, _TOLD_OF[event])
        reports = among(connection.dialect, raw_evidence.c.digest, {row["digest"] for row in events})
        for row in events:
            connection.execute(update(event).where(event.c.id == row["id"]).values(_cleared(row, name)))
        told = [row["id"] for row in _naming(connection, notification, name, _TOLD_OF[notification])]
        these = among(connection.dialect, notification.c.id, told)
        return Erased(
            events=len(events),
            journal=_erase_journal(connection, name, instead or f"erased:{secrets.token_hex(8)}"),
            suppressions=_erase_entries(connection, name, instead),
            reports=connection.execute(delete(raw_evidence).where(reports)).rowcount,
            notifications=connection.execute(delete(notification).where(these)).rowcount,
            others=_erase_others(connection, name),
        )

    def _in_turns(self, old: Select[Any], key: Column[Any], change: Delete | Update) -> int:
        """Change the rows whose keys `old` finds, some thousands to a transaction; return how many."""
        total = 0
        while True:
            with self._write() as connection:
                keys = list(connection.scalars(old.limit(_CHUNK)))
                connection.execute(change.where(among(connection.dialect, key, keys)))
            total += len(keys)
            if len(keys) < _CHUNK:
                return total


def _older(table: Table, now: datetime, days: float | None) -> Select[Any]:
    """Return the keys of the rows that are older, the oldest first; None finds none."""
    (key,) = table.primary_key
    old = table.c.at < now - timedelta(days=days) if days is not None else false()
    return select(key).where(old).order_by(table.c.at)


def personal_columns() -> list[Column[Any]]:
    """Return every column that holds addresses, in whatever table: known by the longest text it takes."""
    columns = (column for table in metadata.sorted_tables for column in table.columns)
    return [column for column in columns if isinstance(column.type, Words) and column.type.limit == ADDRESS]


def _rows(connection: Connection, table: Table, where: ColumnElement[bool]) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in connection.execute(select(table).where(where))]


def _digests(connection: Connection, ids: Sequence[str]) -> list[str]:
    these = among(connection.dialect, event.c.id, ids)
    return list(connection.scalars(select(event.c.digest).where(these).distinct()))


def _naming(connection: Connection, table: Table, name: Name, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows in which one of the columns names the person: the whole table is looked through."""
    likely = or_(*(name.likely(table.c[column]) for column in columns))
    return [row for row in _rows(connection, table, likely) if any(name.stands_in(row[column]) for column in columns)]


def _cleared(row: Mapping[str, Any], name: Name) -> dict[str, Any]:
    """Return what an event's row says without the person: of their own events nothing that strangers wrote is left."""
    if row["address"] == name.address:
        return dict.fromkeys(_NAMING) | {column: name.masked(row[column]) for column in _OURS}
    return {column: name.masked(row[column]) for column in _QUOTING}


def _erase_journal(connection: Connection, name: Name, instead: str) -> int:
    """Let the lines of a person bear another name."""
    lines = connection.execute(select(journal.c.seq, journal.c.why).where(journal.c.address == name.address)).all()
    written = update(journal).where(journal.c.seq == bindparam("number")).values(address=instead, why=bindparam("said"))
    many(connection, written, ({"number": line.seq, "said": name.masked(line.why)} for line in lines))
    return len(lines)


def _erase_entries(connection: Connection, name: Name, instead: str | None) -> int:
    """Remove the entries of a person, or let them bear another name; one that stands there already is replaced."""
    mine = held_under(connection, [name.address])
    other = held_under(connection, [instead]) if instead not in (None, name.address) else []
    connection.execute(delete(suppression).where(suppression.c.address == name.address))
    count = Counter(entry.category for entry in (*mine, *other))
    there = {entry.scope: entry for entry in other}
    if instead:
        there |= {e.scope: dataclasses.replace(e, address=instead, why=name.masked(e.why)) for e in mine}
    replace(connection, suppression, map(rows.of_suppression, there.values()))
    count.subtract(entry.category for entry in there.values())
    for category, fewer in count.items():
        amount = suppression_count.c.amount - fewer
        connection.execute(
            update(suppression_count).where(suppression_count.c.category == category).values(amount=amount)
        )
    return len(mine)


def _erase_others(connection: Connection, name: Name) -> int:
    """Delete what any other table holds on the person, and take the name out of the message ledger."""
    erased = 0
    for row in _naming(connection, message, name, _TROUBLE):
        these = [column == row[column.name] for column in message.primary_key]
        words = {column: name.masked(row[column]) for column in _TROUBLE}
        erased += connection.execute(update(message).where(*these).values(words)).rowcount
    for column in personal_columns():
        if isinstance(column.table, Table) and column.table.name not in _TREATED_APART:
            erased += connection.execute(delete(column.table).where(column == name.address)).rowcount
    return erased
