"""Who is suppressed, in which scope, until when; what other programs see of it."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounced.model import Change, Move, Suppression
from bounced.store import Store, SuppressionQuery
from bounced.store.state import add_up
from tests.store.conftest import change

DAY = timedelta(days=1)


def commit(store: Store, *changes: Change) -> None:
    with store.begin() as tx:
        tx.journal(changes)


class TestLookUp:
    """The question that every sender asks before a mail."""

    def test_everywhere_covers_every_scope_and_not_the_other_way_round(self, store: Store, now: datetime) -> None:
        """A dead address is dead for all; who left one list did not leave the others."""
        commit(store, change("dead@x.example", now), change("left@x.example", now, scope="news"))
        asked = ["dead@x.example", "left@x.example", "well@x.example"]

        assert set(store.suppressed(asked, now=now)) == {"dead@x.example"}
        assert set(store.suppressed(asked, "news", now)) == {"dead@x.example", "left@x.example"}
        assert set(store.suppressed(asked, "offers", now)) == {"dead@x.example"}

    def test_the_wider_entry_is_the_one_returned(self, store: Store, now: datetime) -> None:
        """Releasing the other would not help."""
        commit(store, change("a@x.example", now, scope="news"), change("a@x.example", now, scope="*"))

        assert store.suppressed(["a@x.example"], "news", now)["a@x.example"].scope == "*"

    def test_what_ran_out_does_not_hold_though_it_still_stands(self, store: Store, now: datetime) -> None:
        """To the microsecond: `until` itself is free."""
        commit(store, change("a@x.example", now, until=now + DAY))
        tick = timedelta(microseconds=1)

        assert "a@x.example" in store.suppressed(["a@x.example"], now=now + DAY - tick)
        assert store.suppressed(["a@x.example"], now=now + DAY) == {}
        assert [s.address for s in store.expired(now + DAY)] == ["a@x.example"]
        assert store.expired(now + DAY - tick) == []

    def test_ten_thousand_at_once(self, store: Store, now: datetime) -> None:
        """One statement, whatever the databases think of so many parameters."""
        commit(store, *(change(f"u{n}@x.example", now) for n in range(0, 10_000, 2)))
        found = store.suppressed([f"u{n}@x.example" for n in range(10_000)], "news", now)

        assert len(found) == 5_000
        assert "u1@x.example" not in found

    def test_an_entry_comes_back_as_it_was(self, store: Store, now: datetime) -> None:
        """Every field."""
        line = change("a@x.example", now, scope="news", until=now + DAY, event_id="ev_1", why="Größe", actor="ann")
        commit(store, line)

        assert store.suppressed(["a@x.example"], "news", now) == {
            "a@x.example": Suppression(
                "a@x.example", "news", "hard", "mailbox_unknown", now, now + DAY, "ev_1", "Größe", "ann"
            )
        }

    def test_nobody(self, store: Store) -> None:
        """An empty question has an empty answer."""
        assert store.suppressed([]) == {}


class TestListing:
    """All entries, some of them, page by page."""

    @pytest.fixture
    def full(self, store: Store, now: datetime) -> Store:
        commit(
            store,
            *(
                change(f"u{n:04}@x.example", now + n * DAY, until=now + 2000 * DAY if n % 2 else None)
                for n in range(1200)
            ),
            change("ann@mail.example", now, category="complaint", reason="abuse", scope="news"),
            change("ann@x_example", now),
        )
        return store

    def test_all_in_order(self, full: Store) -> None:
        """By address and scope, over several pages."""
        found = [(s.address, s.scope) for s in full.suppressions()]

        assert len(found) == 1202
        assert found == sorted(found)

    def test_some(self, full: Store) -> None:
        """Each condition narrows, to the unit."""
        counts = [
            (SuppressionQuery(scope="news"), 1),
            (SuppressionQuery(category="complaint"), 1),
            (SuppressionQuery(reason="mailbox_unknown"), 1201),
            (SuppressionQuery(domain="x.example"), 1200),
            (SuppressionQuery(domain="x_example"), 1),
            (SuppressionQuery(limit=600), 600),
            (SuppressionQuery(limit=0), 0),
            (SuppressionQuery(limit=1000), 1000),
            (SuppressionQuery(after=("u1198@x.example", "*")), 1),
            (SuppressionQuery(after=("u1198@x.example", ")")), 2),
            (SuppressionQuery(since=datetime(2026, 11, 22, tzinfo=UTC)), 1199),
            (SuppressionQuery(before=datetime(2026, 11, 22, tzinfo=UTC)), 3),
            (SuppressionQuery(holding_at=datetime(2126, 1, 1, tzinfo=UTC)), 602),
        ]

        assert [(query, len(list(full.suppressions(query)))) for query, _ in counts] == counts

    def test_a_reader_may_stop_and_writers_go_on(self, full: Store, now: datetime) -> None:
        """A listing holds no lock between its pages."""
        listing = full.suppressions()
        assert next(listing).address == "ann@mail.example"
        commit(full, change("u0001@x.example", now, Move.RELEASE), change("zoe@x.example", now))
        rest = [s.address for s in listing]

        assert rest[-1] == "zoe@x.example"


class TestJournal:
    """What was done stays written."""

    def test_it_only_grows(self, store: Store, now: datetime) -> None:
        """The databases themselves refuse, whoever asks."""
        from sqlalchemy import text
        from sqlalchemy.exc import DBAPIError

        wiping = {
            True: "INSERT OR REPLACE INTO suppression_journal SELECT * FROM suppression_journal",
            False: "TRUNCATE suppression_journal",
        }[store.is_sqlite]
        commit(store, change("a@x.example", now))
        for statement in (
            "UPDATE suppression_journal SET why = 'never mind'",
            "DELETE FROM suppression_journal",
            wiping,
        ):
            with pytest.raises(DBAPIError, match="append-only"), store._write() as connection:
                connection.execute(text(statement))

        assert [c.why for c in store.journal_of("a@x.example")] == ["dead"]

    def test_release_keeps_the_evidence(self, store: Store, now: datetime) -> None:
        """The line that suppressed is still there, with who lifted it and why."""
        lift = change("a@x.example", now + DAY, Move.RELEASE, why="called us", actor="ann")
        commit(store, change("a@x.example", now, event_id="ev_1"))
        commit(store, lift)

        assert store.suppressed(["a@x.example"], now=now + DAY) == {}
        assert store.journal_of("a@x.example") == [change("a@x.example", now, event_id="ev_1"), lift]


class TestView:
    """`suppressed`, which Postfix and other programs read without us."""

    @pytest.fixture
    def ask(self, store: Store, database_url: str) -> Callable[[str], list[list[str]]]:
        """Return what runs SQL in the database's own client."""
        if store.is_sqlite:
            command = ["sqlite3", "-readonly", "-separator", "\t", str(store.file)]
        else:
            command = ["psql", "-X", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", database_url, "-c"]

        def run(sql: str) -> list[list[str]]:
            done = subprocess.run([*command, sql], capture_output=True, text=True, timeout=30, check=False)
            assert done.returncode == 0, done.stderr
            return [line.split("\t") for line in done.stdout.splitlines()]

        return run

    def test_shows_what_holds_now(self, store: Store, ask: Callable[[str], list[list[str]]]) -> None:
        """Neither what was released nor what ran out, though nobody swept it away yet."""
        now = datetime.now(UTC)
        commit(
            store,
            change("dead@x.example", now),
            change("full@x.example", now, until=now + DAY, category="soft", reason="mailbox_full", scope="news"),
            change("over@x.example", now - DAY, until=now - timedelta(seconds=2)),
            change("free@x.example", now - DAY),
            change("free@x.example", now, Move.RELEASE),
        )
        for view in ("suppressed", "suppressed_v1"):
            assert ask(f"SELECT address, scope, category, reason FROM {view} ORDER BY address") == [
                ["dead@x.example", "*", "hard", "mailbox_unknown"],
                ["full@x.example", "news", "soft", "mailbox_full"],
            ]

    def test_its_times_compare_with_the_clock_of_the_database(
        self, store: Store, ask: Callable[[str], list[list[str]]]
    ) -> None:
        """As SQL of a map would write it, in UTC."""
        since = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        commit(store, change("a@x.example", since, until=datetime(2199, 1, 1, tzinfo=UTC)))
        clock = "datetime('now')" if store.is_sqlite else "now()"
        shown = "since" if store.is_sqlite else "to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"

        assert ask(f"SELECT {shown} FROM suppressed WHERE until > {clock}") == [["2026-01-02 03:04:05"]]
        assert ask(f"SELECT address FROM suppressed WHERE until < {clock}") == []

    def test_asks_the_index(self, store: Store, ask: Callable[[str], list[list[str]]]) -> None:
        """A look-up by address stays one when the table is large."""
        question = "SELECT reason FROM suppressed WHERE address = 'a@x.example' AND scope IN ('*', 'news')"
        if store.is_sqlite:
            plan = ask(f"EXPLAIN QUERY PLAN {question}")
            assert "PRIMARY KEY (address=? AND scope=?)" in str(plan)
        else:
            plan = ask(f"SET enable_seqscan = off; EXPLAIN {question}")
            assert "pk_suppression" in str(plan)


MOMENTS = st.integers(0, 20).map(lambda hours: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours))
CHANGES = st.builds(
    Change,
    address=st.sampled_from(["a@x.example", "b@x.example"]),
    scope=st.sampled_from(["*", "news"]),
    move=st.sampled_from(Move),
    at=MOMENTS,
    category=st.just("hard"),
    reason=st.just("mailbox_unknown"),
    why=st.text(max_size=3),
    until=st.none() | MOMENTS,
)


@given(st.lists(CHANGES), st.integers(0, 9))
def test_the_state_does_not_depend_on_how_the_journal_was_cut_into_batches(changes: list[Change], size: int) -> None:
    """One batch of all, or many small ones: the same entries and the same lines."""

    def state(batches: list[list[Change]]) -> tuple[dict[tuple[str, str], Suppression], list[Change]]:
        entries: dict[tuple[str, str], Suppression] = {}
        lines: list[Change] = []
        for batch in batches:
            after, written = add_up(entries, batch)
            lines += written
            entries |= {key: entry for key, entry in after.items() if entry}
            entries = {key: entry for key, entry in entries.items() if after.get(key, entry)}
        return entries, lines

    step = size + 1
    assert state([changes]) == state([changes[i : i + step] for i in range(0, len(changes), step)])


def test_a_mistyped_path_makes_no_new_database(tmp_path: Path, open_store: Callable[..., Store]) -> None:
    """A look-up in nothing must not answer "not suppressed"."""
    from bounced.errors import StoreDown

    missing = tmp_path / "elsewhere.db"
    with pytest.raises(StoreDown, match="bounced db upgrade"):
        open_store(url=f"sqlite:///{missing}").suppressed(["a@x.example"])
    assert not missing.exists()
