"""Counts for the metrics, and what is removed for its age."""

from datetime import datetime, timedelta

from bounced.model import Attempt, DeliveryState, Disposition, Move, Outcome
from bounced.store import Pruned, Store
from tests.store.conftest import change, digest, event, notification, place

DAY = timedelta(days=1)


def test_counts(store: Store, now: datetime) -> None:
    """Each is what is there, to the unit."""
    with store.begin() as tx:
        tx.journal([change(f"u{n}@x.example", now) for n in range(5)])
        tx.journal([change("u1@x.example", now, category="complaint"), change("u2@x.example", now, scope="news")])
        tx.journal([change("u3@x.example", now, Move.RELEASE), change("u3@x.example", now, Move.RELEASE)])
        tx.announce([notification(1, now), notification(2, now - DAY, "wave.opened")])
        tx.settle([(Outcome(place(n), Disposition.PROCESSED), digest(n)) for n in (1, 2)])
        tx.strike(place(3), digest(3), "boom", now)
    (dead,) = store.claim(now - DAY, 1, 60)
    store.attempted(dead, Attempt(now, 1, DeliveryState.DEAD, None, 410))
    store.acked([place(1)])
    counts = store.counts()

    assert (counts.suppressions, counts.suppressions_by_category) == (5, {"complaint": 1, "hard": 4})
    assert counts.suppressions == len(list(store.suppressions()))
    assert (counts.open_deliveries, counts.dead_deliveries, counts.oldest_open_delivery) == (3, 1, now)
    assert (counts.struck_messages, counts.unacked_messages) == (1, 1)


def test_prune_by_age(store: Store, now: datetime) -> None:
    """Only what waits for nothing; events and the journal stay."""
    with store.begin() as tx:
        tx.record([event(1, now)])
        tx.journal([change("u@x.example", now)])
        tx.announce([notification(1, now, "wave.opened"), notification(2, now, "wave.opened")])
        tx.settle([(Outcome(place(n), Disposition.PROCESSED), digest(n)) for n in (1, 2)])
        tx.settle([(Outcome(place(4), Disposition.LEFT), digest(4))])
        tx.strike(place(3), digest(3), "boom", now)
    store.acked([place(1)])
    done, _ = store.claim(now, 2, 60)
    store.attempted(done, Attempt(now, 1, DeliveryState.DONE, None, 200))

    assert store.prune(now + 29 * DAY) == Pruned(messages=0, notifications=0)
    assert store.prune(now + 900 * DAY) == Pruned(messages=2, notifications=1)
    assert store.prune(now + 900 * DAY) == Pruned(messages=0, notifications=0)
    assert store.retries("bounces", "INBOX", 7) == [3]
    assert [p.uid for p, _ in store.unacked("bounces", "INBOX", 7)] == [2]
    assert [d.notification.id for d in store.deliveries()] == ["msg_2"]
    assert store.attempts_of(done.id) == []
    assert len(list(store.events())) == len(store.journal_of("u@x.example")) == 1
