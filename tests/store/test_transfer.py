"""Lists taken in at once: what they add, what they leave alone, and that nothing of them is ever half there."""

import hashlib
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bounced.model import Change, Move, Suppression
from bounced.policy.table import strength
from bounced.store import Store, SuppressionQuery, Taken, Terms
from bounced.store.state import add_up
from bounced.store.tables import suppression_count
from bounced.store.undo import UndoQuery, Word
from tests.store.conftest import change

DAY = timedelta(days=1)


class Line(NamedTuple):
    """One entry of a list."""

    address: str
    category: str = "hard"
    reason: str = "mailbox_unknown"
    why: str = "their list"
    scope: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    passing: bool = False


def take(store: Store, now: datetime, *lines: Line, scope: str = "*") -> Taken:
    with store.taking_in(Terms("import list.csv", now, scope)) as intake:
        intake.add(lines)
        planned = intake.plan()
        taken = intake.commit()
    assert planned == taken
    assert_consistent(store)
    return taken


def assert_consistent(store: Store) -> None:
    """The state is what the journal adds up to, and the counts are those of the state."""
    entries = list(store.suppressions())
    summed: dict[tuple[str, str], Suppression] = {}
    for address in {entry.address for entry in entries}:
        after, _ = add_up({}, store.journal_of(address))
        summed |= {key: entry for key, entry in after.items() if entry}
    assert {(e.address, e.scope): e for e in entries} == summed
    with store._read() as connection:
        counts = {row.category: row.amount for row in connection.execute(suppression_count.select()) if row.amount}
    assert counts == dict(Counter(entry.category for entry in entries))


def commit(store: Store, *changes: Change) -> None:
    with store.begin() as tx:
        tx.journal(changes)


def entry(store: Store, address: str = "a@x.example", scope: str = "*") -> Suppression | None:
    return next((e for e in store.suppressions() if (e.address, e.scope) == (address, scope)), None)


def test_a_new_entry_keeps_what_the_list_tells(store: Store, now: datetime) -> None:
    """Reason, words, scope, both times; the journal says who, and when it was written."""
    old = now - 100 * DAY
    line = Line("a@x.example", "complaint", "abuse", "told", "news", old, now + DAY)

    assert take(store, now, line) == Taken(added={"complaint": 1})
    assert entry(store, scope="news") == Suppression(
        "a@x.example", "news", "complaint", "abuse", old, now + DAY, None, "told", "import list.csv"
    )
    (written,) = store.journal_of("a@x.example")
    assert (written.at, written.since, written.actor) == (now, old, "import list.csv")


def test_what_the_list_does_not_tell(store: Store, now: datetime) -> None:
    """The scope asked for; since now; a time to come is now; a soft failure of others passes."""
    lines = [
        Line("a@x.example"),
        Line("b@x.example", since=now + DAY),
        Line("c@x.example", "soft", since=now - DAY, passing=True),
        Line("d@x.example", "soft", passing=True),
        Line("e@x.example", "soft", since=now - 91 * DAY, passing=True),
        Line("f@x.example", until=now),
    ]
    taken = take(store, now, *lines, scope="news")

    assert taken == Taken(added={"hard": 2, "soft": 2}, over=2)
    assert [(e.address[0], e.scope, e.since, e.until) for e in store.suppressions()] == [
        ("a", "news", now, None),
        ("b", "news", now, None),
        ("c", "news", now - DAY, now + 89 * DAY),
        ("d", "news", now, now + 90 * DAY),
    ]


def test_again_changes_nothing(store: Store, now: datetime) -> None:
    """At any later time."""
    lines = [
        Line("a@x.example"),
        Line("b@x.example", "soft", passing=True),
        Line("c@x.example", until=now + DAY),
        Line("d@x.example", "complaint", scope="news", since=now - DAY),
    ]
    take(store, now, *lines)
    before = list(store.suppressions())

    assert take(store, now + DAY / 2, *lines) == Taken(known=4)
    assert list(store.suppressions()) == before
    assert len(store.journal_of("a@x.example")) == 1


@pytest.mark.parametrize(
    ("there", "comes", "stays"),
    [
        ("complaint", "hard", "complaint"),
        ("unsubscribe", "hard", "unsubscribe"),
        ("unsubscribe", "manual", "unsubscribe"),
        ("manual", "hard", "manual"),
        ("hard", "hard", "hard"),
        ("hard", "soft", "hard"),
        ("soft", "hard", "hard"),
        ("hard", "unsubscribe", "unsubscribe"),
        ("unsubscribe", "complaint", "complaint"),
    ],
)
def test_the_stronger_cause_names_the_entry(store: Store, now: datetime, there: str, comes: str, stays: str) -> None:
    """A bounce renames no complaint and no wish; what is stronger is written over what is weaker."""
    commit(store, change("a@x.example", now - DAY, category=there, event_id="ev_1"))
    taken = take(store, now, Line("a@x.example", comes, since=now - 9 * DAY))

    found = entry(store)
    assert found
    assert found.category == stays
    changed = there != stays
    assert taken == (Taken(strengthened=1) if changed else Taken(known=1))
    assert found.since == (now - 9 * DAY if changed else now - DAY)
    assert found.event_id == (None if changed else "ev_1")


def test_the_later_end_holds(store: Store, now: datetime) -> None:
    """The cause stays the stronger one; a shorter end changes nothing."""
    commit(store, change("a@x.example", now - DAY, category="hard", why="ours", until=now + 9 * DAY))

    assert take(store, now, Line("a@x.example", "soft", until=now + DAY)) == Taken(known=1)
    assert take(store, now, Line("a@x.example", "soft", until=now + 10 * DAY)) == Taken(strengthened=1)
    found = entry(store)
    assert found
    assert (found.category, found.why, found.until) == ("hard", "ours", now + 10 * DAY)


def test_the_strengths_are_those_of_the_policy() -> None:
    """An import and a report agree on which cause stands above."""
    from bounced.store.transfer import BY_OTHERS, STRENGTH

    for category in ("complaint", "unsubscribe", "manual", "anything", "hard", "soft"):
        assert STRENGTH.get(category, BY_OTHERS) == strength(category)


def test_one_address_many_times(store: Store, now: datetime) -> None:
    """One entry a scope: the strongest cause, the earliest beginning, the latest end."""
    lines = [
        Line("a@x.example", "soft", since=now - 5 * DAY, until=now + DAY),
        Line("a@x.example", "hard", why="dead", since=now - 2 * DAY, until=now + DAY),
        Line("a@x.example", "soft", until=now + 7 * DAY),
        Line("a@x.example", "soft", scope="news"),
    ]

    assert take(store, now, *lines) == Taken(added={"hard": 1, "soft": 1}, repeated=2)
    found = entry(store)
    assert found
    assert (found.category, found.why, found.since, found.until) == ("hard", "dead", now - 5 * DAY, now + 7 * DAY)


def test_who_was_released_stays_free(store: Store, now: datetime) -> None:
    """Unless the list tells of something newer; one without times cannot."""
    free = change("a@x.example", now - 2 * DAY, Move.RELEASE, why="a person called")
    commit(store, change("a@x.example", now - 9 * DAY), free)

    assert take(store, now, Line("a@x.example")) == Taken(released=1)
    assert take(store, now, Line("a@x.example", since=now - 3 * DAY)) == Taken(released=1)
    assert take(store, now, Line("a@x.example", since=now - DAY, scope="news")) == Taken(added={"hard": 1})
    assert entry(store) is None
    assert take(store, now, Line("a@x.example", since=now - DAY)) == Taken(added={"hard": 1})


def test_an_import_can_be_undone(store: Store, now: datetime) -> None:
    """All of it by its name and nothing else; run again, it stays undone."""
    commit(store, change("a@x.example", now - DAY, category="complaint"))
    lines = [Line(f"{name}@x.example", since=now - DAY) for name in "abc"]
    take(store, now, *lines)
    released = store.undo(UndoQuery(actor="import list.csv"), Word("ann", now, "the wrong list"), lambda _: ())

    assert released == 2
    assert [e.address for e in store.suppressions()] == ["a@x.example"]
    assert take(store, now + DAY, *lines) == Taken(known=1, released=2)


def test_what_expired_comes_back_only_for_more_than_soft_failures(store: Store, now: datetime) -> None:
    """A dead address in a list stays dead; an old full mailbox had its time."""
    commit(store, change("a@x.example", now - 9 * DAY, category="soft", until=now - 2 * DAY))
    commit(store, change("a@x.example", now - DAY, Move.EXPIRE, category="soft"))

    assert take(store, now, Line("a@x.example", "soft", since=now - 3 * DAY, passing=True)) == Taken(released=1)
    assert take(store, now, Line("a@x.example", "hard", since=now - 3 * DAY)) == Taken(added={"hard": 1})


def test_an_entry_that_ran_out_is_replaced(store: Store, now: datetime) -> None:
    """Though nobody swept it away yet; it is not counted twice."""
    commit(store, change("a@x.example", now - 9 * DAY, category="complaint", until=now - DAY))

    assert take(store, now, Line("a@x.example", "hard")) == Taken(added={"hard": 1})
    found = entry(store)
    assert found
    assert (found.category, found.since) == ("hard", now)


def test_what_was_not_committed_is_forgotten(store: Store, now: datetime) -> None:
    """A dry run, and one that broke off while it was read."""

    def broken() -> Iterator[Line]:
        yield from (Line(f"u{n}@x.example") for n in range(12_000))
        raise OSError("the disk is gone")

    with store.taking_in(Terms("ann", now)) as intake:
        intake.add([Line("a@x.example")])
        assert intake.plan() == Taken(added={"hard": 1})
    with pytest.raises(OSError, match="gone"), store.taking_in(Terms("ann", now)) as intake:
        intake.add(broken())

    assert list(store.suppressions()) == []
    commit(store, change("b@x.example", now))
    assert_consistent(store)


def test_while_a_list_is_staged_others_write(store: Store, now: datetime) -> None:
    """And what they wrote counts at the merge."""
    with store.taking_in(Terms("ann", now)) as intake:
        intake.add(Line(f"u{n}@x.example") for n in range(20_000))
        commit(store, change("u7@x.example", now, category="complaint"))
        assert intake.commit() == Taken(added={"hard": 19_999}, known=1)
    assert_consistent_counts(store, {"hard": 19_999, "complaint": 1})


def assert_consistent_counts(store: Store, wanted: dict[str, int]) -> None:
    assert dict(store.counts().suppressions_by_category) == wanted


def test_strange_texts_fit_either_database(store: Store, now: datetime) -> None:
    """NUL, half surrogates, tabs, backslashes, 10,000 characters."""
    why = "a\0b\ud800\t\\N\\." + "x" * 10_000
    take(store, now, Line("a@x.example", why=why), Line('"a b"@x.example', why="\\N"), Line("ä@x.example", why=""))

    found = {e.address: e.why for e in store.suppressions()}
    assert found["a@x.example"].startswith("a\ufffdb\ufffd\t\\N\\.xxx")
    assert (found['"a b"@x.example'], found["ä@x.example"]) == ("\\N", "")


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from sqlalchemy import event
from bounced.config import Database
from bounced.store import Store, Terms
from tests.store.test_transfer import Line
url, word, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = Store.open(Database(url=url))
def die(connection, cursor, statement, *_):
    if word in statement:
        os.kill(os.getpid(), signal.SIGKILL)
event.listen(store._engine, "after_cursor_execute", die)
def lines():
    for n in range(count):
        if word == "half-way" and n == count // 2:
            os.kill(os.getpid(), signal.SIGKILL)
        yield Line(f"u{n}@x.example")
with store.taking_in(Terms("import list.csv", datetime(2026, 11, 21, tzinfo=UTC))) as intake:
    intake.add(lines())
    intake.commit()
"""


@pytest.mark.parametrize("word", ["half-way", "staged", "INSERT INTO suppression_journal", "INSERT INTO suppression ("])
def test_killed_and_run_again(store: Store, database_url: str, now: datetime, word: str) -> None:
    """Nothing of it is there; the second run brings all, once."""
    commit(store, change("u3@x.example", now, category="complaint"))
    killed = subprocess.run([sys.executable, "-c", KILLED, database_url, word, "9000"], timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [e.address for e in store.suppressions()] == ["u3@x.example"]
    assert_consistent(store)

    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", KILLED, database_url, "never", "9000"], timeout=60, check=False)
        assert done.returncode == 0

    assert len(list(store.suppressions(SuppressionQuery(category="hard")))) == 8_999
    assert len(store.journal_of("u4@x.example")) == 1
    assert_consistent_counts(store, {"hard": 8_999, "complaint": 1})


ADDRESSES = st.sampled_from(["a@x.example", "b@x.example"])
TIMES = st.none() | st.integers(-20, 20).map(lambda days: datetime.fromisoformat("2026-11-21T12:00:00Z") + days * DAY)
LINES = st.lists(
    st.builds(
        Line,
        address=ADDRESSES,
        category=st.sampled_from(["hard", "soft", "complaint", "unsubscribe", "manual"]),
        scope=st.sampled_from([None, "news"]),
        since=TIMES,
        until=TIMES,
        passing=st.booleans(),
    ),
    max_size=6,
)
LIFE = st.lists(
    st.builds(
        change,
        address=ADDRESSES,
        at=TIMES.filter(bool),
        move=st.sampled_from([Move.SUPPRESS, Move.SUPPRESS, Move.RELEASE]),
        until=TIMES,
        scope=st.sampled_from(["*", "news"]),
        category=st.sampled_from(["hard", "soft", "complaint"]),
    ),
    max_size=4,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(life=LIFE, lines=LINES)
def test_any_list_upon_any_past(store: Store, now: datetime, life: Sequence[Change], lines: Sequence[Line]) -> None:
    """State and counts follow from the journal; the order of the lines does not matter; again changes nothing."""
    forget(store)
    commit(store, *life)
    taken = take(store, now, *lines)
    first = [replace(e, why="") for e in store.suppressions()]

    assert sum(
        taken.added.values()
    ) + taken.strengthened + taken.known + taken.released + taken.over + taken.repeated == len(lines)
    again = take(store, now, *reversed(lines))
    assert again.changed == 0
    assert [replace(e, why="") for e in store.suppressions()] == first


def forget(store: Store) -> None:
    """Empty the tables past their triggers, which a test may."""
    from sqlalchemy import text

    with store._write() as connection:
        if store.is_sqlite:
            connection.execute(text("DROP TRIGGER IF EXISTS suppression_journal_keeps"))
            connection.execute(text("DELETE FROM suppression_journal"))
        else:
            connection.execute(text("ALTER TABLE suppression_journal DISABLE TRIGGER USER"))
            connection.execute(text("TRUNCATE suppression_journal"))
        connection.execute(text("DELETE FROM suppression"))
        connection.execute(text("DELETE FROM suppression_count"))


def test_who_was_forgotten_is_not_named_again(store: Store, now: datetime) -> None:
    """What stands for the person takes the line, without the words that may name them."""
    store.pseudonym = lambda address: "hmac:" + hashlib.sha256(address.encode()).hexdigest()
    name = store.pseudonym("a@x.example")
    commit(store, change(name, now, category="hard"))

    assert take(store, now, Line("a@x.example", "hard"), Line("b@x.example")) == Taken(added={"hard": 1}, known=1)
    assert take(store, now, Line("a@x.example", "complaint", why="a@x.example complained")) == Taken(strengthened=1)
    assert [(e.address, e.category, e.why) for e in store.suppressions()] == [
        ("b@x.example", "hard", "their list"),
        (name, "complaint", ""),
    ]
    assert store.journal_of("a@x.example") == []
