"""The question that comes with every mail: the same answer as the listing gives, and never "free" by accident."""

import os
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from bounced.config import Database
from bounced.errors import StoreDown
from bounced.model import Change, Move, Suppression
from bounced.store import Store
from bounced.store.lookup import holding
from tests.servers.postgres import Postgres
from tests.store.conftest import change


def journal(store: Store, *lines: Change) -> None:
    with store.begin() as tx:
        tx.journal(lines)


def test_it_answers_what_the_listing_answers(store: Store, now: datetime) -> None:
    """For each address, in each scope: with an end and without, run out, in several scopes, in other letters."""
    day = timedelta(days=1)
    journal(
        store,
        change("dead@example.org", now),
        change("soft@example.org", now, until=now + day),
        change("over@example.org", now - day, until=now),
        change("both@example.org", now, scope="newsletter", reason="unsubscribe"),
        change("both@example.org", now),
        change("list@example.org", now, scope="newsletter", until=now + day, event_id="ev_1"),
        change("größe@xn--bcher-kva.example", now, why="Umlaute: ß, 日本"),
    )
    addresses = [f"{name}@example.org" for name in ("dead", "soft", "over", "both", "list", "free")]
    for scope in ("*", "newsletter", "other"):
        for address in (*addresses, "größe@xn--bcher-kva.example"):
            assert store.lookup(address, scope, now) == store.suppressed([address], scope, now).get(address)
    assert store.lookup("list@example.org", "newsletter", now) is not None
    assert store.lookup("over@example.org", "*", now) is None


def test_what_another_process_committed_holds_at_once(
    store: Store, open_store: Callable[..., Store], now: datetime
) -> None:
    """Both ways: suppressed, and released again."""
    other = open_store()
    assert other.lookup("dead@example.org", now=now) is None

    journal(store, change("dead@example.org", now))
    assert other.lookup("dead@example.org", now=now) is not None

    journal(store, change("dead@example.org", now, Move.RELEASE))
    assert other.lookup("dead@example.org", now=now) is None


def test_an_end_is_honoured_to_the_moment(store: Store, now: datetime) -> None:
    """The entry still stands in the table: nobody ended it yet."""
    end = now + timedelta(hours=1)
    journal(store, change("soft@example.org", now, until=end))

    assert store.lookup("soft@example.org", now=end - timedelta(microseconds=1)) is not None
    assert store.lookup("soft@example.org", now=end) is None


def test_without_tables_it_is_down(open_store: Callable[..., Store], database_url: str) -> None:
    if database_url.startswith("sqlite"):
        Path(database_url.removeprefix("sqlite:///")).touch()
    with pytest.raises(StoreDown):
        open_store().lookup("dead@example.org")


@pytest.mark.parametrize("many", [False, True])
def test_a_file_that_was_moved_away_is_not_asked_any_more(tmp_path: Path, now: datetime, many: bool) -> None:
    """From the next question on, by one address and by many, nor written: its old content would answer for ever."""
    file = tmp_path / "bounced.db"
    store = Store.open(Database(url=f"sqlite:///{file}"))
    store.upgrade()
    assert not asked(store, many, now)

    file.rename(tmp_path / "elsewhere.db")
    with pytest.raises(StoreDown):
        asked(store, many, now)
    with pytest.raises(StoreDown):
        journal(store, change("dead@example.org", now))
    assert not file.exists()
    store.close()


@pytest.mark.parametrize("many", [False, True])
def test_a_file_that_took_the_place_of_another_answers_at_once(tmp_path: Path, now: datetime, many: bool) -> None:
    """As a back-up does that was put back while the daemon ran."""
    here, back_up = (Store.open(Database(url=f"sqlite:///{tmp_path}/{name}.db")) for name in ("here", "back_up"))
    for store in (here, back_up):
        store.upgrade()
    journal(back_up, change("dead@example.org", now))
    back_up.close()
    assert not asked(here, many, now)

    (tmp_path / "here.db").rename(tmp_path / "elsewhere.db")
    (tmp_path / "back_up.db").rename(tmp_path / "here.db")
    for left in ("here.db-wal", "here.db-shm"):
        (tmp_path / left).rename(tmp_path / left.replace("here", "elsewhere"))

    assert asked(here, many, now)
    here.close()


def asked(store: Store, many: bool, now: datetime) -> bool:
    """Return whether the dead address is suppressed."""
    address = "dead@example.org"
    return bool(store.suppressed([address], now=now) if many else store.lookup(address, now=now))


def test_connections_that_a_restart_cut_are_replaced_in_silence(postgres: Postgres, now: datetime) -> None:
    """No sender hears of it."""
    store = Store.open(Database(url=postgres.database()))
    store.upgrade()
    journal(store, change("dead@example.org", now))
    assert store.lookup("dead@example.org", now=now) is not None
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bounced lookup'"
        assert admin.execute(cut).fetchall() == [(True,)]

    assert store.lookup("dead@example.org", now=now) is not None
    store.close()


def test_a_server_that_hangs_is_given_up(postgres: Postgres, now: datetime) -> None:
    """Its process is there and says nothing: after the patience of the configuration the answer is "later"."""
    store = Store.open(Database(url=postgres.database(), busy_timeout=0.5))
    store.upgrade()
    assert store.lookup("dead@example.org", now=now) is None
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        find = "SELECT pid FROM pg_stat_activity WHERE application_name = 'bounced lookup'"
        ((pid,),) = admin.execute(find).fetchall()
    lock = psycopg.connect(store._url.set(drivername="postgresql").render_as_string(hide_password=False))
    lock.execute("LOCK TABLE suppression IN ACCESS EXCLUSIVE MODE")
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(StoreDown, match="PostgreSQL"):
            store.lookup("dead@example.org", now=now)
    finally:
        os.kill(pid, signal.SIGCONT)
        lock.close()
        store.close()


def test_what_is_down_is_not_tried_again_at_once(tmp_path: Path, now: datetime) -> None:
    """For a moment the answer is at hand; afterwards the database is found again without a restart."""
    store = Store.open(Database(url=f"sqlite:///{tmp_path}/late.db"))
    with pytest.raises(StoreDown):
        store.lookup("dead@example.org", now=now)
    store.upgrade()
    with pytest.raises(StoreDown):
        store.lookup("dead@example.org", now=now)

    store._readers._again_at = 0.0
    assert store.lookup("dead@example.org", now=now) is None
    store.close()


def test_the_plan_stays_an_index_scan(postgres: Postgres) -> None:
    """Prepared on an empty table, where a walk through all of it would be the better plan."""
    url = postgres.database()
    store = Store.open(Database(url=url))
    store.upgrade()
    store.lookup("dead@example.org")
    reader = store._readers._idle[-1]
    plan = reader._connection.execute("EXPLAIN EXECUTE bounced_lookup('a@b.example', '*')").fetchall()  # type: ignore[attr-defined]
    assert "Seq Scan" not in str(plan)
    store.close()


@pytest.mark.parametrize("order", [1, -1])
def test_everywhere_comes_before_a_scope(now: datetime, order: int) -> None:
    entries = [Suppression("a@b.example", s, "hard", "other", now, None, None, "") for s in ("*", "list")][::order]
    found = holding(entries, now)
    assert found is not None
    assert found.scope == "*"


def test_the_reader_of_sqlite_cannot_write(tmp_path: Path) -> None:
    """Not by accident, either."""
    store = Store.open(Database(url=f"sqlite:///{tmp_path}/bounced.db"))
    store.upgrade()
    store.lookup("dead@example.org")
    reader = store._readers._idle[-1]
    with pytest.raises(Exception, match="readonly"):
        reader._connection.execute("DELETE FROM suppression")  # type: ignore[attr-defined]
    store.close()
