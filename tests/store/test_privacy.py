"""One person: everything is shown, everything goes; and what is old goes for everybody."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, select, text
from sqlalchemy.exc import DatabaseError

from bounced.errors import BouncedError, ConfigError
from bounced.keeping import keep, pseudonym
from bounced.model import Move, Notification, RawMessage
from bounced.store import Erasure, Retention, Store
from bounced.store.naming import Name
from bounced.store.privacy import personal_columns
from bounced.store.tables import metadata
from tests.store.conftest import change, event, place

ANN, OTHER = "ann@example.org", "joann@example.org"


@pytest.fixture
def held(store: Store, now: datetime) -> Store:
    """A report that names two people, each with event, entry, journal and notification."""
    report = f"To: {ANN}, {OTHER}\n\ngone\n".encode()
    raw = RawMessage(place(1), report, len(report), now)
    words = {"diagnostic": f"550 5.1.1 <{ANN.upper()}> unknown", "subject": "Dear Ann", "trust_why": f"sent to {ANN}"}
    mine = event(1, now, address=ANN, digest=raw.digest(), final_recipient=ANN, **words)
    theirs = event(2, now, address=OTHER, digest=raw.digest(), diagnostic=f"also {ANN}; {OTHER} unknown")
    with store.begin() as tx:
        tx.record([mine, theirs])
        tx.keep([keep(raw, now, 10_000)])
        tx.journal([change(ANN, now, event_id=mine.id, why=f"{ANN} is dead"), change(OTHER, now)])
        tx.announce([Notification(f"msg_{name}", "bounce.hard", now, {"address": name}) for name in (ANN, OTHER)])
    store.pseudonym = pseudonym("a key")
    return store


def everything(store: Store) -> str:
    """Return every value of every row as one text."""
    with store._read() as connection:
        return "\n".join(
            repr(row) for table in metadata.sorted_tables for row in connection.execute(select(table)).all()
        )


def erasure(now: datetime, **more: Any) -> Erasure:
    return Erasure(ANN, "dpo", "asked to be forgotten", now, **more)


@pytest.mark.parametrize("keep_hash", [False, True])
def test_after_an_erasure_no_row_names_the_person(held: Store, now: datetime, keep_hash: bool) -> None:
    """In no table, in no case; others, whose name ends alike, keep theirs."""
    erased = held.erase(erasure(now, keep_hash=keep_hash))

    assert (erased.events, erased.journal, erased.suppressions, erased.reports) == (2, 1, 1, 1)
    assert erased.notifications == 1
    left = everything(held).lower()
    assert left.count(ANN) == left.count(OTHER) > 3
    assert "dear ann" not in left
    assert set(held.held_on(ANN)) == ({"suppression", "suppression_journal"} if keep_hash else set())


def test_with_the_hash_kept_the_person_stays_suppressed(held: Store, now: datetime) -> None:
    """Whoever asks for the address is told so; nobody who looks at the table learns the address."""
    held.erase(erasure(now, keep_hash=True))

    found = held.suppressed([ANN, OTHER, "bob@example.org"])
    assert set(found) == {ANN, OTHER}
    assert found[ANN].address.startswith("hmac:")
    assert held.lookup(ANN) == found[ANN]
    assert held.lookup("bob@example.org") is None
    assert held.counts().suppressions == 2
    assert [entry.scope for entry in held.entries_of_the_forgotten(ANN)] == ["*"]


def test_without_the_hash_nothing_is_known_any_more(held: Store, now: datetime) -> None:
    """The numbers agree with the table."""
    held.erase(erasure(now))

    assert set(held.suppressed([ANN, OTHER])) == {OTHER}
    assert held.counts().suppressions == 1


def test_a_new_bounce_and_a_second_erasure_leave_one_entry(held: Store, now: datetime) -> None:
    """Under the digest, with the newest cause."""
    held.erase(erasure(now, keep_hash=True))
    with held.begin() as tx:
        tx.journal([change(ANN, now + timedelta(days=1), reason="abuse", category="complaint")])
    held.erase(erasure(now + timedelta(days=2), keep_hash=True))

    assert held.suppressed([ANN])[ANN].reason == "abuse"
    assert len(held.entries_of_the_forgotten(ANN)) == 1
    assert held.counts().suppressions_by_category == {"hard": 1, "complaint": 1}


def test_without_a_key_no_hash_is_promised(held: Store, now: datetime) -> None:
    """Nothing is erased then."""
    held.pseudonym = None

    with pytest.raises(ConfigError, match=r"privacy\.key"):
        held.erase(erasure(now, keep_hash=True))

    assert ANN in everything(held)


def test_the_journal_keeps_its_lines(held: Store, now: datetime) -> None:
    """What happened, when and by whom stays; only the name and its words went."""
    held.erase(erasure(now, keep_hash=True))

    (line,) = held.journal_of(held.entries_of_the_forgotten(ANN)[0].address)
    assert (line.move, line.at, line.why) == (Move.SUPPRESS, now, "<erased> is dead")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE suppression_journal SET why = ''",
        "UPDATE suppression_journal SET address = 'x'",
        "DELETE FROM suppression_journal",
    ],
)
def test_the_door_in_the_journal_is_shut_before_and_after(held: Store, now: datetime, statement: str) -> None:
    """The database itself refuses."""
    for _ in range(2):
        with pytest.raises((BouncedError, DatabaseError), match="append-only"), held._write() as connection:
            connection.execute(text(statement))
        held.erase(erasure(now))


@pytest.mark.parametrize("change_", ["move = 'release'", "at = at + 1", "reason = 'x'", "scope = 'x'", "actor = 'x'"])
def test_the_open_door_lets_no_history_be_changed(held: Store, change_: str) -> None:
    """Nor a line be removed."""
    if not held.is_sqlite:
        change_ = change_.replace("at + 1", "at + interval '1 second'")
    for statement in (f"UPDATE suppression_journal SET {change_}", "DELETE FROM suppression_journal"):
        with pytest.raises((BouncedError, DatabaseError), match="append-only"), held._write() as connection:
            at = "1" if held.is_sqlite else "now()"
            connection.execute(text(f"INSERT INTO erasure (at, actor, why) VALUES ({at}, 'a', 'b')"))
            connection.execute(text(statement))


def test_all_that_is_held_is_shown(held: Store) -> None:
    """Of each table what names the person, and nobody else's."""
    shown = held.held_on(ANN)

    assert {name: len(rows) for name, rows in shown.items()} == {
        "event": 2,
        "suppression": 1,
        "suppression_journal": 1,
        "notification": 1,
        "raw_evidence": 1,
    }
    assert held.held_on("nobody@example.org") == {}


def test_every_table_with_addresses_is_emptied_of_the_person(store: Store, now: datetime) -> None:
    """Also those that come to be later: a column that takes an address is known by its type."""
    tables = {column.table for column in personal_columns() if isinstance(column.table, Table)}
    assert {"event", "suppression", "suppression_journal"} <= {table.name for table in tables}
    for column in metadata.tables.values():
        for each in column.columns:
            if each.name in ("address", "recipient", "final_recipient"):
                assert each in personal_columns(), each


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("<Ann@Example.org>: unknown", True),
        ("rcpt=ann@example.org.", True),
        ("'ann@example.org'", True),
        ("joann@example.org", False),
        ("x.ann@example.org", False),
        ("ann@example.org.uk", False),
        ("ann@example.organic", False),
        ("ann-example.org", False),
    ],
)
def test_a_name_is_found_and_not_within_a_longer_one(words: str, found: bool) -> None:
    """Or somebody else would be forgotten."""
    assert Name(ANN).stands_in(words) is found
    assert Name(ANN).stands_in({"a": [words]}) is found


def test_old_events_and_old_words_go(store: Store, now: datetime) -> None:
    """Entries and journal stay; what is younger stays whole."""
    with store.begin() as tx:
        tx.record([event(n, now - timedelta(days=n), diagnostic="550 no", subject="Hi") for n in (1, 40, 100)])
        tx.journal([change("user100@example.org", now - timedelta(days=100))])

    gone = store.forget(now, Retention(events=90, diagnostics=30))

    assert (gone.events, gone.diagnostics, gone.evidence) == (1, 1, 0)
    assert [(e.address, e.diagnostic) for e in store.events()] == [
        ("user1@example.org", "550 no"),
        ("user40@example.org", None),
    ]
    assert "user100@example.org" in store.suppressed(["user100@example.org"])
    assert store.forget(now, Retention()).events == 0
