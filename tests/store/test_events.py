"""Events by what they say, newest first, page by page."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from bounced.model import Category, Fault, Kind, Reason, Tags, Trust
from bounced.store import Erasure, EventQuery, Retention, Store, cursor_of
from bounced.store.patience import within
from bounced.store.tables import event_tag
from tests.store.conftest import event, place

HOUR = timedelta(hours=1)


@pytest.fixture
def full(store: Store, now: datetime) -> Store:
    """1,300 events, 100 an hour; some of them are special."""
    events = [event(n, now - (n // 100) * HOUR, provider="google" if n % 2 else None) for n in range(1300)]
    events[7] = replace(events[7], category=Category.SOFT, reason=Reason.MAILBOX_FULL, fault=Fault.PROVIDER)
    events[8] = replace(
        events[8], tags=Tags("autumn", "news", ("red", "a;=1")), kind=Kind.COMPLAINT, trust=Trust.SIGNED
    )
    events[9] = replace(events[9], address="ann@example.org", rule="full.prose", place=place(9, mailbox="fbl"))
    events[10] = replace(events[10], kind=Kind.AUTO_REPLY, category=None, reason=None, fault=Fault.NONE)
    events[11] = replace(events[11], address="Ünal.o'neil@example.net", provider="google")
    events[12] = replace(events[12], tags=Tags(categories=("red", "red", "blue")), superseded_by="ev_13")
    with store.begin() as tx:
        tx.record(events)
    return store


def test_each_condition_narrows(full: Store) -> None:
    """To the unit."""
    counts = [
        (EventQuery(), 1299),
        (EventQuery(superseded=True), 1300),
        (EventQuery(limit=700), 700),
        (EventQuery(limit=0), 0),
        (EventQuery(category="soft"), 1),
        (EventQuery(reason="mailbox_full"), 1),
        (EventQuery(reason="mailbox_full", category="hard"), 0),
        (EventQuery(fault="provider"), 1),
        (EventQuery(campaign="autumn"), 1),
        (EventQuery(list="news"), 1),
        (EventQuery(kind="complaint"), 1),
        (EventQuery(trust="signed"), 1),
        (EventQuery(address="ann@example.org"), 1),
        (EventQuery(rule="full.prose"), 1),
        (EventQuery(mailbox="fbl"), 1),
        (EventQuery(provider="google"), 650),
        (EventQuery(failed=True), 1298),
        (EventQuery(failed=True, kind="auto_reply"), 0),
        (EventQuery(domain="example.net"), 1),
        (EventQuery(domain="example.org"), 1298),
        (EventQuery(domain="example.org", provider="google", mailbox="fbl"), 1),
        (EventQuery(begins="user129"), 11),
        (EventQuery(begins="user"), 1297),
        (EventQuery(begins="user129", provider="google", reason="mailbox_unknown"), 6),
        (EventQuery(begins="Ünal"), 1),
        (EventQuery(begins="%"), 0),
        (EventQuery(tag="red"), 1),
        (EventQuery(tag="red", superseded=True), 2),
        (EventQuery(tag="red", list="news", trust="signed", begins="user8"), 1),
        (EventQuery(tag="a;=1"), 1),
        (EventQuery(tag="blue", provider="google"), 0),
    ]

    assert [(query, len(list(full.events(query)))) for query, _ in counts] == counts


def test_a_range_has_its_beginning_and_not_its_end(full: Store, now: datetime) -> None:
    """So that days put side by side count every event once."""
    hours = [(now - (n + 1) * HOUR, now - n * HOUR) for n in range(-1, 12)]
    queries = (EventQuery(since=since, until=until, superseded=True) for since, until in hours)

    assert [len(list(full.events(query))) for query in queries] == [100] * 13


@pytest.mark.parametrize(
    ("query", "amount"),
    [
        (EventQuery(), 1299),
        (EventQuery(category="hard", provider="google"), 649),
        (EventQuery(begins="user"), 1297),
        (EventQuery(tag="every"), 700),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else None,
)
def test_in_order_of_time_and_every_one_once(full: Store, now: datetime, query: EventQuery, amount: int) -> None:
    """Also where a hundred share their moment and pages end among them; the oldest first is just the reverse."""
    if query.tag:
        with full.begin() as tx:
            some = (event(n, now - (n // 100) * HOUR, tags=Tags(categories=("every",))) for n in range(2000, 2700))
            tx.record(list(some))
    found = list(full.events(query))

    assert [(e.at, e.id) for e in found] == sorted(((e.at, e.id) for e in found), reverse=True)
    assert len({e.id for e in found}) == len(found) == amount
    assert list(full.events(replace(query, oldest=True))) == found[::-1]
    assert list(full.events(replace(query, oldest=True, cursor=cursor_of(found[9])))) == found[8::-1]


def test_pages_do_not_shift_when_events_come_in(full: Store, now: datetime) -> None:
    """The second page goes on where the first ended."""
    first = list(full.events(EventQuery(limit=250)))
    with full.begin() as tx:
        tx.record([event(n, now + HOUR) for n in range(5000, 5040)])
    second = list(full.events(EventQuery(limit=250, cursor=cursor_of(first[-1]))))
    everything = [e.id for e in full.events()]

    assert [e.id for e in first + second] == everything[40:540]


def test_a_tag_goes_with_its_event(full: Store, now: datetime) -> None:
    """When it is too old to be kept, or its address is forgotten."""
    full.erase(Erasure("user8@example.org", "test", "wish", now))
    assert [e.address for e in full.events(EventQuery(tag="red"))] == [None]

    full.forget(now + 30 * HOUR, Retention(events=1))

    with full._read() as connection:
        assert connection.execute(select(event_tag)).all() == []


def test_a_cursor_that_is_none(store: Store) -> None:
    """The caller's mistake, in words that can be shown."""
    for cursor in ("", "x", "2026-13-01_ev_1", "_"):
        with pytest.raises(ValueError, match="no cursor of an event"):
            list(store.events(EventQuery(cursor=cursor)))


def test_large_tables_are_asked_by_index(store: Store) -> None:
    """No page of events reads the whole table, or sorts it."""
    from sqlalchemy import event as listen

    indexes = [
        (EventQuery(), "ix_event_at"),
        (EventQuery(address="a@x.example"), "ix_event_address_at"),
        (EventQuery(campaign="autumn"), "ix_event_campaign_at"),
        (EventQuery(list="news"), "ix_event_list_at"),
        (EventQuery(reason="expired"), "ix_event_reason_at"),
        (EventQuery(provider="google"), "ix_event_provider_at"),
        (EventQuery(domain="x.example"), "ix_event_domain_at"),
        (EventQuery(rule="r"), "ix_event_rule_at"),
        (EventQuery(mailbox="m"), "ix_event_mailbox_at"),
        (EventQuery(category="hard"), "ix_event_category_at"),
        (EventQuery(fault="sender"), "ix_event_fault_at"),
        (EventQuery(kind="delayed"), "ix_event_kind_at"),
        (EventQuery(tag="red"), "event_tag"),
        (EventQuery(oldest=True), "ix_event_at"),
        (EventQuery(begins="ann"), "ix_event_address_at"),
    ]
    plans: list[str] = []

    def explain(
        connection: object, cursor: object, statement: str, parameters: object, context: object, many: object
    ) -> None:
        word = "EXPLAIN QUERY PLAN " if store.is_sqlite else "EXPLAIN "
        look = connection.connection.cursor()  # type: ignore[attr-defined]
        if not store.is_sqlite:
            look.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        look.execute(word + statement, parameters)
        plans.append(str(look.fetchall()))

    listen.listen(store._engine, "before_cursor_execute", explain)
    for query, index in indexes:
        plans.clear()
        list(store.events(query))
        assert index in plans[-1], query
        assert "SCAN event " not in plans[-1] or "USING INDEX" in plans[-1]


def test_what_takes_too_long_is_given_up(full: Store) -> None:
    """By the database itself; the connection is as good as before."""
    query = EventQuery(limit=50, provider="google")
    assert full.events_page(query, 30) == list(full.events(query))
    assert full.events_amount(query, 1000, 30) == 650
    assert full.events_amount(query, 100, 30) == 100

    with pytest.raises(TimeoutError), full._read() as connection, within(connection, 0.05):
        connection.execute(text(_ENDLESS)).all()

    with full._read() as connection:
        assert connection.execute(text(_ENDLESS.replace("1000000000", "10000"))).scalar() == 10_000
    assert full.events_amount(query, 1000, 30) == 650


_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT max(i) FROM n"
