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
_ROWS: Final = 2_000


def upserting(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that knows ON CONFLICT."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def many(connection: Connection, statement: Executable, rows: Iterable[Mapping[str, Any]]) -> None:
    """Execute the statement once for each row, thousands at a time; for no row, not at all."""
    waiting = iter(rows)
    while some := list(islice(waiting, _ROWS)):
        connection.execute(statement, some)


def replace(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert the rows; where the primary key is taken, the new row takes the place of the old."""
    statement = upserting(connection, table)
    new = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    many(connection, statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=new), rows)


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
