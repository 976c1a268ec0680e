"""Events by what they say, newest first, page by page."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bounced.model import Category, Fault, Kind, Reason, Tags, Trust
from bounced.store import EventQuery, Store, cursor_of
from tests.store.conftest import event, place

HOUR = timedelta(hours=1)


@pytest.fixture
def full(store: Store, now: datetime) -> Store:
    """1,300 events, 100 an hour; some of them are special."""
    events = [event(n, now - (n // 100) * HOUR, provider="google" if n % 2 else None) for n in range(1300)]
    events[7] = replace(events[7], category=Category.SOFT, reason=Reason.MAILBOX_FULL, fault=Fault.PROVIDER)
    events[8] = replace(events[8], tags=Tags("autumn", "news"), kind=Kind.COMPLAINT, trust=Trust.SIGNED)
    events[9] = replace(events[9], address="ann@example.org", rule="full.prose", place=place(9, mailbox="fbl"))
    with store.begin() as tx:
        tx.record(events)
    return store


def test_each_condition_narrows(full: Store) -> None:
    """To the unit."""
    counts = [
        (EventQuery(), 1300),
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
    ]

    assert [(query, len(list(full.events(query)))) for query, _ in counts] == counts


def test_a_range_has_its_beginning_and_not_its_end(full: Store, now: datetime) -> None:
    """So that days put side by side count every event once."""
    hours = [
        len(list(full.events(EventQuery(since=now - (n + 1) * HOUR, until=now - n * HOUR)))) for n in range(-1, 12)
    ]

    assert hours == [100] * 13


def test_newest_first_and_every_one_once(full: Store) -> None:
    """Also where a hundred share their moment and pages end among them."""
    found = list(full.events())

    assert [(e.at, e.id) for e in found] == sorted(((e.at, e.id) for e in found), reverse=True)
    assert len({e.id for e in found}) == 1300


def test_pages_do_not_shift_when_events_come_in(full: Store, now: datetime) -> None:
    """The second page goes on where the first ended."""
    first = list(full.events(EventQuery(limit=250)))
    with full.begin() as tx:
        tx.record([event(n, now + HOUR) for n in range(5000, 5040)])
    second = list(full.events(EventQuery(limit=250, cursor=cursor_of(first[-1]))))
    everything = [e.id for e in full.events()]

    assert [e.id for e in first + second] == everything[40:540]


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
        assert index in plans[0], query
