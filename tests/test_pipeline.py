"""handle(): one batch made durable, whatever is in it, and the same again changes nothing."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bounced.config import Config, parse
from bounced.daemon import wiring
from bounced.errors import StoreDown, TryLater, Unreadable
from bounced.model import Disposition, Kind, Outcome, Place, RawMessage, Report
from bounced.pipeline import Failure, Judgement, Reading, Stages, handle, judge_here, judge_one
from bounced.store import EventQuery, Store
from tests.test_trouble import dsn

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PERSON = b"From: Ann <ann@example.org>\nSubject: Lunch?\n\nAt noon?\n"
POISON = b"Subject: poison\n\n"
BROKEN = b"Subject: broken\n\n"


def raw(uid: int, content: bytes, uidvalidity: int = 1) -> RawMessage:
    return RawMessage(Place("returns", "INBOX", uidvalidity, uid), content, len(content), NOW)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    hook = {"name": "test", "url": "https://hooks.example.org/", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    return parse({"database": {"url": f"sqlite:///{tmp_path}/bounced.db"}, "webhooks": [hook]}, {})


@pytest.fixture
def store(config: Config) -> Iterator[Store]:
    with closing(wiring.store(config)) as store:
        store.upgrade()
        yield store


@pytest.fixture(scope="module")
def reading() -> Reading:
    """Real stages, before which stands a reader that two mails break."""
    real = wiring.reading(Config())

    def read(message: RawMessage) -> Report:
        if message.content == POISON:
            raise ZeroDivisionError("a fault of ours")
        if message.content == BROKEN:
            raise Unreadable("more than 200 MIME parts (limits.mime_parts)")
        return real.read(message)

    return Reading(read, real.classify, real.correlate)


@pytest.fixture
def stages(config: Config, store: Store, reading: Reading) -> Stages:
    built = wiring.stages(config, store)
    return Stages(judge_here(reading), built.decide, built.compose, built.ledger, built.strikes)


def ends(outcomes: Sequence[Outcome]) -> dict[int, Disposition]:
    return {o.place.uid: o.disposition for o in outcomes}


def counts(store: Store) -> tuple[int, int, int]:
    """Return how many events, suppressions in force and deliveries there are."""
    held = store.suppressed([f"gone{n}@remote.example" for n in range(9)])
    return len(list(store.events(EventQuery()))), len(held), len(store.deliveries())


def test_the_same_batch_again_changes_nothing(store: Store, stages: Stages) -> None:
    """A crash before the ack: the batch comes again, as it was."""
    batch = [raw(1, dsn(1)), raw(2, PERSON), raw(3, dsn(2))]

    first = handle(batch, stages, NOW)
    before = counts(store)
    again = handle(batch, stages, NOW + timedelta(minutes=1))

    assert ends(first) == {1: Disposition.PROCESSED, 2: Disposition.LEFT, 3: Disposition.PROCESSED}
    assert ends(again) == ends(first)
    assert counts(store) == before == (2, 2, 4)


def test_the_same_bytes_under_a_new_uidvalidity_count_nothing(store: Store, stages: Stages) -> None:
    """The server forgot its UIDs: everything comes again under other numbers."""
    handle([raw(1, dsn(1)), raw(2, PERSON)], stages, NOW)
    before = counts(store)

    again = handle([raw(7, dsn(1), 2), raw(8, PERSON, 2)], stages, NOW)

    assert ends(again) == {7: Disposition.PROCESSED, 8: Disposition.LEFT}
    assert counts(store) == before == (1, 1, 2)


def test_two_copies_of_one_report_in_a_batch_are_one_event(store: Store, stages: Stages) -> None:
    """Delivered twice by two routes: the bytes differ in a Received line, the evidence does not."""
    routed = b"Received: from other.example.net by mx.example.net; Sat, 21 Nov 2026 12:00:00 +0000\n" + dsn(1)

    first, second = handle([raw(1, dsn(1)), raw(2, routed)], stages, NOW)

    assert counts(store) == (1, 1, 2)
    assert (first.detail, second.detail) == (Kind.BOUNCE, "seen before")


def test_a_poison_message_costs_itself_three_strikes_and_then_quarantine(store: Store, stages: Stages) -> None:
    """The strikes are stored, so that a restart in between does not begin anew; the rest of the batch goes on."""
    seen = [ends(handle([raw(1, POISON), raw(n, dsn(n))], stages, NOW)) for n in (2, 3, 4)]

    assert [s[1] for s in seen] == [Disposition.RETRY, Disposition.RETRY, Disposition.QUARANTINE]
    assert counts(store)[0] == 3
    assert [d.notification.type for d in store.deliveries()].count("message.quarantined") == 1


def test_what_breaks_a_limit_is_quarantined_at_once_with_the_reason(store: Store, stages: Stages) -> None:
    """Trying it again would end the same."""
    (outcome,) = handle([raw(1, BROKEN)], stages, NOW)

    assert outcome.disposition is Disposition.QUARANTINE
    assert "limits.mime_parts" in outcome.detail


def test_a_judge_that_stops_a_message_is_a_strike(stages: Stages) -> None:
    """A time limit that ran out says so."""

    def late(batch: Sequence[RawMessage]) -> list[Judgement]:
        return [Failure("it took longer than 10 s, the limit for one message (limits.seconds)", False) for _ in batch]

    slow = Stages(late, stages.decide, stages.compose, stages.ledger, stages.strikes)

    (outcome,) = handle([raw(1, dsn(1))], slow, NOW)

    assert outcome.disposition is Disposition.RETRY
    assert outcome.detail.startswith("strike 1 of 3: it took longer")


def test_a_failure_while_writing_leaves_nothing_half(
    store: Store, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events without their suppression, or without their notification, do not exist."""

    def down(*_: object) -> None:
        raise StoreDown("disk full")

    with store.begin() as tx:
        monkeypatch.setattr(type(tx), "settle", down)
    with pytest.raises(TryLater):
        handle([raw(1, dsn(1))], stages, NOW)

    assert counts(store) == (0, 0, 0)


def test_a_mail_that_is_no_report_leaves_no_event(store: Store, stages: Stages) -> None:
    """A person's mail is nobody's statistics."""
    (outcome,) = handle([raw(1, PERSON)], stages, NOW)

    assert (outcome.disposition, outcome.detail) == (Disposition.LEFT, Kind.OTHER)
    assert counts(store) == (0, 0, 0)


def test_what_a_person_puts_back_from_quarantine_is_read_again(store: Store, stages: Stages, reading: Reading) -> None:
    """The limit was raised, or the fault mended: the same bytes under a new UID are judged anew."""
    handle([raw(1, BROKEN)], stages, NOW)
    mended = Stages(lambda batch: [judge_one(wide, r) for r in batch], stages.decide, stages.compose, stages.ledger)
    wide = Reading(lambda message: Report(Kind.BOUNCE, "mended", puzzled=True), reading.classify, reading.correlate)

    (outcome,) = handle([raw(2, BROKEN)], mended, NOW)

    assert outcome.disposition is Disposition.REVIEW
