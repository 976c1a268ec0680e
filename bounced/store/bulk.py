"""Rows written by the thousand: a statement that is compiled once, and values made fit a column at a time.

SQLAlchemy looks at each value of each row by itself, which takes longer than the database does to write them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Column, Connection, Insert, Table

from bounced.store.columns import bound
from bounced.store.statements import ROWS, Upsert, upserting

Row = Mapping[str, Any]


class Writer:
    """Inserts rows into some columns of a table, all of them if none are named.

    `conflict` says what becomes of a row that is there already; its conditions may have no parameters.
    """

    def __init__(
        self, table: Table, columns: Sequence[str] = (), conflict: Callable[[Upsert], Insert] | None = None
    ) -> None:
        self._table, self._conflict = table, conflict
        self._columns: list[Column[Any]] = [table.c[name] for name in columns or table.c.keys()]
        self._texts: dict[str, tuple[str, Sequence[str] | None]] = {}

    def write(self, connection: Connection, rows: Iterable[Row]) -> None:
        """Write rows that have a value for each of the columns; for no row, do nothing at all."""
        dialect, waiting = connection.dialect, iter(rows)
        text, order = self._text(connection)
        while some := list(islice(waiting, ROWS)):
            values = {c.name: bound(c.type, [row[c.name] for row in some], dialect) for c in self._columns}
            if order is not None:
                connection.exec_driver_sql(text, list(zip(*(values[name] for name in order), strict=True)))
            else:
                connection.exec_driver_sql(
                    text, [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
                )

    def _text(self, connection: Connection) -> tuple[str, Sequence[str] | None]:
        """Return the statement in the words of a driver, and the order of its parameters; None if they have names."""
        dialect = connection.dialect
        if dialect.name not in self._texts:
            once = upserting(connection, self._table)
            statement = self._conflict(once) if self._conflict else once
            compiled = statement.compile(dialect=dialect, column_keys=[column.name for column in self._columns])
            self._texts[dialect.name] = str(compiled), getattr(compiled, "positiontup", None)
        return self._texts[dialect.name]
