"""What goes wrong with a database: each time in plain words, and nothing half done."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event as listen

from bounced.config import Database
from bounced.errors import ConfigError, StoreDown
from bounced.model import Disposition, Outcome
from bounced.store import Store
from tests.servers.postfix import free_port
from tests.servers.postgres import Postgres
from tests.store.conftest import change, digest, event, notification, place


def fill(store: Store, now: datetime, numbers: range) -> None:
    """Commit one batch that touches every table."""
    with store.begin() as tx:
        tx.record(tx.fresh([event(n, now, diagnostic="x" * 500) for n in numbers]))
        tx.journal([change(f"user{n}@example.org", now) for n in numbers])
        tx.announce([notification(n, now) for n in numbers])
        tx.settle([(Outcome(place(n), Disposition.PROCESSED), digest(n)) for n in numbers])


def sizes(store: Store) -> tuple[int, int, int, int]:
    """Return how many events, entries, deliveries and settled messages there are."""
    counts = store.counts()
    return (
        len(list(store.events())),
        len(list(store.suppressions())),
        counts.open_deliveries,
        counts.unacked_messages,
    )


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Store]:
    with closing(Store.open(Database(url=f"sqlite:///{tmp_path}/bounced.db", busy_timeout=0.3), {"all": ("*",)})) as it:
        it.upgrade()
        yield it


class TestLocked:
    """Another program holds the lock for longer than the busy time-out."""

    def test_sqlite(self, sqlite: Store, now: datetime) -> None:
        """Writers are told so within the time-out; readers do not notice."""
        fill(sqlite, now, range(3))
        with closing(sqlite3.connect(sqlite.file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            with pytest.raises(StoreDown, match="locked"):
                fill(sqlite, now, range(3, 6))
            assert time.monotonic() - began < 3
            assert sizes(sqlite) == (3, 3, 3, 3)
            other.execute("ROLLBACK")
        fill(sqlite, now, range(3, 6))
        assert sizes(sqlite) == (6, 6, 6, 6)

    def test_a_thread_of_our_own_holds_it(self, sqlite: Store, now: datetime) -> None:
        """The same words, also while the thread is not in SQLite at all."""
        with sqlite.begin(), ThreadPoolExecutor(1) as pool:
            failed = pool.submit(fill, sqlite, now, range(3))
            with pytest.raises(StoreDown, match="locked"):
                failed.result(5)

    def test_a_host_that_vanished_in_a_transaction(
        self, postgres: Postgres, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its lock is taken from it; nothing of it is committed."""
        monkeypatch.setattr("bounced.store.database._IDLE", 0.2)
        with closing(Store.open(Database(url=postgres.database()))) as store:
            store.upgrade()
            with pytest.raises(StoreDown, match="idle"), store.begin() as tx:
                tx.record([event(1, now)])
                time.sleep(0.6)
                tx.record([event(2, now)])
            assert sizes(store)[0] == 0

    def test_postgresql(self, postgres: Postgres, now: datetime) -> None:
        """A second ledger waits its turn, though not for ever; readers do not wait."""
        url = postgres.database()
        with (
            closing(Store.open(Database(url=url, busy_timeout=0.3))) as one,
            closing(Store.open(Database(url=url, busy_timeout=0.3))) as two,
        ):
            one.upgrade()
            with one.begin(), pytest.raises(StoreDown, match="locked"):
                fill(two, now, range(3))
            with one.begin():
                assert sizes(two)[0] == 0
            fill(two, now, range(3))
            assert sizes(one)[0] == 3


def test_writers_take_turns(open_store: Callable[..., Store], store: Store, now: datetime) -> None:
    """Threads and stores side by side, all with the same reports: none fails, each report counts once."""
    stores, start = [store, open_store()], threading.Barrier(6)

    def work(number: int) -> None:
        start.wait()
        for first in range(0, 60, 10):
            fill(stores[number % 2], now, range(first, first + 10))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))

    assert sizes(store) == (60, 60, 180, 60)


class TestFullDisk:
    """Nothing half written, and it goes on when there is room again."""

    @pytest.fixture
    def crowded(self, tmp_path: Path) -> Iterator[tuple[Store, Callable[[], None]]]:
        """Return a store on a disk with little room, and what makes more; a page limit where none can be mounted."""
        disk = tmp_path / "disk"
        disk.mkdir()
        mount = shutil.which("mount") or "mount"
        mounted = not subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=1200k", "tmpfs", str(disk)], capture_output=True, check=False
        ).returncode
        store = Store.open(Database(url=f"sqlite:///{disk}/bounced.db", busy_timeout=0.3), {"all": ("*",)})
        pages = [1 if not mounted else 2**30]
        store.upgrade()

        def limit(connection: sqlite3.Connection, *_: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages[0]}")

        def more_room() -> None:
            pages[0] = 2**30
            store.close()
            if mounted:
                subprocess.run([mount, "-o", "remount,size=50m", str(disk)], check=True)

        listen.listen(store._engine, "connect", limit)
        store.close()
        yield store, more_room
        store.close()
        if mounted:
            subprocess.run(["umount", str(disk)], check=True)

    def test_full(self, crowded: tuple[Store, Callable[[], None]], now: datetime) -> None:
        """Batches are committed whole until one is refused whole."""
        store, more_room = crowded
        done = 0
        with pytest.raises(StoreDown, match=r"full|disk"):
            for done in range(1000):
                fill(store, now, range(done * 50, done * 50 + 50))

        assert sizes(store) == (done * 50,) * 4
        assert any("disk" in problem or "full" in problem for problem in store.check())
        more_room()
        fill(store, now, range(done * 50, done * 50 + 50))
        assert sizes(store) == (done * 50 + 50,) * 4


class TestAbsent:
    """No database at all, or none that can be used."""

    def test_before_the_first_upgrade(self, open_store: Callable[..., Store]) -> None:
        """The command to type is named."""
        store = open_store()
        with pytest.raises(StoreDown, match="bounced db upgrade"):
            store.suppressed(["a@x.example"])
        with pytest.raises(StoreDown, match="bounced db upgrade"), store.begin() as tx:
            tx.fresh([event(1, datetime.now(UTC))])
        (problem,) = store.check()
        assert "bounced db upgrade" in problem

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        """Also `upgrade` makes no folders."""
        store = Store.open(Database(url=f"sqlite:///{tmp_path}/none/bounced.db"))
        with pytest.raises(StoreDown, match="there is no folder"):
            store.upgrade()

    def test_a_new_file_is_for_its_owner_alone(self, tmp_path: Path) -> None:
        """It holds addresses of people; with the usual umask others could read them."""
        before = os.umask(0o022)
        try:
            store = Store.open(Database(url=f"sqlite:///{tmp_path}/bounced.db"))
            store.upgrade()
            modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
            store.close()
        finally:
            os.umask(before)

        assert modes == dict.fromkeys(("bounced.db", "bounced.db-wal", "bounced.db-shm"), 0o600)

    def test_not_a_database(self, tmp_path: Path) -> None:
        """Somebody's text."""
        path = tmp_path / "bounced.db"
        path.write_text("shopping list\n" * 500)
        store = Store.open(Database(url=f"sqlite:///{path}"))
        with pytest.raises(StoreDown, match="no SQLite database"):
            store.upgrade()
        assert path.read_text().startswith("shopping list")
        assert any("no SQLite database" in problem for problem in store.check())

    def test_damaged(self, sqlite: Store, now: datetime) -> None:
        """`check` finds it; what stumbles over it does not take it for an answer."""
        fill(sqlite, now, range(200))
        sqlite.close()
        content = bytearray(sqlite.file.read_bytes())
        content[20_000:200_000] = b"\xa5" * 180_000
        sqlite.file.write_bytes(content)

        assert any("damaged" in problem for problem in sqlite.check())
        with pytest.raises(StoreDown, match="damaged"):
            for n in range(200):
                sqlite.suppressed([f"user{n}@example.org"])
                list(sqlite.events())

    def test_nobody_listens(self) -> None:
        """The password stays out of the words."""
        url = f"postgresql://ann:hunter2@127.0.0.1:{free_port()}/x"
        store = Store.open(Database(url=url, busy_timeout=1))
        with pytest.raises(StoreDown, match="cannot be reached") as down:
            store.ping()
        assert "hunter2" not in str(down.value) + store.where + "".join(store.check())

    def test_a_database_that_cannot_hold_every_script(self, postgres: Postgres) -> None:
        """Refused before the first mail from abroad breaks a batch."""
        with psycopg.connect(postgres.url(), autocommit=True) as admin:
            admin.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        with closing(Store.open(Database(url=postgres.url().removesuffix("postgres") + "latin"))) as store:
            with pytest.raises(ConfigError, match="LATIN1, want UTF8"):
                store.upgrade()
            assert any("LATIN1" in problem for problem in store.check())

    def test_no_such_database(self, postgres: Postgres) -> None:
        """The server is there, the database is not."""
        store = Store.open(Database(url=f"postgresql://postgres@127.0.0.1:{postgres.port}/nothing_here"))
        with pytest.raises(StoreDown, match=r"refused.*nothing_here"):
            store.upgrade()

    @pytest.mark.parametrize("url", ["mysql://root@localhost/x", "sqlite://", "sqlite:///:memory:", "bounced.db", ""])
    def test_a_url_of_neither(self, url: str) -> None:
        """A mistake in the configuration, found before anything is connected."""
        with pytest.raises(ConfigError, match=r"database\.url: want sqlite:///PATH or postgresql://"):
            Store.open(Database(url=url))

    @pytest.mark.parametrize("name", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"])
    def test_every_way_to_write_postgresql(self, postgres: Postgres, name: str) -> None:
        """All end at the one driver there is."""
        with closing(Store.open(Database(url=postgres.database().replace("postgresql", name, 1)))) as store:
            store.upgrade()
            assert store.check() == []


class TestServerRestarts:
    """PostgreSQL goes away and comes back."""

    def test_connections_heal(self, postgres: Postgres, now: datetime) -> None:
        """Down while it is down; afterwards nobody has to restart anything."""
        with closing(Store.open(Database(url=postgres.database(), busy_timeout=2), {"all": ("*",)})) as store:
            store.upgrade()
            fill(store, now, range(3))
            with pytest.raises(StoreDown), store.begin() as tx:
                tx.record([event(77, now)])
                postgres.stop()
                tx.record([event(78, now)])
            with pytest.raises(StoreDown, match="cannot be reached"):
                store.suppressed(["user1@example.org"])
            postgres.start()
            assert sizes(store) == (3, 3, 3, 3)
            fill(store, now, range(3, 6))
            assert sizes(store) == (6, 6, 6, 6)

    def test_a_connection_that_was_cut(self, postgres: Postgres, now: datetime) -> None:
        """By an administrator or a firewall, while it lay in the pool or was in use."""
        url = postgres.database()
        with closing(Store.open(Database(url=url))) as store, psycopg.connect(url, autocommit=True) as admin:
            store.upgrade()
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bounced'"
            admin.execute(cut)
            store.ping()
            with pytest.raises(StoreDown, match="PostgreSQL"), store.begin() as tx:
                admin.execute(cut)
                tx.record([event(1, now)])
            assert sizes(store)[0] == 0

    def test_read_only(self, postgres: Postgres, now: datetime) -> None:
        """A standby answers questions and takes no report."""
        url = postgres.database()
        with closing(Store.open(Database(url=url))) as store:
            store.upgrade()
        with closing(Store.open(Database(url=url + "%20-cdefault_transaction_read_only%3Don"))) as standby:
            assert standby.suppressed(["a@x.example"]) == {}
            with pytest.raises(StoreDown, match="standby"):
                fill(standby, now, range(1))
            assert any("standby" in problem for problem in standby.check())


_HALF = """
import os, signal, sys
from datetime import UTC, datetime
from bounced.config import Database
from bounced.store import Store
from tests.store.conftest import change, event, notification
now = datetime.now(UTC)
with Store.open(Database(url=sys.argv[1]), {"all": ("*",)}).begin() as tx:
    tx.record([event(n, now, diagnostic="x" * 3000) for n in range(1500)])
    tx.journal([change(f"user{n}@example.org", now) for n in range(1500)])
    tx.announce([notification(n, now) for n in range(1500)])
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_in_the_middle_of_a_transaction(store: Store, database_url: str, now: datetime) -> None:
    """Also when half of it was on the disk already; the next writer need not wait for anybody."""
    fill(store, now, range(5000, 5002))
    done = subprocess.run([sys.executable, "-c", _HALF, database_url], timeout=60, check=False)

    assert done.returncode == -signal.SIGKILL
    assert sizes(store) == (2, 2, 6, 2)
    fill(store, now, range(5002, 5004))
    assert sizes(store) == (4, 4, 12, 4)
    assert store.check() == []


def test_committed_is_on_the_disk(sqlite: Store) -> None:
    """Each connection syncs at each commit: the message is moved on the strength of it."""
    with sqlite._write() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]
