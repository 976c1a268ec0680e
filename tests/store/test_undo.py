"""Letting many addresses go at once, and taking that back."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bounced.config import Policy
from bounced.model import Event, Move
from bounced.notify import compose
from bounced.policy import decide
from bounced.store import Amount, Store, SuppressionQuery, UndoQuery, Word
from tests.store.conftest import change, event


def word(now: datetime, why: str = "an outage") -> Word:
    return Word("ann (command line)", now, why)


def tell(changes):  # type: ignore[no-untyped-def]
    return compose((), changes, changes[0].at) if changes else []


@pytest.fixture
def full(store: Store, now: datetime) -> Store:
    """Six entries: four of a provider that had a bad day, one of another, one that a person wrote."""
    rows = [event(n, now, provider="microsoft" if n < 4 else "google", rule=f"rule.{n % 2}") for n in range(5)]
    lines = [change(e.address or "", now, event_id=e.id) for e in rows]
    lines.append(change("old@example.org", now - timedelta(days=9), reason="manual", category="manual", actor="ann"))
    with store.begin() as tx:
        tx.record(rows)
        tx.journal(lines)
    return store


def held(store: Store) -> set[str]:
    return {entry.address for entry in store.suppressions(SuppressionQuery())}


@pytest.mark.parametrize(
    ("query", "amount"),
    [
        (UndoQuery(), 6),
        (UndoQuery(provider="microsoft"), 4),
        (UndoQuery(provider="microsoft", rule="rule.1"), 2),
        (UndoQuery(reason="manual"), 1),
        (UndoQuery(scope="marketing"), 0),
    ],
    ids=repr,
)
def test_what_is_counted_is_what_is_released(full: Store, now: datetime, query: UndoQuery, amount: int) -> None:
    """The numbers that a person says yes to are those of the deed, in table, journal, counts and outbox."""
    assert sum(each.amount for each in full.undo_amounts(query)) == amount
    assert full.undo(query, word(now), tell) == amount

    assert len(held(full)) == 6 - amount == full.counts().suppressions
    assert full.undo_amounts(query) == []
    assert len([d for d in full.deliveries() if d.notification.type == "suppression.released"]) == amount


def test_a_span_of_time_leaves_out_what_began_before(full: Store, now: datetime) -> None:
    """From its beginning, inclusive; before its end."""
    query = UndoQuery(since=now - timedelta(hours=1), until=now + timedelta(hours=1))
    assert full.undo_amounts(query) == [
        Amount("*", "mailbox_unknown", "microsoft", 4),
        Amount("*", "mailbox_unknown", "google", 1),
    ]

    full.undo(query, word(now), tell)

    assert held(full) == {"old@example.org"}


def test_the_journal_says_who_and_why(full: Store, now: datetime) -> None:
    """Each line has the cause of the entry that it ends."""
    full.undo(UndoQuery(provider="google"), word(now), tell)

    last = full.journal_of("user4@example.org")[-1]
    assert (last.move, last.actor, last.why, last.reason) == (
        Move.RELEASE,
        "ann (command line)",
        "an outage",
        "mailbox_unknown",
    )
    assert last.event_id == event(4, now).id
    assert last.until is None


def test_what_was_released_does_not_come_back_without_newer_evidence(full: Store, now: datetime) -> None:
    """The same day's late reports change nothing; one that happened after the release does."""
    full.undo(UndoQuery(provider="google"), word(now), tell)
    name = "user4@example.org"

    def judged(new: Event) -> list[str]:
        later = now + timedelta(days=1)
        _, changes = decide([new], full.histories([name], later), Policy(), later)
        return [line.move for line in changes]

    late = event(90, now + timedelta(hours=2), address=name, reported_at=now - timedelta(minutes=1))
    newer = event(91, now + timedelta(hours=2), address=name, reported_at=now + timedelta(minutes=1))
    assert judged(late) == []
    assert judged(newer) == [Move.SUPPRESS]


def test_an_undo_can_be_undone(full: Store, now: datetime) -> None:
    """What it released stands again as it was, in every field; once. Who put it back is for the journal."""
    with full.begin() as tx:
        stronger = change("user1@example.org", now + timedelta(seconds=9), event_id=event(1, now).id, why="dead again")
        tx.journal([stronger, replace(stronger, move=Move.DISPUTE, at=now + timedelta(seconds=10))])
    before = full.suppressed(["user1@example.org"])["user1@example.org"]
    full.undo(UndoQuery(provider="microsoft"), word(now), tell)
    later, span = now + timedelta(hours=1), (now - timedelta(minutes=1), now + timedelta(minutes=1))

    assert sum(each.amount for each in full.redo_amounts(*span)) == 4
    assert full.redo(*span, word(later, "was right after all"), tell) == 4
    assert full.redo(*span, word(later), tell) == 0

    again = full.suppressed(["user1@example.org"])["user1@example.org"]
    assert again == before
    assert (again.since, again.why, again.actor) == (now, "dead again", "bounced")
    assert again.disputed is not None
    last = full.journal_of("user1@example.org")[-1]
    assert (last.actor, last.why, last.at) == ("ann (command line)", "was right after all", later)
    assert len(held(full)) == 6 == full.counts().suppressions


def test_what_was_suppressed_or_changed_since_is_left_alone_by_taking_back(full: Store, now: datetime) -> None:
    """A release that something followed is history."""
    full.undo(UndoQuery(provider="google"), word(now), tell)
    with full.begin() as tx:
        tx.journal([change("user4@example.org", now + timedelta(minutes=5), reason="abuse", category="complaint")])

    assert full.redo(now, now + timedelta(hours=1), word(now + timedelta(hours=2)), tell) == 0
    assert full.suppressed(["user4@example.org"])["user4@example.org"].reason == "abuse"


def test_a_failure_on_the_way_releases_nobody(full: Store, now: datetime) -> None:
    """Table and journal are whole, or as before."""

    def fails(_changes: object) -> list[object]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        full.undo(UndoQuery(), word(now), fails)  # type: ignore[arg-type]

    assert len(held(full)) == 6
    assert [line.move for line in full.journal_of("user4@example.org")] == [Move.SUPPRESS]


def test_what_a_wave_released_is_not_taken_back(full: Store, now: datetime) -> None:
    """Its addresses live; only what a person released is a person's to take back."""
    lines = [change("user1@example.org", now, Move.RELEASE, actor="wave 3")]
    with full.begin() as tx:
        tx.journal([*lines, change("user2@example.org", now, Move.RELEASE, actor="ann")])
    assert full.redo(now, now + timedelta(hours=1), word(now + timedelta(hours=2)), tell) == 1
    assert {"user1@example.org", "user2@example.org"} & held(full) == {"user2@example.org"}
