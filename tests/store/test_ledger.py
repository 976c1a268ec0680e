"""What a transaction of the ledger does, and does only once."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from bounced.model import (
    Action,
    Category,
    DeliveryState,
    Disposition,
    Event,
    Kind,
    Move,
    Outcome,
    Place,
    Reason,
    Suppression,
    Tags,
)
from bounced.store import DeliveryQuery, Store, cursor_of
from tests.store.conftest import change, digest, event, notification, place

FULL = {
    "reported_at": datetime(2026, 11, 20, 8, 30, tzinfo=UTC),
    "final_recipient": "other@example.net",
    "provider": "google",
    "status": "5.1.1",
    "reply_code": "550",
    "action": Action.FAILED,
    "diagnostic": "550 5.1.1 Пользователь не найден 📭",
    "reporting_mta": "mx.example.org",
    "remote_mta": "mx.example.net",
    "feedback_type": "abuse",
    "subtype": "left",
    "message_id": "<a@example.org>",
    "subject": "Größe, 大きさ",
    "tags": Tags("autumn", "news", ("a", "ü"), "marketing"),
    "matched": "не найден",
    "basis": ("status", "text"),
    "disagreed": ("status 5.1.1 against text",),
    "identified_by": "return path",
    "trust_why": "signed for this recipient",
    "decision": "suppressed at once",
    "superseded_by": "ev_0",
}


def test_an_event_comes_back_as_it_was(store: Store, now: datetime) -> None:
    """Every field, to the microsecond, in either database."""
    full, bare = event(1, now, **FULL), event(2, now, category=None, reason=None, address=None)
    assert [f.name for f in fields(Event) if getattr(full, f.name) == f.default] == [], "give it a value here"
    with store.begin() as tx:
        tx.record([full, bare])

    assert store.event(full.id) == full
    assert store.event(bare.id) == bare
    assert store.event("ev_none") is None


def test_fresh_leaves_out_what_is_recorded_and_what_comes_twice(store: Store, now: datetime) -> None:
    """Keys decide, order stays."""
    one, two, three = (event(n, now) for n in (1, 2, 3))
    with store.begin() as tx:
        tx.record(tx.fresh([two]))
    with store.begin() as tx:
        assert tx.fresh([three, two, one, three]) == [three, one]


def test_an_exception_undoes_everything(store: Store, now: datetime) -> None:
    """Events, journal, state, outbox, message ledger: all or nothing."""
    with pytest.raises(RuntimeError), store.begin() as tx:
        tx.record([event(1, now)])
        tx.journal([change("user1@example.org", now)])
        tx.announce([notification(1, now)])
        tx.settle([(Outcome(place(1), Disposition.PROCESSED), digest(1))])
        tx.strike(place(2), digest(2), "boom", now)
        raise RuntimeError("the worker fell over")

    assert list(store.events()) == []
    assert list(store.suppressions()) == []
    assert store.journal_of("user1@example.org") == []
    assert store.deliveries() == []
    assert store.unacked("bounces", "INBOX", 7) == []
    assert store.retries("bounces", "INBOX", 7) == []


def test_a_batch_costs_a_handful_of_statements(store: Store, now: datetime) -> None:
    """As many for 400 messages as for 40."""
    from sqlalchemy import event as listen

    ran: list[str] = []
    store.ping()
    listen.listen(store._engine, "before_cursor_execute", lambda *args: ran.append(args[2]))
    costs = []
    for first, last in ((1000, 1040), (2000, 2400)):
        ran.clear()
        events = [event(n, now) for n in range(first, last)]
        with store.begin() as tx:
            tx.known([(e.place, e.digest) for e in events])
            new = tx.fresh(events)
            tx.histories([e.address for e in new if e.address], now)
            tx.record(new)
            tx.journal([change(e.address, now) for e in new if e.address])
            tx.announce([notification(n, now) for n in range(first, last)])
            tx.settle([(Outcome(e.place, Disposition.PROCESSED), e.digest) for e in new])
        costs.append(len([each for each in ran if "address_form" not in each]))  # that is asked once a second

    assert costs[0] == costs[1] <= 20


class TestMessages:
    """Which messages were settled, and which must come again."""

    def test_known_by_place_and_by_digest(self, store: Store, now: datetime) -> None:
        """Moved back, or in another mailbox: the same bytes have the same outcome."""
        with store.begin() as tx:
            tx.settle(
                [
                    (Outcome(place(1), Disposition.REVIEW), digest(1)),
                    (Outcome(place(2), Disposition.LEFT), digest(2)),
                ]
            )
        elsewhere = Place("other", "INBOX", 1, 99)
        with store.begin() as tx:
            known = tx.known([(place(1), digest(1)), (elsewhere, digest(2)), (place(3), digest(3))])

        assert known == {place(1): Disposition.REVIEW, elsewhere: Disposition.LEFT}

    def test_a_struck_message_is_not_known(self, store: Store, now: datetime) -> None:
        """Strikes count up, then the message is settled for good."""
        with store.begin() as tx:
            assert tx.strike(place(1), digest(1), "boom", now) == 1
            tx.settle([(Outcome(place(1), Disposition.RETRY), digest(1))])
        with store.begin() as tx:
            assert tx.known([(place(1), digest(1)), (place(5), digest(1))]) == {}
            assert store.retries("bounces", "INBOX", 7) == [1]
            assert tx.strike(place(1), digest(1), "boom again", now) == 2
            tx.settle([(Outcome(place(1), Disposition.QUARANTINE, "strike 2"), digest(1))])
        with store.begin() as tx:
            assert tx.known([(place(1), digest(1))]) == {place(1): Disposition.QUARANTINE}

        assert store.retries("bounces", "INBOX", 7) == []
        assert store.unacked("bounces", "INBOX", 7) == [(place(1), Disposition.QUARANTINE)]

    def test_a_late_strike_does_not_reopen_a_settled_message(self, store: Store, now: datetime) -> None:
        """Another daemon came to an end with it while this one's worker fell over."""
        with store.begin() as tx:
            tx.settle([(Outcome(place(1), Disposition.PROCESSED), digest(1))])
        with store.begin() as tx:
            tx.strike(place(1), digest(1), "boom", now)
            tx.settle([(Outcome(place(1), Disposition.RETRY), digest(1))])

        assert store.retries("bounces", "INBOX", 7) == []
        assert store.unacked("bounces", "INBOX", 7) == [(place(1), Disposition.PROCESSED)]

    def test_settled_again_is_to_be_acked_again(self, store: Store) -> None:
        """It was seen once more where it lay: whatever was done about it did not last."""
        settled = [(Outcome(place(1), Disposition.PROCESSED), digest(1))]
        with store.begin() as tx:
            tx.settle(settled)
        store.acked([place(1)])
        assert store.unacked("bounces", "INBOX", 7) == []
        with store.begin() as tx:
            tx.settle(settled)

        assert store.unacked("bounces", "INBOX", 7) == [(place(1), Disposition.PROCESSED)]

    def test_unacked_is_told_by_folder_and_leaves_out_what_stays(self, store: Store) -> None:
        """Mail that is no report has nothing to be done about it."""
        places = [place(1), place(2, folder="Junk"), place(3, uidvalidity=8), place(4)]
        with store.begin() as tx:
            tx.settle([(Outcome(p, Disposition.PROCESSED), digest(p.uid)) for p in places])
            tx.settle([(Outcome(place(5), Disposition.LEFT), digest(5))])

        assert [p.uid for p, _ in store.unacked("bounces", "INBOX", 7)] == [1, 4]
        store.acked([place(4), place(2, folder="Junk")])
        assert [p.uid for p, _ in store.unacked("bounces", "INBOX", 7)] == [1]
        assert store.unacked("bounces", "Junk", 7) == []

    def test_names_longer_than_their_columns(self, store: Store) -> None:
        """What was settled is known again also under a folder name that had to be cut."""
        far = place(1, folder="é" * 3000, mailbox="m" * 200)
        with store.begin() as tx:
            tx.settle([(Outcome(far, Disposition.PROCESSED), digest(1))])
        with store.begin() as tx:
            assert tx.known([(far, "no such digest")]) == {far: Disposition.PROCESSED}


class TestOutboxRows:
    """What `announce` writes."""

    def test_each_endpoint_gets_what_it_wants(self, store: Store, now: datetime) -> None:
        """`*`, a family, one type."""
        with store.begin() as tx:
            tx.announce(
                [
                    notification(1, now, "bounce.hard"),
                    notification(2, now, "bounce.soft"),
                    notification(3, now, "complaint.received"),
                    notification(4, now, "wave.opened"),
                ]
            )
        found = {(d.endpoint, d.notification.type) for d in store.deliveries()}

        assert found == {
            *(("all", t) for t in ("bounce.hard", "bounce.soft", "complaint.received", "wave.opened")),
            *(("bounces", t) for t in ("bounce.hard", "bounce.soft")),
            *(("hard", t) for t in ("bounce.hard", "complaint.received")),
        }

    def test_announced_again_changes_nothing(self, store: Store, now: datetime) -> None:
        """Not in the same call, not in the next, not after it was delivered."""
        with store.begin() as tx:
            tx.announce([notification(1, now), notification(1, now)])
        (first, *_) = store.deliveries(DeliveryQuery(endpoint="all"))
        with store.begin() as tx:
            tx.announce([replace(notification(1, now), data={"other": True}), notification(2, now)])

        assert store.deliveries(DeliveryQuery(endpoint="all"))[1:] == [first]
        assert store.counts().open_deliveries == 6
        assert first.state is DeliveryState.OPEN

    def test_data_comes_back_in_its_order(self, store: Store, now: datetime) -> None:
        """So that the body is the same at every attempt."""
        data = {"z": 1, "a": [1.5, None, True], "text": "NUL \0 half \ud83d all 📭", "deep": {"y": {}, "b": ()}}
        with store.begin() as tx:
            tx.announce([replace(notification(1, now), data=data)])
        found = store.deliveries()[0].notification.data

        assert list(found) == ["z", "a", "text", "deep"]
        assert found["text"] == "NUL \ufffd half \ufffd all 📭"
        assert found["deep"] == {"y": {}, "b": []}


class TestHistories:
    """What is known of an address before a batch."""

    def test_whole(self, store: Store, now: datetime) -> None:
        """Events that may count, oldest first; entries; journal. Nothing of others."""
        old = event(1, now - timedelta(days=401), address="a@example.org")
        soft = event(2, now - timedelta(days=3), address="a@example.org", category=Category.SOFT)
        proof = event(3, now - timedelta(days=2), address="a@example.org", kind=Kind.DELIVERED, category=None)
        absent = event(4, now, address="a@example.org", kind=Kind.AUTO_REPLY, category=None)
        other = event(5, now, address="b@example.org")
        lines = [
            change("a@example.org", now - timedelta(days=9)),
            change("a@example.org", now - timedelta(days=8), Move.RELEASE),
            change("a@example.org", now, scope="news"),
        ]
        with store.begin() as tx:
            tx.record([soft, proof, absent, other, old])
            tx.journal(lines)
            found = tx.histories(["a@example.org", "new@example.org"], now)

        assert found["a@example.org"].events == (soft, proof)
        assert found["a@example.org"].journal == tuple(lines)
        assert [s.scope for s in found["a@example.org"].suppressions] == ["news"]
        assert store.histories(["a@example.org", "new@example.org"], now) == found
        assert (found["new@example.org"].events, found["new@example.org"].journal) == ((), ())

    def test_bounded_for_one_address(self, store: Store, now: datetime) -> None:
        """The newest, however many there are."""
        events = [event(n, now - timedelta(minutes=n), address="hot@example.org") for n in range(300)]
        lines = [
            change("hot@example.org", now + timedelta(seconds=n), why=str(n), scope="s" + str(n)) for n in range(150)
        ]
        with store.begin() as tx:
            tx.record(events)
            tx.journal(lines)
            history = tx.histories(["hot@example.org"], now)["hot@example.org"]

        assert history.events == tuple(reversed(events[:200]))
        assert history.journal == tuple(lines[-100:])

    def test_no_address(self, store: Store, now: datetime) -> None:
        """Nothing asked, nothing answered."""
        with store.begin() as tx:
            assert tx.histories([], now) == {}
            assert tx.known([]) == {}
            assert tx.fresh([]) == []


@pytest.mark.parametrize(
    "text",
    [
        "\0",
        "a\0b",
        "\ud800",
        "x\udfffy",
        "𝒳" * 50_000,
        "\x01\x1b[31m\u202e",
        "'; DROP TABLE event; --",
        "%s %(a)s :b ?",
    ],
    ids=["nul", "nul inside", "half", "other half", "long", "control", "quote", "marks"],
)
def test_strangers_text_never_breaks_a_row(store: Store, now: datetime, text: str) -> None:
    """Whatever they wrote, wherever it goes: stored cleaned and cut, found again by the same text."""
    wild = event(
        1,
        now,
        diagnostic=text,
        subject=text,
        tags=Tags(text, text, (text,), text),
        final_recipient=text,
        rule=text,
        message_id=text,
        disagreed=(text,),
        remote_mta=text,
        reader=text,
        address=text,
    )
    with store.begin() as tx:
        tx.record([wild])
        tx.journal([change(text, now, why=text, actor=text, scope=text)])
        tx.settle([(Outcome(place(1), Disposition.REVIEW, text), digest(1))])
        tx.strike(place(2), digest(2), text, now)
        history = tx.histories([text], now)[text]
    found = store.event(wild.id)

    assert found is not None and found.diagnostic is not None
    assert "\0" not in found.diagnostic and len(found.diagnostic) <= 4_000
    assert history.events == (found,)
    assert [c.scope for c in history.journal] == [s.scope for s in store.suppressions()]
    assert len(store.suppressed([text], text)) == 1


@pytest.mark.parametrize(
    "at",
    [
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
        datetime(1, 1, 1),  # noqa: DTZ001  as a careless clock has it
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ],
)
def test_strangers_clocks_never_break_a_row(store: Store, now: datetime, at: datetime) -> None:
    """A Date field may say anything; what is written can be read again."""
    with store.begin() as tx:
        tx.record([event(1, now, reported_at=at)])
    (found,) = store.events()

    assert found.reported_at is not None
    assert abs(found.reported_at - at.replace(tzinfo=UTC)) <= timedelta(days=2)


def test_a_rejected_row_is_a_bug_and_says_so(store: Store, now: datetime) -> None:
    """No `StoreDown`, which would be tried for ever."""
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError), store.begin() as tx:
        tx.record([event(1, now), event(1, now)])
    assert list(store.events()) == []


def test_the_journal_adds_up_to_the_state(store: Store, now: datetime) -> None:
    """Last line wins; the beginning stays while the address is out of use without a gap."""
    day = timedelta(days=1)
    with store.begin() as tx:
        tx.journal(
            [
                change("a@x.example", now, until=now + 10 * day, category="soft", reason="mailbox_full"),
                change("b@x.example", now),
                change("c@x.example", now, until=now + day),
                change("d@x.example", now, until=now + day),
            ]
        )
    with store.begin() as tx:
        tx.journal(
            [
                change("a@x.example", now + 2 * day, event_id="ev_2"),
                change("b@x.example", now + day, Move.RELEASE, actor="ann"),
                change("c@x.example", now + 5 * day),
                change("d@x.example", now + 2 * day, Move.EXPIRE),
            ]
        )
    found = {s.address: s for s in store.suppressions()}

    assert found == {
        "a@x.example": Suppression("a@x.example", "*", "hard", "mailbox_unknown", now, None, "ev_2", "dead"),
        "c@x.example": Suppression("c@x.example", "*", "hard", "mailbox_unknown", now + 5 * day, None, None, "dead"),
    }
    assert [c.move for c in store.journal_of("d@x.example")] == [Move.SUPPRESS, Move.EXPIRE]
    assert store.counts().suppressions_by_category == {"hard": 2}


def test_an_overtaken_expiry_is_left_out(store: Store, now: datetime) -> None:
    """Between the look and the line came a new reason to suppress, or another daemon's expiry."""
    hour = timedelta(hours=1)
    with store.begin() as tx:
        tx.journal([change("a@x.example", now - 2 * hour, until=now - hour)])
    assert [s.address for s in store.expired(now)] == ["a@x.example"]
    with store.begin() as tx:
        tx.journal([change("a@x.example", now, until=now + 9 * hour)])
        tx.journal([change("a@x.example", now, Move.EXPIRE), change("b@x.example", now, Move.EXPIRE)])

    assert store.suppressed(["a@x.example"], now=now)
    assert len(store.journal_of("a@x.example")) == 2
    assert store.journal_of("b@x.example") == []


def test_two_stores_record_the_same_report(open_store: Callable[..., Store], store: Store, now: datetime) -> None:
    """A second daemon on the same database finds what the first one wrote."""
    other = open_store()
    for each in (store, other):
        with each.begin() as tx:
            tx.record(tx.fresh([event(1, now)]))
            tx.announce([notification(1, now)])

    assert len(list(other.events())) == 1
    assert other.counts().open_deliveries == 3


def test_an_event_without_reason_keeps_its_enum_types(store: Store, now: datetime) -> None:
    """Callers compare by identity."""
    with store.begin() as tx:
        tx.record([event(1, now, reason=Reason.UNKNOWN, category=Category.SOFT)])
    found: Event = next(iter(store.events()))

    assert found.reason is Reason.UNKNOWN
    assert cursor_of(found).endswith(found.id)
