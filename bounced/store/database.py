"""How either database is reached: URL, pragmas, transactions, who may write."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from bounced.config import Database as Settings
from bounced.errors import ConfigError, StoreDown
from bounced.store.faults import mapped

#: First key of the advisory locks in PostgreSQL; the second tells schemas apart.
_WRITERS: Final = 0x62_6F_75_6E
#: The first with RETURNING.
_OLDEST_SQLITE: Final = (3, 35)
#: Seconds after which PostgreSQL ends a transaction whose client says nothing more.
_IDLE = 120.0


class Database:
    """A pool of connections, and the two ways to use one: `_read` and `_write`."""

    def __init__(self, settings: Settings) -> None:
        """Prepare, without connecting. Raises ConfigError for a URL that names neither database."""
        self._settings = settings
        self._url = _url(settings.url)
        self._may_create = False
        self._writers = threading.Lock()
        self._engine = self._sqlite() if self.is_sqlite else self._postgresql()
        self._reader = self._engine if self.is_sqlite else self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def is_sqlite(self) -> bool:
        """True for SQLite, False for PostgreSQL."""
        return self._url.get_backend_name() == "sqlite"

    @property
    def where(self) -> str:
        """The URL without its password."""
        return self._url.render_as_string(hide_password=True)

    @property
    def file(self) -> Path:
        """Where SQLite keeps it."""
        return Path(self._url.database or "")

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        """Lend a connection for reading: each statement sees what is committed when it begins."""
        with mapped(self.where), self._reader.connect() as connection:
            self._admit(connection)
            yield connection

    def _admit(self, connection: Connection, writes: bool = False) -> None:
        """Raise StoreDown where this program must not use what it finds there; see `AddressForm`."""

    @contextmanager
    def _write(self, alone: bool = False) -> Iterator[Connection]:
        """Lend a connection in a transaction that is committed at the end, or rolled back by an exception.

        SQLite has one writer at a time anyway; threads of one process take turns by a lock, since its own
        waiting is a lottery. `alone` says the same for PostgreSQL, across processes and hosts.
        """
        with (
            mapped(self.where),
            self._turn(),
            self._engine.connect() as connection,
            self._transaction(connection, alone),
        ):
            self._admit(connection, writes=True)
            yield connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until no other thread of this process writes to SQLite. Raises StoreDown."""
        if not self.is_sqlite:
            yield
            return
        if not self._writers.acquire(timeout=self._settings.busy_timeout):
            raise StoreDown("the database is locked by another thread of this program")
        try:
            yield
        finally:
            self._writers.release()

    @contextmanager
    def _transaction(self, connection: Connection, alone: bool) -> Iterator[None]:
        """Hold a transaction open that writes; who calls it has the turn."""
        if self.is_sqlite:
            with connection.execution_options(writes=True).begin():
                yield
            return
        with connection.begin():
            self._limit_time(connection)
            if alone:
                here = func.hashtext(func.current_schema())
                connection.execute(select(func.pg_advisory_xact_lock(_WRITERS, here)))
            yield

    def _limit_time(self, connection: Connection) -> None:
        """Limit, for this transaction, how long it waits for a lock and how long others wait if this host vanishes."""
        limits = {"lock_timeout": self._settings.busy_timeout, "idle_in_transaction_session_timeout": _IDLE}
        connection.execute(select(*(func.set_config(name, f"{int(s * 1000)}ms", True) for name, s in limits.items())))

    def _sqlite(self) -> Engine:
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise ConfigError(
                [f"database.url: SQLite {sqlite3.sqlite_version} is too old, want 3.35; or use PostgreSQL"]
            )
        engine = create_engine(
            self._url,
            pool_size=self._settings.pool_size,
            max_overflow=5,
            pool_timeout=self._settings.busy_timeout,
            connect_args={"timeout": self._settings.busy_timeout, "isolation_level": None},
        )
        event.listen(engine, "do_connect", self._must_exist)
        event.listen(engine, "connect", _pragmas)
        event.listen(engine, "checkout", self._must_be_same)
        event.listen(engine, "begin", _begin)
        return engine

    def _postgresql(self) -> Engine:
        engine = create_engine(
            self._url,
            pool_size=self._settings.pool_size,
            max_overflow=5,
            pool_timeout=self._settings.busy_timeout,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": max(2, int(self._settings.busy_timeout)),
                "application_name": "bounced",
                "client_encoding": "utf8",
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
            },
        )

        event.listen(engine, "connect", _plan_afresh)
        return engine

    def _must_exist(self, _dialect: Dialect, entry: ConnectionPoolEntry, _args: list[Any], _named: object) -> None:
        """Keep a mistyped path from becoming a new, empty database, and a new one from being read by others."""
        if not self.file.parent.is_dir():
            raise StoreDown(f"the database cannot be opened: there is no folder {self.file.parent}, create it")
        if not self.file.exists():
            if not self._may_create:
                raise StoreDown(f'there is no database at {self.file}: "bounced db upgrade" makes it')
            with suppress(OSError):  # SQLite tells better why not; its -wal and -shm take over the mode
                os.close(os.open(self.file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        entry.info["file"] = self._there()

    def _must_be_same(self, _connection: DBAPIConnection, entry: ConnectionPoolEntry, _lent: object) -> None:
        """Keep a connection from being lent whose file was moved away or replaced: a new one is opened instead."""
        if entry.info["file"] != self._there():
            raise DisconnectionError("the database file was replaced")

    def _there(self) -> tuple[int, int] | None:
        """Return which file now has the name: one that is open never shares these numbers with another."""
        try:
            found = self.file.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _url(words: str) -> URL:
    """Return the URL with the driver that is used. Raises ConfigError."""
    try:
        url = make_url(words)
    except ArgumentError:
        raise ConfigError(["database.url: want sqlite:///PATH or postgresql://USER@HOST/DATABASE"]) from None
    backend = url.get_backend_name()
    if backend == "sqlite" and url.database not in (None, "", ":memory:"):
        return url.set(drivername="sqlite+pysqlite")
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise ConfigError(
        [f"database.url: want sqlite:///PATH or postgresql://USER@HOST/DATABASE, got {url.render_as_string()}"]
    )


def _pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Make SQLite keep what it committed through a loss of power, and let readers go on beside a writer.

    `synchronous=FULL`: under WAL the lesser NORMAL may lose the last commits, whose messages are moved already.
    The log is copied into the database every 16 MB: at SQLite's own 4 MB, each batch would do so, and the pages of
    indexes, which all batches touch, would be written and synchronised again and again.
    """
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode")
    if cursor.fetchone() != ("wal",):
        cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.execute("PRAGMA journal_size_limit = 67108864")
    cursor.execute("PRAGMA wal_autocheckpoint = 4000")
    cursor.close()


def _plan_afresh(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Keep PostgreSQL from reusing a plan made when the tables were still empty, until it next counts them."""
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SET plan_cache_mode = force_custom_plan")
    cursor.close()
    connection.autocommit = False


def _begin(connection: Connection) -> None:
    """Take SQLite's write lock at once where a transaction will write: taking it later may fail without waiting."""
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
