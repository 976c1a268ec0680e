"""Mails of every kind for the demo, written for it: what a return path of a small shop may find on one morning."""

from dataclasses import dataclass
from datetime import datetime

from bounced.cli.demo_forms import (
    Failed,
    Original,
    before,
    complaint,
    nested,
    out_of_office,
    person,
    prose,
    report,
    unsubscribe,
)


@dataclass(frozen=True, slots=True)
class Story:
    """One mail that comes in: in a few words for the person who watches, and its octets."""

    title: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _Case:
    """One delivery report: its title, and whom it is about."""

    title: str
    failed: tuple[Failed, ...]


_FAILURES = (
    _Case(
        "the mailbox does not exist",
        (
            Failed(
                "erika@customer.example",
                "mx1.customer.example",
                "550 5.1.1 <erika@customer.example>: User unknown in virtual mailbox table",
                "5.1.1",
            ),
        ),
    ),
    _Case(
        "the mailbox is full",
        (
            Failed(
                "jan@provider.example",
                "mx.provider.example",
                "552 5.2.2 The mailbox of this user is over quota, please try again later",
                "5.2.2",
            ),
        ),
    ),
    _Case(
        "a filter dislikes what the mail says",
        (
            Failed(
                "li@company.example",
                "gateway.company.example",
                "550 5.7.1 Message rejected: content of this mail is considered spam",
                "5.7.1",
            ),
        ),
    ),
    _Case(
        "a block list knows our server: no fault of the recipient's",
        (
            Failed(
                "amara@isp.example",
                "mx2.isp.example",
                "554 5.7.1 Service unavailable; client host [192.0.2.25] blocked using bl.blocklist.example",
                "5.7.1",
            ),
        ),
    ),
    _Case(
        "one report about two recipients",
        (
            Failed("old.address@school.example", "mail.school.example", "550 5.1.1 unknown user: old.address", "5.1.1"),
            Failed("office@school.example", "mail.school.example", "451 4.3.0 Temporary lookup failure", "4.3.0"),
        ),
    ),
)
_FEEDBACK = "feedback@mailbox-provider.example"
_SLOW = Failed(
    "paul@slow.example",
    "mx.slow.example",
    "451 4.7.1 Greylisted, please come back in five minutes",
    "4.7.1",
    "delayed",
)


def stories(now: datetime) -> list[Story]:
    """Return the mails in the order in which they come, dated so that the last one is as old as `now`."""
    return [
        *_failures(now),
        *_what_is_no_failure(now),
        *_what_should_hurt_nobody(now),
    ]


def _failures(now: datetime) -> list[Story]:
    told = [
        Story(case.title, report(before(now, n), _original(now, n, case.failed[0].recipient), *case.failed))
        for n, case in enumerate(_FAILURES, 1)
    ]
    old = prose(before(now, 6), _original(now, 6, "treasurer@club.example"), "relay.club.example")
    return [*told, Story("the prose of an old mail server", old)]


def _what_is_no_failure(now: datetime) -> list[Story]:
    sofia = _original(now, 7, "sofia@mailbox-provider.example")
    slow = report(before(now, 8), _original(now, 8, _SLOW.recipient), _SLOW)
    mia = _original(now, 9, "mia@customer.example")
    tom = _original(now, 10, "tom@reader.example")
    away = "I am on holiday until Monday and will read your mail then."
    question = "Hello, could you tell me when my order will arrive?\nBest wishes, Nadia"
    return [
        Story(
            "somebody pressed the spam button", complaint(before(now, 7), sofia, "feedback@mailbox-provider.example")
        ),
        Story("still trying, nothing has failed yet", slow),
        Story("an answer from somebody on holiday", out_of_office(before(now, 9), mia, away)),
        Story("a reader wants no more newsletters", unsubscribe(before(now, 10), tom)),
        Story(
            "a person writes, and wants an answer",
            person(before(now, 11), "nadia@customer.example", "Question about my order", question),
        ),
    ]


def _what_should_hurt_nobody(now: datetime) -> list[Story]:
    return [
        Story("the first report once more: nothing is counted twice", _failures(now)[0].content),
        Story("a mail built to break its readers", nested(before(now, 13))),
        Story("no mail at all", bytes(range(256)) * 8),
    ]


def _original(now: datetime, number: int, recipient: str) -> Original:
    return Original(recipient, before(now, number + 10), str(number))
