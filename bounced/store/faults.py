"""Errors of the databases -> what the caller must do. A lost or full database is StoreDown; a rejected row is a bug."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import exc

from bounced.errors import StoreDown

_MIGRATE: Final = 'the database lacks a table or column of this version: run "bounced db upgrade"'

#: Primary result codes of SQLite that are the fault of no row and no statement.
_SQLITE: Final = {
    sqlite3.SQLITE_BUSY: "the database is locked by another program",
    sqlite3.SQLITE_LOCKED: "the database is locked by another program",
    sqlite3.SQLITE_FULL: "the disk of the database is full",
    sqlite3.SQLITE_IOERR: "the disk of the database failed",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
    sqlite3.SQLITE_READONLY: "the database file may not be written",
    sqlite3.SQLITE_PERM: "the database file may not be used",
    sqlite3.SQLITE_CORRUPT: "the database file is damaged",
    sqlite3.SQLITE_NOTADB: "the file is no SQLite database",
    sqlite3.SQLITE_NOMEM: "no memory is left for the database",
    sqlite3.SQLITE_PROTOCOL: "the database is locked by another program",
}

#: SQLSTATEs of PostgreSQL, by the longest beginning that fits (its manual, appendix A).
_POSTGRESQL: Final = {
    "08": "the connection to PostgreSQL broke",
    "25006": "PostgreSQL takes no writes: it is a standby, or read-only",
    "25P03": "PostgreSQL ended a transaction that stood idle for too long",
    "28": "PostgreSQL refused the user or password",
    "3D000": "there is no such database in PostgreSQL",
    "40": "PostgreSQL broke off the transaction in favour of another",
    "42501": "the PostgreSQL user lacks a right",
    "42703": _MIGRATE,
    "42P01": _MIGRATE,
    "53": "PostgreSQL has no room or connection left",
    "53100": "the disk of PostgreSQL is full",
    "55P03": "the database is locked by another program",
    "57": "PostgreSQL is shutting down, starting up or was told to stop",
    "58": "PostgreSQL met an error of its system",
    "XX001": "the database is damaged",
    "XX002": "the database is damaged",
}


@contextmanager
def mapped(where: str) -> Iterator[None]:
    """Raise StoreDown, in plain words, for what a later try may cure; let anything else through as it is.

    `where` is the URL without its password.
    """
    try:
        yield
    except exc.TimeoutError as error:
        raise StoreDown(f"every connection to the database is in use ({where})") from error
    except exc.DBAPIError as error:
        words = _words(error)
        if words is None:
            raise
        raise StoreDown(f"{words} ({where}: {_line(error.orig)})") from error


def _words(error: exc.DBAPIError) -> str | None:
    """Return what happened, for a person; None if a statement or row is to blame."""
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite_words(error.orig)
    state = getattr(error.orig, "sqlstate", None) or ""
    fitting = [words for length in (5, 2) if (words := _POSTGRESQL.get(state[:length]))]
    if fitting:
        return fitting[0]
    if not error.connection_invalidated and (state or not isinstance(error, exc.OperationalError)):
        return None
    return "PostgreSQL refused the connection" if "FATAL" in str(error.orig) else "PostgreSQL cannot be reached"


def _sqlite_words(error: sqlite3.Error) -> str | None:
    if str(error).startswith(("no such table", "no such column", "no such view")) or " has no column " in str(error):
        return _MIGRATE
    code: int = getattr(error, "sqlite_errorcode", 0)
    return _SQLITE.get(code & 0xFF)


def sqlite_problem(error: sqlite3.Error | OSError) -> str:
    """Return what keeps a question from being answered, for a person."""
    words = None if isinstance(error, OSError) else _sqlite_words(error)
    return words or f"the database cannot be asked: {error}"


def _line(error: BaseException | None) -> str:
    """Return the first line of what the driver said."""
    return (str(error).strip().splitlines() or ["no more is known"])[0][:300]
