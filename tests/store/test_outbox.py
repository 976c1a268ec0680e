"""Deliveries: claimed by one worker, tried, done or given up."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from bounced.model import Attempt, DeliveryState
from bounced.store import DeliveryQuery, Store
from tests.store.conftest import notification

MINUTE = timedelta(minutes=1)
OPEN, DONE, DEAD = DeliveryState.OPEN, DeliveryState.DONE, DeliveryState.DEAD


def announce(store: Store, now: datetime, count: int, type_: str = "wave.opened") -> None:
    with store.begin() as tx:
        tx.announce([notification(n, now, type_) for n in range(count)])


def test_the_life_of_a_delivery(store: Store, now: datetime) -> None:
    """Claimed, failed, due again later, done; every attempt is on record."""
    announce(store, now, 1)
    (claimed,) = store.claim(now, 10, 60)
    assert (claimed.endpoint, claimed.notification, claimed.attempts) == ("all", notification(0, now, "wave.opened"), 0)
    assert store.claim(now, 10, 60) == []

    failed = Attempt(now, 1500, OPEN, now + 5 * MINUTE, 503, "status 503", "try later")
    store.attempted(claimed, failed)
    assert store.claim(now + 4 * MINUTE, 10, 60) == []
    (again,) = store.claim(now + 5 * MINUTE, 10, 60)
    assert (again.attempts, again.last_error) == (1, "status 503")

    done = Attempt(now + 5 * MINUTE, 20, DONE, None, 204)
    store.attempted(again, done)
    assert store.claim(now + 99 * MINUTE, 10, 60) == []
    assert store.attempts_of(claimed.id) == [failed, done]
    (settled,) = store.deliveries()
    assert (settled.state, settled.attempts, settled.last_error) == (DONE, 2, None)


def test_nothing_is_due_before_its_time(store: Store, now: datetime) -> None:
    """A notification is due at its own moment."""
    announce(store, now, 1)
    assert store.claim(now - MINUTE, 10, 60) == []


def test_a_crashed_worker_loses_its_claim(store: Store, now: datetime) -> None:
    """When its lease is over, another has it; the late report of the first changes no end state."""
    announce(store, now, 1)
    (first,) = store.claim(now, 10, 60)
    (second,) = store.claim(now + MINUTE, 10, 60)
    assert first.id == second.id

    store.attempted(second, Attempt(now, 1, DONE, None, 200))
    store.attempted(first, Attempt(now, 1, OPEN, now, None, "connection reset"))
    assert store.claim(now + 99 * MINUTE, 10, 60) == []
    assert len(store.attempts_of(first.id)) == 2


def test_workers_never_claim_the_same(store: Store, open_store: Callable[..., Store], now: datetime) -> None:
    """Eight at once, on connections of two stores."""
    announce(store, now, 200)
    stores, start = [store, open_store()], threading.Barrier(8)

    def work(number: int) -> list[int]:
        mine: list[int] = []
        start.wait()
        while claimed := stores[number % 2].claim(now, 7, 60):
            mine += [each.id for each in claimed]
        return mine

    with ThreadPoolExecutor(8) as pool:
        found = [id_ for ids in pool.map(work, range(8)) for id_ in ids]

    assert len(found) == len(set(found)) == 200


def test_claims_of_one_endpoint(store: Store, now: datetime) -> None:
    """One that hangs delays no other."""
    announce(store, now, 3, "bounce.hard")

    assert {d.endpoint for d in store.claim(now, 10, 60, "hard")} == {"hard"}
    assert len(store.claim(now, 10, 60)) == 6


def test_those_due_first_come_first(store: Store, now: datetime) -> None:
    """Within one claim, and from one to the next."""
    with store.begin() as tx:
        tx.announce([notification(n, now - n * MINUTE, "wave.opened") for n in range(20)])
    claimed = [d.notification.id for _ in range(4) for d in store.claim(now, 5, 600)]

    assert claimed == [f"msg_{n}" for n in reversed(range(20))]


def test_given_up_and_opened_again(store: Store, now: datetime) -> None:
    """By a person; what is done stays done."""
    announce(store, now, 2)
    one, two = store.claim(now, 10, 60)
    store.attempted(one, Attempt(now, 1, DEAD, None, 410, "gone"))
    store.attempted(two, Attempt(now, 1, DONE, None, 200))
    assert store.counts().dead_deliveries == 1

    assert store.retry([one.id, two.id, 999], now) == 1
    (again,) = store.claim(now, 10, 60)
    assert (again.id, again.attempts) == (one.id, 0)


def test_endpoints_that_are_gone(store: Store, now: datetime) -> None:
    """Given up once nobody has known them for a while."""
    announce(store, now, 2, "bounce.hard")

    assert store.abandon(["all", "hard"], now, "not configured") == 0
    assert store.abandon(["all", "hard"], now + MINUTE, "not configured") == 2
    assert {(d.endpoint, d.last_error) for d in store.deliveries(DeliveryQuery(state=DEAD))} == {
        ("bounces", "not configured")
    }
    assert store.abandon([], now + MINUTE, "no endpoint at all") == 4


def test_listing(store: Store, now: datetime) -> None:
    """Newest first, by endpoint, state and type, page by page."""
    announce(store, now, 30)
    (done,) = store.claim(now, 1, 60)
    store.attempted(done, Attempt(now, 1, DONE, None, 200))
    with store.begin() as tx:
        tx.announce([notification(99, now, "bounce.hard")])

    first = store.deliveries(DeliveryQuery(endpoint="all", limit=10))
    second = store.deliveries(DeliveryQuery(endpoint="all", limit=10, before=first[-1].id))
    assert [d.id for d in first + second] == sorted((d.id for d in first + second), reverse=True)
    assert [d.id for d in store.deliveries(DeliveryQuery(state=DONE))] == [done.id]
    assert store.delivery_counts() == {
        ("all", OPEN): 30,
        ("all", DONE): 1,
        ("bounces", OPEN): 1,
        ("hard", OPEN): 1,
    }
    assert {d.endpoint for d in store.deliveries(DeliveryQuery(type="bounce.hard"))} == {"all", "bounces", "hard"}


def test_a_report_on_what_was_removed_meanwhile(store: Store, now: datetime) -> None:
    """The worker took longer than the rows were kept."""
    announce(store, now, 1)
    (claimed,) = store.claim(now, 10, 60)
    store.attempted(claimed, Attempt(now, 1, DONE, None, 200))
    assert store.prune(now + timedelta(days=31)).notifications == 1

    store.attempted(claimed, Attempt(now, 1, DONE, None, 200))
    assert store.deliveries() == []
