"""Thousands of addresses in one question: what each of them would be told alone."""

from collections.abc import Callable
from datetime import datetime, timedelta

import psycopg
import pytest

from bounced.config import Database
from bounced.errors import StoreDown
from bounced.store import Store
from tests.servers.postgres import Postgres
from tests.store.conftest import change

ODD = (
    '"two words"@example.org',
    "größe@xn--bcher-kva.example",
    "o'neil{a,b}@example.org",
    "null@example.org",
    "'; drop@example.org",
    "%_@example.org",
)


def fill(store: Store, now: datetime, amount: int) -> list[str]:
    """Suppress every third of so many addresses, each in its way; return all of them."""
    addresses = [*ODD, *(f"user{number}@example.org" for number in range(amount - len(ODD)))]
    day = timedelta(days=1)
    lines = [change(address, now - day, why="Umlaute: ß, 日本") for address in ODD]
    for number, address in enumerate(addresses[len(ODD) :: 3]):
        scope = ("*", "newsletter", "other")[number % 3]
        lines.append(change(address, now - day, scope=scope, until=(None, now, now + day)[number // 3 % 3]))
        if number % 4 == 0:
            lines.append(change(address, now - day, scope="newsletter", reason="unsubscribe"))
    with store.begin() as tx:
        tx.journal(lines)
    return addresses


@pytest.mark.parametrize("scope", ["*", "newsletter"])
def test_each_is_told_what_it_is_told_alone(store: Store, now: datetime, scope: str) -> None:
    """So many that two connections share the question, which each asks in several parts."""
    addresses = fill(store, now, 2_500)

    found = store.suppressed(addresses, scope, now)

    alone = {address: store.lookup(address, scope, now) for address in addresses}
    assert dict(found) == {address: entry for address, entry in alone.items() if entry}
    assert set(ODD) < set(found)
    assert len(found) > 100


def test_nobody_is_asked_about(store: Store) -> None:
    assert store.suppressed([]) == {}


def test_what_another_process_committed_is_seen(store: Store, open_store: Callable[..., Store], now: datetime) -> None:
    other = open_store()
    assert not other.suppressed(ODD, now=now)

    fill(store, now, 2_500)
    assert len(other.suppressed(ODD, now=now)) == len(ODD)


def test_without_tables_nobody_is_told_to_be_free(postgres: Postgres) -> None:
    """Neither by the half that is asked here, nor by the other."""
    store = Store.open(Database(url=postgres.database()))
    for amount in (1, 2_000):
        with pytest.raises(StoreDown):
            store.suppressed([f"user{number}@example.org" for number in range(amount)])
    store.close()


def test_connections_that_a_restart_cut_are_replaced_in_silence(postgres: Postgres, now: datetime) -> None:
    store = Store.open(Database(url=postgres.database()))
    store.upgrade()
    addresses = fill(store, now, 2_500)
    before = store.suppressed(addresses, now=now)
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bounced lookup'"
        assert all(gone for (gone,) in admin.execute(cut).fetchall())

    assert store.suppressed(addresses, now=now) == before
    store.close()


def test_the_plan_stays_an_index_scan(postgres: Postgres) -> None:
    """Prepared on an empty table, where a walk through all of it would be the better plan."""
    store = Store.open(Database(url=postgres.database()))
    store.upgrade()
    store.suppressed(["dead@example.org"])
    reader = store._readers._idle[-1]
    plan = reader._connection.execute("EXPLAIN EXECUTE bounced_lookup_many('{a@b.example}', '*')").fetchall()  # type: ignore[attr-defined]
    assert "Index Scan" in str(plan)
    assert "Seq Scan" not in str(plan)
    store.close()
