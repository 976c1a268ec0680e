"""The question of a waiting sender to SQLite: one read-only connection with its statement prepared."""

import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from bounced.errors import StoreDown
from bounced.model import Suppression
from bounced.store.faults import sqlite_problem

_QUESTION: Final = """SELECT address, scope, category, reason, since, until, event_id, why, actor, disputed
FROM suppression WHERE address = ? AND scope IN ('*', ?)"""
_HAS_FORM: Final = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'address_form'"
_FORM: Final = "SELECT form, key_check FROM address_form"
#: Pages of each reader, in KiB: what lies above the leaves of a table of ten million entries finds room there.
_CACHE: Final = 16_384
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class SqliteReader:
    """A connection that reads and cannot write, nor make a file where there is none."""

    def __init__(self, file: Path, busy_timeout: float) -> None:
        """Connect. Raises StoreDown."""
        self._file = str(file)
        try:
            self._held = self._there()
            self._connection = sqlite3.connect(
                f"file:{quote(self._file)}?mode=rw",
                uri=True,
                timeout=busy_timeout,
                isolation_level=None,
                check_same_thread=False,
            )
            self._connection.execute("PRAGMA query_only = ON")
            self._connection.execute(f"PRAGMA cache_size = -{_CACHE}")
        except (OSError, sqlite3.Error) as exc:
            raise StoreDown(f"{sqlite_problem(exc)} ({self._file})") from exc

    def entries(self, address: str, scope: str) -> list[Suppression]:
        """Return the entries of the address in `*` and in the scope. Raises StoreDown.

        Each question looks first whether the file is still there: one that was moved away or replaced would answer
        out of its old content for ever.
        """
        try:
            if self._there() != self._held:
                raise StoreDown(f"the database file was replaced ({self._file})")
            found = self._connection.execute(_QUESTION, (address, scope)).fetchall()
        except (OSError, sqlite3.Error) as exc:
            raise StoreDown(f"{sqlite_problem(exc)} ({self._file})") from exc
        return [_suppression(row) for row in found]

    def form(self) -> tuple[str, str] | None:
        """Return form of the addresses and check of their key; None for addresses as they are. Raises StoreDown."""
        try:
            if self._connection.execute(_HAS_FORM).fetchone() is None:
                return None
            found: tuple[str, str] | None = self._connection.execute(_FORM).fetchone()
        except sqlite3.Error as exc:
            raise StoreDown(f"{sqlite_problem(exc)} ({self._file})") from exc
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _there(self) -> tuple[int, int]:
        """Return which file now has the name: one that is open never shares these numbers with another."""
        found = os.stat(self._file)  # noqa: PTH116  a microsecond less than Path.stat
        return found.st_dev, found.st_ino


def _suppression(row: tuple[Any, ...]) -> Suppression:
    address, scope, category, reason, since, until, event_id, why, actor, disputed = row
    return Suppression(
        address=address,
        scope=scope,
        category=category,
        reason=reason,
        since=_time(since),
        until=None if until is None else _time(until),
        event_id=event_id,
        why=why,
        actor=actor,
        disputed=None if disputed is None else _time(disputed),
    )


def _time(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
