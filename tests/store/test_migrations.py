"""From nothing to the newest tables, once, whoever else starts at the same moment."""

import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from bounced.errors import ConfigError, StoreDown
from bounced.store import Store
from bounced.store.migrate import VERSIONS, schema_of
from bounced.store.tables import metadata


def test_from_empty_and_again(open_store: Callable[..., Store]) -> None:
    """The second time changes nothing, and loses nothing."""
    store = open_store()
    store.upgrade()
    store.advance("m", "INBOX", 1, 2)
    store.upgrade()

    assert store.position("m", "INBOX") is not None
    assert store.check() == []


def test_the_steps_make_the_tables_that_the_program_knows(store: Store) -> None:
    """Columns, types, keys and indexes, in either database."""
    with store._read() as connection:
        dialect = connection.dialect

        def differs(_context: object, _found: object, _known: object, found: Any, known: Any) -> bool:
            return bool(found.compile(dialect) != known.compile(dialect))

        context = MigrationContext.configure(connection, opts={"version_table": VERSIONS, "compare_type": differs})
        assert compare_metadata(context, metadata) == []
        assert schema_of(connection).problem is None
        wheres = {
            (table, index["name"]): index.get("dialect_options", {})
            for table in metadata.tables
            for index in inspect(connection).get_indexes(table)
        }
    for table in metadata.tables.values():
        for index in table.indexes:
            found = wheres[table.name, str(index.name)].get(f"{connection.dialect.name}_where")
            assert (found is None) == (index.dialect_kwargs.get(f"{connection.dialect.name}_where") is None)


def test_started_together(open_store: Callable[..., Store], database_url: str) -> None:
    """Three processes on an empty database: all succeed, one of them made the tables."""
    script = (
        "import sys; from bounced.config import Database; from bounced.store import Store;"
        "Store.open(Database(url=sys.argv[1], busy_timeout=30)).upgrade()"
    )
    running = [subprocess.Popen([sys.executable, "-c", script, database_url], stderr=subprocess.PIPE) for _ in range(3)]
    said = [process.communicate(timeout=100)[1] for process in running]

    assert [process.returncode for process in running] == [0] * 3, said
    assert open_store().check() == []


def test_killed_half_way(open_store: Callable[..., Store], database_url: str) -> None:
    """No table is left behind; the next start makes all of them."""
    script = """
import os, signal, sys
from alembic import op
from bounced.config import Database
from bounced.store import Store
op.execute = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
Store.open(Database(url=sys.argv[1])).upgrade()
"""
    killed = subprocess.run([sys.executable, "-c", script, database_url], timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    store = open_store()
    with store._read() as connection:
        assert inspect(connection).get_table_names() == []

    store.upgrade()
    assert store.check() == []


def test_a_newer_database_is_refused(store: Store) -> None:
    """An old program neither changes it nor runs on it, and says what to do."""
    with store._write() as connection:
        connection.execute(text(f"UPDATE {VERSIONS} SET version_num = '9999'"))

    with pytest.raises(ConfigError, match=r"newer version.*update the program"):
        store.upgrade()
    (problem,) = store.check()
    assert "newer version" in problem


def test_tables_that_lack_something(store: Store) -> None:
    """A database restored from an old backup, say."""
    with store._write() as connection:
        connection.execute(text("ALTER TABLE mailbox_position DROP COLUMN next_uid"))

    with pytest.raises(StoreDown, match="bounced db upgrade"):
        store.position("m", "INBOX")
