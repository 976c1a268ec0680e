"""What was known of addresses before a batch, at a cost that no single address can drive up."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, FromClause, Row, Table, and_, select, text, true

from bounced.model import History
from bounced.store import rows
from bounced.store.columns import among, clean, listing
from bounced.store.evidence import signs_of
from bounced.store.pseudonyms import Seal
from bounced.store.tables import ADDRESS, COUNTS, event, journal, suppression

#: How far back, and how many lines of each kind for one address, newest first.
_PAST: Final = timedelta(days=400)
_EVENTS: Final = 200
_JOURNAL: Final = 100


def histories_of(
    connection: Connection, addresses: Sequence[str], now: datetime, seal: Seal | None = None
) -> Mapping[str, History]:
    """Return the history of each address: events that may count, entries, journal, signs of life; oldest first.

    What is to be written about an address is written under the one in its history, its name where none are kept.
    """
    wanted = {address: seal.name(address) if seal else clean(address, ADDRESS) for address in addresses}
    names = sorted(set(wanted.values()))
    if not names:
        return {}

    def recent(table: FromClause) -> ColumnElement[bool]:
        return and_(table.c.at >= now - _PAST, text(f"({COUNTS})"), table.c.superseded_by.is_(None))

    events = _by_address(_newest(connection, _Newest(event, (event.c.at, event.c.id), _EVENTS, recent), names))
    lines = _by_address(_newest(connection, _Newest(journal, (journal.c.seq,), _JOURNAL), names))
    entries = _by_address(
        connection.execute(
            select(suppression)
            .where(among(connection.dialect, suppression.c.address, names))
            .order_by(suppression.c.address, suppression.c.scope)
        )
    )
    signs = signs_of(connection, names)
    return {
        address: History(
            name if seal else address,
            tuple(map(rows.to_event, events.get(name, ()))),
            tuple(map(rows.to_suppression, entries.get(name, ()))),
            tuple(map(rows.to_change, lines.get(name, ()))),
            signs.get(name, ()),
        )
        for address, name in wanted.items()
    }


def _by_address(found: Iterable[Row[Any]]) -> dict[str, list[Row[Any]]]:
    """Return rows, sorted by address already, as one list for each."""
    return {address: list(mine) for address, mine in groupby(found, lambda row: row.address)}


@dataclass(frozen=True, slots=True)
class _Newest:
    """Which rows of a table are wanted for each address."""

    table: Table
    order: tuple[Column[Any], ...]
    limit: int
    condition: Callable[[FromClause], ColumnElement[bool]] = lambda _: true()


def _newest(connection: Connection, wanted: _Newest, names: Sequence[str]) -> Iterable[Row[Any]]:
    """Return the newest rows of each address, by address and then oldest first.

    An index gives each address its newest rows without a look at the others: by LATERAL in PostgreSQL; in
    SQLite, which lacks it, by a correlated list of keys.
    """
    listed = listing(connection.dialect, names)
    table = wanted.table if connection.dialect.name == "postgresql" else wanted.table.alias("mine")
    columns = [table.c[column.name] for column in wanted.order]
    newest = (
        select(table)
        .where(table.c.address == listed.c.value, wanted.condition(table))
        .order_by(*(column.desc() for column in columns))
        .limit(wanted.limit)
    )
    if connection.dialect.name == "postgresql":
        mine = newest.lateral("mine")
        found = select(mine).select_from(listed.join(mine, true()))
        return connection.execute(found.order_by(mine.c.address, *(mine.c[column.name] for column in wanted.order)))
    (key,) = wanted.table.primary_key
    keys = newest.with_only_columns(table.c[key.name])
    found = select(wanted.table).select_from(listed.join(wanted.table, key.in_(keys)))
    return connection.execute(found.order_by(wanted.table.c.address, *wanted.order))
