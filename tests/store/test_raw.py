"""Raw evidence comes with its events, once, and is found again."""

from datetime import datetime, timedelta

import pytest

from bounced.keeping import keep, octets
from bounced.model import Kept, RawMessage
from bounced.store import EventQuery, Retention, Store
from tests.store.conftest import event, place


def kept(number: int, at: datetime) -> Kept:
    content = b"Subject: report %d\n\nno such user\n" % number
    return keep(RawMessage(place(number), content, len(content), at), at, 10_000)


def test_it_is_kept_once_and_found_by_digest_and_time(store: Store, now: datetime) -> None:
    """The first stays, whatever comes later; the oldest is shown first."""
    reports = [kept(n, now + timedelta(minutes=n)) for n in range(450)]
    with store.begin() as tx:
        tx.keep(reports)
    with store.begin() as tx:
        tx.keep([kept(3, now + timedelta(days=1))])

    assert store.kept(reports[3].digest) == reports[3]
    assert store.kept("0" * 64) is None
    until = now + timedelta(minutes=449)
    assert [k for page in store.kept_between(now, until) for k in page] == reports[:449]
    assert store.kept_amount(now, until) == 449


def test_it_goes_with_the_transaction(store: Store, now: datetime) -> None:
    """What was not committed is not kept."""
    with pytest.raises(ZeroDivisionError), store.begin() as tx:
        tx.keep([kept(1, now)])
        raise ZeroDivisionError

    assert store.kept(kept(1, now).digest) is None


def test_it_has_its_own_end(store: Store, now: datetime) -> None:
    """Events stay when their reports go."""
    with store.begin() as tx:
        tx.keep([kept(1, now - timedelta(days=91)), kept(2, now - timedelta(days=89))])
        tx.record([event(1, now - timedelta(days=91))])

    assert store.forget(now, Retention(evidence=90)).evidence == 1

    assert store.kept(kept(1, now).digest) is None
    assert octets(store.kept(kept(2, now).digest) or kept(9, now)).startswith(b"Subject: report 2")
    assert store.event(event(1, now).id) is not None


def test_superseded_events_count_no_more_and_can_still_be_seen(store: Store, now: datetime) -> None:
    """The same evidence never counts twice."""
    old, new = event(1, now), event(2, now, address="user1@example.org", digest=event(1, now).digest)
    with store.begin() as tx:
        tx.record([old, new])
        tx.supersede({old.id: new.id})
        assert tx.recorded([old.key, new.key, "none"]) == {old.key: None, new.key: new.id}

    assert [e.id for e in store.histories(["user1@example.org"], now)["user1@example.org"].events] == [new.id]
    assert {e.superseded_by for e in store.events(EventQuery(superseded=True))} == {None, new.id}
    assert list(store.events()) == [new]
    assert store.events_of_messages([old.digest]) == {old.digest: [new]}
