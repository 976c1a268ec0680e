"""Whether the database is well, how much is in it, and what is too old to be kept."""

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, Table, delete, exists, func, insert, select, text, tuple_

from bounced.errors import ConfigError, StoreDown
from bounced.store.database import Database
from bounced.store.migrate import encoding_problem, schema_of
from bounced.store.tables import DEAD, OPEN, TO_ACK, TO_RETRY, delivery, lease, message, notification, suppression_count

#: Free room on the disk of SQLite below which `check` speaks.
_ROOM: Final = 100_000_000
_CHUNK: Final = 5_000
_PROBE: Final = "(bounced check)"


@dataclass(frozen=True, slots=True)
class Counts:
    """What metrics show."""

    suppressions: int
    suppressions_by_category: Mapping[str, int]
    open_deliveries: int
    dead_deliveries: int
    oldest_open_delivery: datetime | None
    struck_messages: int
    unacked_messages: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows were removed for their age."""

    messages: int
    notifications: int


class Upkeep(Database):
    """Care of the database."""

    def ping(self) -> None:
        """Return if the database answers. Raises StoreDown."""
        with self._read() as connection:
            connection.execute(select(1))

    def check(self) -> list[str]:
        """Return what is wrong with the database, each in plain words; nothing if it is well."""
        try:
            return list(self._problems())
        except (StoreDown, ConfigError) as exc:
            told = str(exc)
            return [told if told.startswith("privacy.") else f"database.url: {told}"]

    def counts(self) -> Counts:
        """Return how much of what there is. Raises StoreDown."""
        with self._read() as connection:

            def count(table: Table, where: str) -> int:
                return connection.scalar(select(func.count()).select_from(table).where(text(where))) or 0

            entries = {row.category: row.amount for row in connection.execute(select(suppression_count)) if row.amount}
            return Counts(
                suppressions=sum(entries.values()),
                suppressions_by_category=entries,
                open_deliveries=count(delivery, OPEN),
                dead_deliveries=count(delivery, DEAD),
                oldest_open_delivery=connection.scalar(select(func.min(delivery.c.at)).where(text(OPEN))),
                struck_messages=count(message, TO_RETRY),
                unacked_messages=count(message, TO_ACK),
            )

    def prune(self, now: datetime, messages_days: float = 400, notifications_days: float = 30) -> Pruned:
        """Remove ledger rows of settled messages, and notifications that no endpoint waits for, by age.

        A message pruned and then seen again is judged again; its events are known by their keys.
        """
        settled = select(*message.primary_key).where(
            message.c.at < now - timedelta(days=messages_days), text(f"NOT ({TO_ACK}) AND NOT ({TO_RETRY})")
        )
        waiting = exists().where(delivery.c.notification_id == notification.c.id, text(OPEN))
        told = select(notification.c.id).where(notification.c.at < now - timedelta(days=notifications_days), ~waiting)
        pruned = Pruned(self._remove(message, settled), self._remove(notification, told))
        self._refresh_statistics()
        return pruned

    def _refresh_statistics(self) -> None:
        """Let SQLite look again at how its values are spread; PostgreSQL does so by itself."""
        if self.is_sqlite:
            with self._write() as connection:
                connection.exec_driver_sql("PRAGMA analysis_limit = 400")
                connection.exec_driver_sql("PRAGMA optimize")

    def _problems(self) -> Iterator[str]:
        with self._read() as connection:
            if problem := encoding_problem(connection) or schema_of(connection).problem:
                yield problem
                return
            if self.is_sqlite:
                yield from self._file_problems(connection)
        self._try_to_write()

    def _file_problems(self, connection: Connection) -> Iterator[str]:
        """Yield what SQLite, or its disk, finds wrong with the file."""
        for found in connection.scalars(text("PRAGMA quick_check(5)")):
            if found != "ok":
                yield f"database.url: {self.file} is damaged: {found}; restore a backup"
        if connection.scalar(text("PRAGMA journal_mode")) != "wal":
            yield f"database.url: {self.file} cannot use write-ahead logging there; is it on a network file system?"
        free = shutil.disk_usage(self.file.parent).free
        if free < _ROOM:
            yield f"database.url: only {free // 1_000_000} MB are left on the disk of {self.file}"

    def _try_to_write(self) -> None:
        """Write, commit and remove a row. Raises StoreDown."""
        with self._write() as connection:
            connection.execute(delete(lease).where(lease.c.mailbox == _PROBE))
            row = {"mailbox": _PROBE, "owner": str(os.getpid()), "until": datetime.now(UTC)}
            connection.execute(insert(lease).values(row))
        with self._write() as connection:
            connection.execute(delete(lease).where(lease.c.mailbox == _PROBE))

    def _remove(self, table: Table, old: Select[Any]) -> int:
        """Delete the rows whose keys `old` selects, some thousands to a transaction, so that others get their turn."""
        removed = 0
        key = tuple_(*table.primary_key)
        while True:
            with self._write() as connection:
                gone = connection.execute(delete(table).where(key.in_(old.limit(_CHUNK)))).rowcount
            removed += gone
            if gone < _CHUNK:
                return removed
