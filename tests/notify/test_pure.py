"""What is told, how it is signed, when it is tried again, where it may go: all without a network."""

import json
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounced.config import Webhook
from bounced.model import (
    Action,
    Category,
    Change,
    DeliveryState,
    Event,
    Fault,
    Kind,
    Move,
    Notification,
    Place,
    Reason,
    Tags,
    Trust,
)
from bounced.notify import compose, problems
from bounced.notify import compose as composing
from bounced.notify.deliver import verdict
from bounced.notify.plain import plain, plain_or_none
from bounced.notify.post import Answer, body_of
from bounced.notify.schedule import back_off, retry_after, wait_for
from bounced.notify.signing import fault_of
from bounced.notify.target import is_public
from tests.notify.receiver import SECRET

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
EVENT = Event(
    id="ev_1",
    key="k",
    at=NOW,
    kind=Kind.BOUNCE,
    category=Category.HARD,
    reason=Reason.MAILBOX_UNKNOWN,
    fault=Fault.RECIPIENT,
    trust=Trust.MATCHED,
    address="ann@example.org",
    place=Place("returns", "INBOX", 1, 7),
    digest="d" * 64,
    reader="rfc3464",
    rule="status.5.1.1",
    reported_at=NOW - timedelta(hours=1),
    status="5.1.1",
    action=Action.FAILED,
    diagnostic="smtp; 550 5.1.1 no such user",
    tags=Tags("spring", "news", ("a", "b"), "marketing"),
    decision="suppressed in *: mailbox_unknown at the first report, no end",
)
CHANGE = Change("ann@example.org", "*", Move.SUPPRESS, NOW, "hard", "mailbox_unknown", "why", None, "ev_1")


@pytest.mark.parametrize(
    ("kind", "category", "type_"),
    [
        (Kind.BOUNCE, Category.HARD, "bounce.hard"),
        (Kind.BOUNCE, Category.SOFT, "bounce.soft"),
        (Kind.COMPLAINT, Category.COMPLAINT, "complaint.received"),
        (Kind.UNSUBSCRIBE, None, "unsubscribe.requested"),
        (Kind.DELAYED, None, None),
        (Kind.DELIVERED, None, None),
        (Kind.AUTO_REPLY, None, None),
        (Kind.OTHER, None, None),
    ],
)
def test_each_event_is_told_under_its_type(kind: Kind, category: Category | None, type_: str | None) -> None:
    made = compose([replace(EVENT, kind=kind, category=category)], [], NOW)
    assert [notification.type for notification in made] == ([type_] if type_ else [])


def test_a_bounce_is_told_with_all_that_is_known() -> None:
    (made,) = compose([EVENT], [], NOW)
    assert json.loads(body_of(made)) == {
        "type": "bounce.hard",
        "timestamp": "2026-11-01T12:00:00Z",
        "data": {
            "event_id": "ev_1",
            "address": "ann@example.org",
            "final_recipient": None,
            "category": "hard",
            "reason": "mailbox_unknown",
            "fault": "recipient",
            "trust": "matched",
            "trust_why": "",
            "action": "failed",
            "status": "5.1.1",
            "reply_code": None,
            "diagnostic": "smtp; 550 5.1.1 no such user",
            "provider": None,
            "reporting_mta": None,
            "remote_mta": None,
            "feedback_type": None,
            "message_id": None,
            "subject": None,
            "reported_at": "2026-11-01T11:00:00Z",
            "read_at": "2026-11-01T12:00:00Z",
            "reader": "rfc3464",
            "rule": "status.5.1.1",
            "decision": "suppressed in *: mailbox_unknown at the first report, no end",
            "tags": {"campaign": "spring", "list": "news", "stream": "marketing", "categories": ["a", "b"]},
            "mailbox": "returns",
        },
    }


@pytest.mark.parametrize(
    ("move", "type_"),
    [
        (Move.SUPPRESS, "suppression.created"),
        (Move.RELEASE, "suppression.released"),
        (Move.EXPIRE, "suppression.expired"),
    ],
)
def test_a_change_is_told(move: Move, type_: str) -> None:
    until = NOW + timedelta(days=90)
    (made,) = compose([], [replace(CHANGE, move=move, until=until)], NOW)
    assert made.type == type_
    assert made.data == {
        "address": "ann@example.org",
        "scope": "*",
        "category": "hard",
        "reason": "mailbox_unknown",
        "why": "why",
        "until": "2027-01-30T12:00:00Z",
        "event_id": "ev_1",
        "actor": "bounced",
        "at": "2026-11-01T12:00:00Z",
    }


def test_the_same_evidence_handled_later_has_the_same_ids() -> None:
    """After a crash before the commit the same batch is decided anew, at another time."""
    later = NOW + timedelta(hours=3)
    first = compose([EVENT], [CHANGE], NOW)
    again = compose([replace(EVENT, at=later)], [replace(CHANGE, at=later)], later)
    assert [n.id for n in first] == [n.id for n in again]
    assert len({n.id for n in first}) == 2


def test_different_changes_have_different_ids() -> None:
    changes = [
        CHANGE,
        replace(CHANGE, scope="news"),
        replace(CHANGE, address="bob@example.org"),
        replace(CHANGE, until=NOW),
        replace(CHANGE, event_id="ev_2"),
        replace(CHANGE, event_id=None, actor="eve"),
        replace(CHANGE, event_id=None, actor="eve", at=NOW + timedelta(seconds=1)),
        replace(CHANGE, move=Move.RELEASE, actor="eve"),
        replace(CHANGE, move=Move.RELEASE, actor="eve", at=NOW + timedelta(seconds=1)),
    ]
    assert len({n.id for n in compose([], changes, NOW)}) == len(changes)


def test_every_field_of_a_webhook_is_documented() -> None:
    text = composing.__globals__["__doc__"]
    fields = {key for n in compose([EVENT], [CHANGE], NOW) for key in n.data} | set(EVENT.tags.__slots__)
    assert [field for field in sorted(fields) if field not in text] == []


@given(st.text(max_size=3000), st.integers(2, 400))
def test_strangers_text_is_one_bounded_line_without_control_characters(text: str, limit: int) -> None:
    line = plain(text, limit)
    assert len(line) <= limit
    assert not [c for c in line if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    line.encode()


def test_a_body_can_always_be_encoded() -> None:
    nasty = "\ud800\u202e\x00\x1b]0;x\x07" + "ä" * 100_000
    tags = Tags(nasty, nasty, (nasty,) * 500)
    event = replace(EVENT, diagnostic=nasty, subject=nasty, remote_mta=nasty, message_id=nasty, tags=tags)
    (made,) = compose([event], [], NOW)
    body = body_of(made)
    assert len(body.encode()) < 20_000
    assert not set(body) & set("\ud800\u202e\x00\x1b\x07")


def test_a_body_is_clean_whoever_made_the_notification() -> None:
    data = {"why": "bad\x1b[2J \u202email" + "x" * 5000, "n": 3, "deep": [{"text": "a\r\nb"}, None, True, 1.5]}
    body = json.loads(body_of(Notification("msg_1", "message.quarantined", NOW, data)))
    assert body["data"]["why"].startswith("bad[2J mailxxx")
    assert len(body["data"]["why"]) == 1000
    assert body["data"]["deep"] == [{"text": "a b"}, None, True, 1.5]
    assert body["data"]["n"] == 3


def test_what_is_cut_says_so() -> None:
    assert (plain("a" * 10, 10), plain("a" * 11, 10), plain(" \n ", 10)) == ("a" * 10, "a" * 9 + "…", "")
    assert (plain_or_none(None), plain_or_none("\x00")) == (None, None)


@given(st.integers(1, 100), st.floats(0, 1))
def test_back_off_grows_to_twelve_hours_and_never_hammers(failures: int, chance: float) -> None:
    wait = back_off(failures, chance)
    assert 1 <= wait <= 43_200
    assert wait <= back_off(failures, 1) <= back_off(failures + 1, 1)


def test_twelve_attempts_take_about_a_day() -> None:
    assert 0.75 < sum(back_off(n, 0.5) for n in range(1, 12)) / 86_400 < 1.25


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("999999999999999999", 86_400),
        (format_datetime(NOW + timedelta(minutes=5), usegmt=True), 300),
        (format_datetime(NOW - timedelta(minutes=5), usegmt=True), 0),
        (format_datetime(NOW + timedelta(days=400), usegmt=True), 86_400),
        ("Sun, 01 Nov 2026 12:01:00 -0000", 60),
        ("-5", None),
        ("soon", None),
        ("²", None),
        ("Sun, 99 Nov 2026 99:99:99 GMT", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_in_seconds_and_as_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@given(st.text(max_size=60))
def test_no_retry_after_makes_us_raise(value: str) -> None:
    seconds = retry_after(value, NOW)
    assert seconds is None or 0 <= seconds <= 86_400


def test_what_was_asked_for_is_a_minimum() -> None:
    assert wait_for(1, 600, 0.5) == 600
    assert wait_for(9, 1, 1) == 43_200


@pytest.mark.parametrize(
    ("answer", "number", "state", "wait"),
    [
        (Answer(200), 1, DeliveryState.DONE, None),
        (Answer(204), 12, DeliveryState.DONE, None),
        (Answer(410, "gone"), 1, DeliveryState.DEAD, None),
        (Answer(500, "no"), 1, DeliveryState.OPEN, 10),
        (Answer(500, "no"), 2, DeliveryState.OPEN, 30),
        (Answer(429, "no", retry_after="60"), 1, DeliveryState.OPEN, 60),
        (Answer(301, "no"), 1, DeliveryState.OPEN, 10),
        (Answer(error="no"), 11, DeliveryState.OPEN, 43_200),
        (Answer(error="no"), 12, DeliveryState.DEAD, None),
    ],
)
def test_what_follows_from_an_answer(answer: Answer, number: int, state: DeliveryState, wait: float | None) -> None:
    attempt = verdict(answer, number, 12, NOW, chance=1)
    assert attempt.state is state
    assert attempt.next_at == (None if wait is None else NOW + timedelta(seconds=wait))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "192.0.0.8", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0",
        "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
        "2002:7f00:1::", "2002:c0a8:101::1", "64:ff9b::10.0.0.1", "64:ff9b:1::10.0.0.1", "2001:db8::1",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",
    ],
)  # fmt: skip
def test_addresses_that_webhooks_must_not_reach(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "151.101.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"]
)
def test_addresses_of_the_public_internet(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("secret", "fault"),
    [
        (SECRET, None),
        ("whsec_" + "A" * 86 + "==", None),
        ("whsec_" + "A" * 43, None),
        ("secret", "want whsec_ followed by base64, as Standard Webhooks has it"),
        ("whsec_nät", "what follows whsec_ is not base64"),
        ("whsec_a b", "what follows whsec_ is not base64"),
        ("whsec_", "want a key of 24 to 64 octets, got 0: make one with `openssl rand -base64 32`"),
        ("whsec_c2hvcnQ=", "want a key of 24 to 64 octets, got 5: make one with `openssl rand -base64 32`"),
    ],
)
def test_a_secret_that_cannot_be_used_is_explained(secret: str, fault: str | None) -> None:
    assert fault_of(secret) == fault


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, None),
        ({"types": ["bounce.*", "suppression.created", "*"]}, None),
        ({"url": "http://a.example/", "allow_private_address": True}, None),
        ({"url": "http://a.example/"}, "webhooks[0].url: http sends notifications readably"),
        ({"url": "https://me:pw@a.example/"}, "webhooks[0].url: must not carry a password"),
        ({"url": "https://a.example:99999999/"}, "webhooks[0].url: names no host, or a port that cannot be"),
        ({"types": ["bounced.hard"]}, 'webhooks[0].types: there is no "bounced.hard"'),
        ({"secret": {"file": "/nonexistent/key"}}, "webhooks[0].secret: cannot read the secret in /nonexistent/key"),
        ({"previous_secret": "old"}, "webhooks[0].previous_secret: want whsec_"),
        ({"ca_file": "/nonexistent/ca.pem"}, "webhooks[0].ca_file: /nonexistent/ca.pem cannot be used"),
    ],
)
def test_what_is_wrong_with_an_endpoint_is_found_before_it_is_used(
    fields: dict[str, object], problem: str | None
) -> None:
    hook = Webhook.model_validate({"name": "a", "url": "https://a.example/hook", "secret": SECRET} | fields)
    found = problems([hook])
    assert len(found) == (0 if problem is None else 1)
    assert problem is None or found[0].startswith(problem)
