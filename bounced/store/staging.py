"""Where a list waits before it is merged: a table of this connection alone, on the disk, gone with the connection."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

#: line, address, scope, category, rank, reason, why, since, until, firm.
Staged = tuple[int, str, str, str, int, str, str, datetime | None, datetime | None, int]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)
_ROWS: Final = 5_000
_NULL: Final = "\\N"
_COLUMNS: Final = "line, address, scope, category, rank, reason, why, since, until, firm"


class Staging(Protocol):
    """The staging of one connection, and how its database says what differs."""

    staged: str  # the name of the table that is filled
    resolved: str  # a name for the table that follows from it
    create: str  # what stands after CREATE for that one
    never: str  # a moment after all others
    before: str  # and one before them
    latest: str  # the function that returns the greater of two
    earliest: str

    def fill(self, rows: Iterable[Staged]) -> None:
        """Put the rows into the table, as they come."""


def staging_on(connection: Connection) -> Staging:
    """Make the empty table, and return it. The connection must be nobody else's."""
    return _InPostgresql(connection) if connection.dialect.name == "postgresql" else _InSqlite(connection)


class _InSqlite:
    """A second database in an unnamed file: the main one is not locked while it is filled."""

    staged, resolved, create = "staging.staged", "staging.resolved", "TABLE"
    never, before = str(2**63 - 1), str(-(2**63) + 1)
    latest, earliest = "max", "min"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        for statement in (
            "PRAGMA temp_store = FILE",  # sorting a long list must not take memory for all of it
            "ATTACH '' AS staging",
            "PRAGMA staging.cache_size = -16384",
            "PRAGMA main.cache_size = -32768",
            "CREATE TABLE staging.staged (line INTEGER, address TEXT, scope TEXT, category TEXT, rank INTEGER,"
            " reason TEXT, why TEXT, since INTEGER, until INTEGER, firm INTEGER)",
        ):
            connection.exec_driver_sql(statement)
        connection.commit()

    def fill(self, rows: Iterable[Staged]) -> None:
        statement = f"INSERT INTO staging.staged ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
        waiting = map(_in_ticks, rows)
        self._connection.exec_driver_sql("BEGIN")
        while some := list(islice(waiting, _ROWS)):
            self._connection.exec_driver_sql(statement, some)
        self._connection.exec_driver_sql("COMMIT")
        self._connection.commit()


class _InPostgresql:
    """A temporary table, filled by COPY."""

    staged, resolved, create = "pg_temp.staged", "pg_temp.resolved", "TABLE"
    never, before = "'infinity'::timestamptz", "'-infinity'::timestamptz"
    latest, earliest = "greatest", "least"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        connection.exec_driver_sql("SET work_mem = '64MB'")
        connection.exec_driver_sql(
            'CREATE TEMP TABLE staged (line bigint, address text COLLATE "C", scope text COLLATE "C", category text,'
            " rank int, reason text, why text, since timestamptz, until timestamptz, firm int)"
        )
        connection.commit()

    def fill(self, rows: Iterable[Staged]) -> None:
        driver: Any = self._connection.connection.dbapi_connection
        module: Any = self._connection.dialect.loaded_dbapi
        try:
            with driver.cursor() as cursor:
                with cursor.copy(f"COPY staged ({_COLUMNS}) FROM STDIN") as copy:
                    lines = map(_copied, rows)
                    while some := "".join(islice(lines, _ROWS)):
                        copy.write(some)
                cursor.execute("ANALYZE staged")
            driver.commit()
        except module.Error as error:
            raise DBAPIError.instance("COPY", None, error, module.Error, dialect=self._connection.dialect) from error


def _copied(row: Staged) -> str:
    """Return the row as a line of COPY's text format, in half the time that the driver takes."""
    line, address, scope, category, rank, reason, why, since, until, firm = row
    words = f"{address}\t{scope}\t{category}\t{rank}\t{reason}\t{why}"
    if "\\" in words or "\n" in words or "\r" in words or words.count("\t") != 5:
        words = "\t".join(map(_escaped, (address, scope, category, str(rank), reason, why)))
    return f"{line}\t{words}\t{since or _NULL}\t{until or _NULL}\t{firm}\n"


def _escaped(text: str) -> str:
    """Return the text with what means something to COPY written out."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _in_ticks(row: Staged) -> tuple[Any, ...]:
    """Return the row with its times as this database keeps them."""
    *rest, since, until, firm = row
    return (*rest, _ticks(since), _ticks(until), firm)


def _ticks(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // _TICK
