"""Statements for many rows at once, in the dialect of either database."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, islice
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Dialect, Executable, Table, and_, case
from sqlalchemy.dialects import postgresql, sqlite

from bounced.model import Place
from bounced.store.columns import among

#: Rows handed over at once: bounds the memory of a large import.
ROWS: Final = 2_000


Upsert = sqlite.Insert | postgresql.Insert


def upserting(connection: Connection, table: Table) -> Upsert:
    """Return an INSERT that knows ON CONFLICT."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def many(connection: Connection, statement: Executable, rows: Iterable[Mapping[str, Any]]) -> None:
    """Execute the statement once for each row, thousands at a time; for no row, not at all."""
    waiting = iter(rows)
    while some := list(islice(waiting, ROWS)):
        connection.execute(statement, some)


def replace(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert the rows; where the primary key is taken, the new row takes the place of the old."""
    many(connection, taking_place(upserting(connection, table)), rows)


def taking_place(once: Upsert) -> Upsert:
    """Return the insertion in which a new row takes the place of the old where the primary key is taken."""
    new = {column.name: once.excluded[column.name] for column in once.table.c if not column.primary_key}
    return once.on_conflict_do_update(index_elements=list(once.table.primary_key), set_=new)


def kept_if(condition: ColumnElement[bool], old: ColumnElement[Any], new: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the old value where the condition holds, else the new."""
    return case((condition, old), else_=new)


def at_places(dialect: Dialect, table: Table, places: Iterable[Place]) -> Iterator[ColumnElement[bool]]:
    """Yield a condition for each folder that finds the rows of the places there."""
    folder = attrgetter("mailbox", "folder", "uidvalidity")
    for (mailbox, name, uidvalidity), there in groupby(sorted(places, key=folder), folder):
        yield and_(
            table.c.mailbox == mailbox,
            table.c.folder == name,
            table.c.uidvalidity == uidvalidity,
            among(dialect, table.c.uid, [place.uid for place in there]),
        )
