"""Through pipeline and ledger: a report on a recorded mail is tied to the recipient and the campaign on record."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bounced import Mail, ReturnPaths
from bounced.config import Config, parse
from bounced.correlate import mark_of
from bounced.daemon import wiring
from bounced.daemon.replay import Replay, Span
from bounced.model import Category, Event, Place, RawMessage, Sent, Tags, Trust
from bounced.pipeline import handle, judge_here
from bounced.store import Store

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TAGS = Tags("autumn-2026", "newsletter", ("promo", "shoes"), "marketing")
ANN, BOB = "ann@customer.example", "bob@elsewhere.example"
SIGNING = {"keys": [{"id": "k1", "secret": "correct horse battery staple"}], "domains": ["returns.example.net"]}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return parse({"database": {"url": f"sqlite:///{tmp_path}/b.db"}, "correlation": {"signing": SIGNING}}, {})


@pytest.fixture
def store(config: Config) -> Iterator[Store]:
    with closing(wiring.store(config)) as store:
        store.upgrade()
        yield store


def bounce(to: str, failed: str, message_id: str | None = None, envelope_id: str | None = None) -> bytes:
    """Return a DSN; without a Message-ID it returns nothing of the original."""
    envid = f"Original-Envelope-Id: {envelope_id}\n" if envelope_id else ""
    returned = f"--=_b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{message_id}>\n" if message_id else ""
    return f"""From: MAILER-DAEMON@mx.customer.example
To: {to}
Delivered-To: {to}
Subject: Undelivered Mail
Date: Sat, 21 Nov 2026 11:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"

--=_b
Content-Type: text/plain

It failed.

--=_b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.customer.example
{envid}
Final-Recipient: rfc822; {failed}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

{returned}--=_b--
""".encode()


def events_of(config: Config, store: Store, content: bytes) -> list[Event]:
    """Return the events after one mail went through every stage."""
    stages = wiring.stages(config, store)
    here = replace(stages, judge=judge_here(wiring.reading(config)))
    handle([RawMessage(Place("returns", "INBOX", 1, 1), content, len(content), NOW)], here, NOW)
    return list(store.events())


def suppressed(store: Store, address: str) -> bool:
    return address in store.suppressed([address], now=NOW)


def test_a_token_that_names_a_record_gives_recipient_and_tags_back(config: Config, store: Store) -> None:
    """Also where nothing of the mail was returned, and somebody else failed behind our recipient: then soft."""
    path = ReturnPaths(config.correlation.signing, lambda: NOW).by_reference("abcdefghijklmnop")
    store.add_sent([Sent("abcdefghijklmnop", ANN, None, TAGS)], {}, NOW)

    (event,) = events_of(config, store, bounce(path, BOB))

    assert (event.address, event.final_recipient, event.tags) == (ANN, BOB, TAGS)
    assert (event.trust, event.category) == (Trust.SIGNED, Category.SOFT)
    assert not suppressed(store, ANN)
    assert not suppressed(store, BOB)


def test_for_the_recipient_on_record_it_is_hard_and_counts(config: Config, store: Store) -> None:
    path = ReturnPaths(config.correlation.signing, lambda: NOW).by_reference("abcdefghijklmnop")
    store.add_sent([Sent("abcdefghijklmnop", ANN, None, TAGS)], {}, NOW)

    (event,) = events_of(config, store, bounce(path, ANN))

    assert (event.trust, event.category) == (Trust.SIGNED, Category.HARD)
    assert suppressed(store, ANN)


def test_a_reference_to_no_record_is_a_mere_claim(config: Config, store: Store) -> None:
    """It was signed by us, but nobody knows for whom."""
    path = ReturnPaths(config.correlation.signing, lambda: NOW).by_reference("abcdefghijklmnop")
    store.add_sent([Sent("other", ANN)], {}, NOW)

    (event,) = events_of(config, store, bounce(path, ANN))

    assert (event.trust, event.trust_why) == (
        Trust.CLAIMED, "token in address it came to: it refers to a record that is not known"
    )  # fmt: skip
    assert not suppressed(store, ANN)


@pytest.mark.parametrize("named", ["message_id", "envelope_id"])
def test_a_recorded_mail_is_matched(config: Config, store: Store, named: str) -> None:
    """By the Message-ID that was returned, or by the ENVID; the tags are those on record."""
    store.add_sent([Sent("env-1", ANN, "1@shop.example", TAGS)], {}, NOW)
    told = {"message_id": "1@shop.example"} if named == "message_id" else {"envelope_id": "env-1"}

    (event,) = events_of(config, store, bounce("bounces@example.net", ANN, **told))

    assert (event.trust, event.tags, event.category) == (Trust.MATCHED, TAGS, Category.HARD)
    assert suppressed(store, ANN)


def test_a_mailing_to_many_matches_those_it_went_to(config: Config, store: Store) -> None:
    """Whoever knows its Message-ID cannot name a stranger to it."""
    store.add_sent([Sent(f"id{n}", f"user{n}@customer.example", "1@shop.example", TAGS) for n in range(50)], {}, NOW)

    (event,) = events_of(config, store, bounce("bounces@example.net", BOB, message_id="1@shop.example"))

    assert (event.address, event.trust) == (BOB, Trust.CLAIMED)
    assert not suppressed(store, BOB)


def test_a_mark_in_a_short_token_gives_long_tags_back(config: Config, store: Store) -> None:
    """The campaign was recorded with another mail of it; a self-contained token needs no record of its own."""
    long = Tags("a campaign whose name is long", "a list that has a long name", ("one", "two", "three"))
    path = ReturnPaths(config.correlation.signing, lambda: NOW).sign(Mail(ANN, long))
    store.add_sent([], {mark_of(long): long}, NOW)

    (event,) = events_of(config, store, bounce(path, ANN))

    assert (event.trust, event.tags) == (Trust.SIGNED, long)


def test_a_second_judgement_knows_the_records_too(config: Config, store: Store) -> None:
    """What was matched by a record, or named by it alone, comes out the same; a record that came later helps."""
    store.add_sent([Sent("env-1", ANN, "1@shop.example", TAGS)], {}, NOW)
    events_of(config, store, bounce("bounces@example.net", "redacted@customer.example", envelope_id="env-1"))
    stages = replace(wiring.stages(config, store), judge=judge_here(wiring.reading(config)))
    late = bounce("bounces@example.net", BOB, message_id="2@shop.example")
    handle([RawMessage(Place("returns", "INBOX", 1, 2), late, len(late), NOW)], stages, NOW)
    store.add_sent([Sent("env-2", BOB, "2@shop.example", TAGS)], {}, NOW)

    found = Replay(config, store, NOW).compare(Span(NOW - timedelta(days=1), NOW + timedelta(days=1)))

    (bettered,) = found.different
    assert bettered.old and bettered.new
    assert (bettered.address, bettered.old.trust, bettered.new.trust) == (BOB, Trust.CLAIMED, Trust.MATCHED)
    assert [change.address for change in found.gained] == [BOB]
    assert found.lost == []
