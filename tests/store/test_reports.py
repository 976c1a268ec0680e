"""Figures agree to the unit, counted in advance or not, whatever happens to the past, on either database."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bounced.model import (
    By,
    Category,
    Disposition,
    Event,
    Fault,
    Figure,
    Figures,
    Kind,
    Move,
    Only,
    Outcome,
    Reason,
    ReportQuery,
    Tags,
)
from bounced.store import Erasure, Retention, Store
from bounced.store.report_tables import combination, mark, slot_count
from bounced.store.tables import event as event_table
from tests.store.conftest import change, event, place

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Chatham")
#: Days around the end of summer time in Berlin and New York.
FIRST, LAST = date(2026, 10, 22), date(2026, 11, 3)
#: The same with whole blocks of days around it.
LONG = date(2026, 7, 1), date(2027, 2, 3)
NOW = datetime(2026, 11, 4, 12, tzinfo=UTC)
_START = datetime(2026, 10, 21, tzinfo=UTC)

_kinds = st.sampled_from(
    [
        (Kind.BOUNCE, Category.HARD, Reason.MAILBOX_UNKNOWN, Fault.RECIPIENT),
        (Kind.BOUNCE, Category.SOFT, Reason.MAILBOX_FULL, Fault.RECIPIENT),
        (Kind.BOUNCE, Category.SOFT, Reason.CONTENT_BLOCK, Fault.MESSAGE),
        (Kind.COMPLAINT, Category.COMPLAINT, Reason.ABUSE, Fault.MESSAGE),
        (Kind.AUTO_REPLY, None, None, Fault.NONE),
        (Kind.DELAYED, None, None, Fault.NONE),
    ]
)
_tags = st.builds(
    Tags,
    campaign=st.sampled_from([None, "spring", "autumn", 'a "quoted" one']),
    list=st.sampled_from([None, "news"]),
    categories=st.sampled_from([(), ("promo",), ("promo", 'x"promo'), ("%", "_")]),
)
_facts = st.lists(
    st.tuples(
        st.integers(0, 14 * 96),
        _kinds,
        _tags,
        st.sampled_from([None, "google", "yahoo"]),
        st.sampled_from(["ann@a.example", "bob@b.example", None]),
        st.sampled_from(["bounces", "other"]),
    ),
    max_size=40,
)


def events_from(drawn: list[Any]) -> list[Event]:
    made = []
    for number, (quarter, (kind, category, reason, fault), tags, provider, address, mailbox) in enumerate(drawn):
        told: dict[str, Any] = {"kind": kind, "category": category, "reason": reason, "fault": fault, "tags": tags}
        told |= {"provider": provider, "address": address, "place": place(number, mailbox=mailbox)}
        made.append(event(number, _START + timedelta(minutes=15 * quarter, seconds=number), **told))
    return made


Rows = dict[str | None, Counter[Figure]]
_FIGURES = {
    Category.HARD: Figure.HARD,
    Category.SOFT: Figure.SOFT,
    Category.COMPLAINT: Figure.COMPLAINTS,
    None: Figure.AUTO_REPLIES,
}


def counted_by_hand(events: list[Event], query: ReportQuery) -> tuple[Rows, Counter[Figure]]:
    """Return what a person with paper and pencil would."""
    rows: Rows = {}
    total: Counter[Figure] = Counter()
    for each in events:
        figure = None if each.kind is Kind.DELAYED else _FIGURES[each.category]
        day = each.at.astimezone(ZoneInfo(query.timezone)).date()
        told: dict[str, Any] = {
            "campaign": each.tags.campaign,
            "list": each.tags.list,
            "provider": each.provider,
            "domain": each.address.partition("@")[2] if each.address else None,
            "reason": each.reason,
            "fault": each.fault,
            "rule": each.rule,
            "mailbox": each.place.mailbox,
            "day": day.isoformat(),
        }
        given_ = query.only.given()
        category = given_.pop("category", None)
        if figure is None or not query.first <= day <= query.last or any(told[k] != v for k, v in given_.items()):
            continue
        if category is not None and category not in each.tags.categories:
            continue
        total[figure] += 1
        for key in (each.tags.categories or (None,)) if query.by is By.CATEGORY else (told[query.by.value],):
            rows.setdefault(key, Counter())[figure] += 1
    return rows, total


def seen(figures: Figures) -> Counter[Figure]:
    return Counter({figure: amount for figure, amount in figures.counts.items() if amount})


def agrees(store: Store, query: ReportQuery, events: list[Event]) -> None:
    rows, total = counted_by_hand(events, query)
    for counted in (True, False):
        found = store.report(query, counted=counted)
        assert {row.key: seen(row.figures) for row in found.rows if seen(row.figures)} == rows
        assert seen(found.total.figures) == total


_only = st.builds(
    Only,
    campaign=st.sampled_from([None, None, "spring", 'a "quoted" one']),
    category=st.sampled_from([None, None, "promo", "%"]),
    provider=st.sampled_from([None, None, "google"]),
    reason=st.sampled_from([None, None, "mailbox_full"]),
    domain=st.sampled_from([None, None, None, "a.example"]),
)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@given(
    drawn=_facts,
    late=st.integers(0, 40),
    until=st.integers(0, 15),
    superseded=st.sets(st.integers(0, 39), max_size=5),
    zone=st.sampled_from(ZONES),
    by=st.sampled_from(list(By)),
    only=_only,
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_counted_in_advance_is_what_is_counted_by_hand(
    kind: str, emptied: Callable[[str], Store], drawn: list[Any], late: int, until: int, superseded: set[int],
    zone: str, by: By, only: Only,
) -> None:  # fmt: skip
    """Some events come before the counting, some behind its mark, some count no more after it."""
    store, events = emptied(kind), events_from(drawn)
    with store.begin() as tx:
        tx.record(events[late:])
    store.roll_up(_START + timedelta(days=until))
    with store.begin() as tx:
        tx.record(events[:late])
        tx.supersede({events[n].id: "replay" for n in superseded if n < len(events)})
    left = [each for number, each in enumerate(events) if number not in superseded]
    query = ReportQuery(FIRST, LAST, by, zone, only)

    agrees(store, ReportQuery(*LONG, by, zone, only), left)
    agrees(store, query, left)
    store.roll_up(NOW)
    agrees(store, query, left)


@pytest.fixture(scope="session")
def session_stores() -> Iterator[dict[str, Store]]:
    stores: dict[str, Store] = {}
    yield stores
    for store in stores.values():
        store.close()


@pytest.fixture
def emptied(request: pytest.FixtureRequest, tmp_path: Any, session_stores: dict[str, Store]) -> Callable[[str], Store]:
    """Return what empties the store of one kind of database: one is made for all the examples."""
    from bounced.config import Database
    from bounced.store.report_tables import block_count, day_count
    from bounced.store.tables import journal, message

    def empty(kind: str) -> Store:
        if kind not in session_stores:
            url = f"sqlite:///{tmp_path}/b.db" if kind == "sqlite" else request.getfixturevalue("postgres").database()
            session_stores[kind] = Store.open(Database(url=url))
            session_stores[kind].upgrade()
        store = session_stores[kind]
        with store._write() as connection:
            for table in (event_table, message, combination, slot_count, day_count, block_count, mark):
                connection.execute(table.delete())
            assert not connection.execute(select(journal.c.seq)).all()
        return store

    return empty


def report(store: Store, by: By = By.DAY, first: date = FIRST, last: date = LAST) -> dict[str | None, Figures]:
    return {row.key: row.figures for row in store.report(ReportQuery(first, last, by)).rows}


def test_the_journal_and_the_quarantine_are_counted_once(store: Store) -> None:
    """What was suppressed, released and ran out, by the event that caused it; what nobody could read, by mailbox."""
    at = datetime(2026, 10, 25, 10, tzinfo=UTC)
    cause = event(1, at, tags=Tags("spring"), provider="google")
    with store.begin() as tx:
        tx.record([cause])
        tx.journal([change("user1@example.org", at, event_id=cause.id), change("b@b.example", at)])
        tx.journal([change("b@b.example", at, Move.RELEASE), change("user1@example.org", at, Move.DISPUTE)])
        tx.settle([(Outcome(place(9), Disposition.QUARANTINE), "d1"), (Outcome(place(8), Disposition.LEFT), "d2")])
    today = datetime.now(UTC).date()
    expected = {"spring": (1, 1, 0), None: (0, 1, 1)}

    for _ in range(3):
        found = report(store, By.CAMPAIGN)
        assert {key: (row.hard, row.suppressed, row.released) for key, row in found.items()} == expected
        assert report(store, By.DOMAIN)["b.example"] == Figures(suppressed=1, released=1)
        assert report(store, By.MAILBOX, first=today, last=today)["bounces"].unreadable == 1
        store.roll_up(datetime.now(UTC) + timedelta(days=1))


def test_what_was_counted_in_other_families_is_counted_anew(store: Store) -> None:
    """No report is made of the old counts, no event goes, and nothing is counted twice."""
    at = datetime(2026, 10, 25, 10, tzinfo=UTC)
    with store.begin() as tx:
        tx.record([event(n, at, provider="google") for n in range(3)])
        tx.journal([change("b@b.example", at)])
    store.roll_up(NOW)
    before = report(store, By.PROVIDER)
    with store._write() as connection:
        connection.execute(mark.update().values(families="others"))
        connection.execute(slot_count.update().values(amount=99))

    assert store.counted_until() is None
    assert report(store, By.PROVIDER) == before
    store.roll_up(NOW)
    assert store.counted_until() is not None
    assert report(store, By.PROVIDER) == before
    assert before["google"].hard == 3


def test_events_go_and_figures_stay(store: Store) -> None:
    """Retention deletes events, not what they were counted as; a person who is erased leaves no domain behind."""
    old = datetime(2026, 10, 25, 10, tzinfo=UTC)
    with store.begin() as tx:
        tx.record([event(n, old, address=f"u{n}@example.org") for n in range(3)])
        tx.journal([change("ann@only-hers.example", old)])
        tx.record([event(7, old, address="ann@only-hers.example", provider="google")])
    store.roll_up(NOW)
    before = report(store)

    store.erase(Erasure("ann@only-hers.example", "me", "wished", NOW))
    by_domain = report(store, By.DOMAIN)
    assert {key: (row.hard, row.suppressed) for key, row in by_domain.items()} == {"example.org": (3, 0), None: (1, 1)}
    with store._read() as connection:
        named = connection.scalars(select(combination.c.domain).where(combination.c.domain.is_not(None))).all()
    assert set(named) == {"example.org"}

    assert store.forget(old + timedelta(days=90), Retention(events=61)).events == 4
    assert report(store) == before
    assert {key: row.hard for key, row in report(store, By.DOMAIN).items()} == {"example.org": 3, None: 1}


def test_a_span_is_compared_with_the_one_before(store: Store) -> None:
    """As many days, each with the day as far into its span; a whole month with the month before."""
    at = datetime(2026, 10, 25, 10, tzinfo=UTC)
    with store.begin() as tx:
        tx.record([event(1, at), event(2, at - timedelta(days=2)), event(3, at - timedelta(days=2, hours=1))])
    found = store.report(ReportQuery(date(2026, 10, 24), date(2026, 10, 25), compare=True))

    assert [row.key for row in found.rows] == ["2026-10-24", "2026-10-25"]
    assert [(row.figures.hard, row.before and row.before.hard) for row in found.rows] == [(0, 0), (1, 2)]
    assert (found.total.figures.hard, found.total.before and found.total.before.hard) == (1, 2)
    month = ReportQuery(date(2026, 3, 1), date(2026, 3, 31))
    assert month.before() == (date(2026, 2, 1), date(2026, 2, 28))


def test_a_zone_that_nobody_knows(store: Store) -> None:
    """Neither a name that is none, nor a path."""
    for name in ("Europe/Nowhere", "../etc/passwd", "", "Europe"):
        with pytest.raises(ValueError, match="time zone"):
            store.report(ReportQuery(FIRST, LAST, timezone=name))
