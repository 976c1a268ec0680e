"""Mails of every kind for the demo, written for it: what a return path of a small shop may find on one morning."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime

#: The shop that sends, and where its bounces go. `.example` belongs to nobody (RFC 2606).
SENDER = "news@shop.example"
RETURN_PATH = "bounces@shop.example"
DOMAIN = "shop.example"


@dataclass(frozen=True, slots=True)
class Story:
    """One mail that comes in: in a few words for the person who watches, and its octets."""

    title: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _Failed:
    """One recipient of a delivery report."""

    recipient: str
    host: str
    said: str
    status: str
    action: str = "failed"


def stories(now: datetime) -> list[Story]:
    """Return the mails in the order in which they come, dated so that the last one is as old as `now`."""
    return [
        *_failures(now),
        *_what_is_no_failure(now),
        *_what_should_hurt_nobody(now),
    ]


def _failures(now: datetime) -> list[Story]:
    return [
        Story(
            "the mailbox does not exist",
            _report(
                now,
                1,
                _Failed(
                    "erika@customer.example",
                    "mx1.customer.example",
                    "550 5.1.1 <erika@customer.example>: User unknown in virtual mailbox table",
                    "5.1.1",
                ),
            ),
        ),
        Story(
            "the mailbox is full",
            _report(
                now,
                2,
                _Failed(
                    "jan@provider.example",
                    "mx.provider.example",
                    "552 5.2.2 The mailbox of this user is over quota, please try again later",
                    "5.2.2",
                ),
            ),
        ),
        Story(
            "a filter dislikes what the mail says",
            _report(
                now,
                3,
                _Failed(
                    "li@company.example",
                    "gateway.company.example",
                    "550 5.7.1 Message rejected: content of this mail is considered spam",
                    "5.7.1",
                ),
            ),
        ),
        Story(
            "a block list knows our server: no fault of the recipient's",
            _report(
                now,
                4,
                _Failed(
                    "amara@isp.example",
                    "mx2.isp.example",
                    "554 5.7.1 Service unavailable; client host [192.0.2.25] blocked using bl.blocklist.example",
                    "5.7.1",
                ),
            ),
        ),
        Story(
            "one report about two recipients",
            _report(
                now,
                5,
                _Failed(
                    "old.address@school.example",
                    "mail.school.example",
                    "550 5.1.1 unknown user: old.address",
                    "5.1.1",
                ),
                _Failed(
                    "office@school.example",
                    "mail.school.example",
                    "451 4.3.0 Temporary lookup failure",
                    "4.3.0",
                ),
            ),
        ),
        Story("the prose of an old mail server", _prose(now)),
    ]


def _what_is_no_failure(now: datetime) -> list[Story]:
    return [
        Story("somebody pressed the spam button", _complaint(now)),
        Story(
            "still trying, nothing has failed yet",
            _report(
                now,
                8,
                _Failed(
                    "paul@slow.example",
                    "mx.slow.example",
                    "451 4.7.1 Greylisted, please come back in five minutes",
                    "4.7.1",
                    "delayed",
                ),
            ),
        ),
        Story("an answer from somebody on holiday", _out_of_office(now)),
        Story("a reader wants no more newsletters", _unsubscribe(now)),
        Story("a person writes, and wants an answer", _person(now)),
    ]


def _what_should_hurt_nobody(now: datetime) -> list[Story]:
    return [
        Story("the first report once more: nothing is counted twice", _failures(now)[0].content),
        Story("a mail built to break its readers", _nested(now)),
        Story("no mail at all", bytes(range(256)) * 8),
    ]


def _report(now: datetime, number: int, *failed: _Failed) -> bytes:
    """Return a delivery report in the form of RFC 3464."""
    delayed = failed[0].action == "delayed"
    subject = "Delayed Mail (still being retried)" if delayed else "Undelivered Mail Returned to Sender"
    lines = "\n".join(f"<{f.recipient}>: host {f.host} said: {f.said}" for f in failed)
    fields = "\n\n".join(
        f"Final-Recipient: rfc822; {f.recipient}\nOriginal-Recipient: rfc822;{f.recipient}\nAction: {f.action}\n"
        f"Status: {f.status}\nRemote-MTA: dns; {f.host}\nDiagnostic-Code: smtp; {f.said}"
        for f in failed
    )
    return _crlf(f"""\
Return-Path: <>
Date: {_date(now, number)}
From: MAILER-DAEMON@mail.shop.example (Mail Delivery System)
Subject: {subject}
To: {RETURN_PATH}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="report-{number}"
Message-Id: <report.{number}@mail.shop.example>

--report-{number}
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mail.shop.example.

{lines}

--report-{number}
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.shop.example
Arrival-Date: {_date(now, number + 5)}

{fields}

--report-{number}
Content-Type: text/rfc822-headers

{_original(now, number, failed[0].recipient)}
--report-{number}--
""")


def _prose(now: datetime) -> bytes:
    return _crlf(f"""\
Return-Path: <>
Date: {_date(now, 6)}
From: MAILER-DAEMON@relay.club.example
To: {RETURN_PATH}
Subject: failure notice
Message-Id: <6@relay.club.example>

Hi. This is the mail program at relay.club.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<treasurer@club.example>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

{_original(now, 6, "treasurer@club.example")}
Our offers of the week.
""")


def _complaint(now: datetime) -> bytes:
    return _crlf(f"""\
Date: {_date(now, 7)}
From: feedback@mailbox-provider.example
To: {RETURN_PATH}
Subject: FW: Our offers of the week
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="feedback"
Message-Id: <complaint.7@mailbox-provider.example>

--feedback
Content-Type: text/plain; charset=us-ascii

This is an email abuse report for a message received from 192.0.2.25.

--feedback
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Feedback/1.0
Version: 1
Original-Mail-From: <{RETURN_PATH}>
Original-Rcpt-To: <sofia@mailbox-provider.example>
Source-IP: 192.0.2.25
Arrival-Date: {_date(now, 60)}

--feedback
Content-Type: message/rfc822

{_original(now, 7, "sofia@mailbox-provider.example")}
Our offers of the week.

--feedback--
""")


def _out_of_office(now: datetime) -> bytes:
    return _crlf(f"""\
Return-Path: <>
Date: {_date(now, 9)}
From: Mia <mia@customer.example>
To: {RETURN_PATH}
Subject: Automatic reply: Our offers of the week
Auto-Submitted: auto-replied
In-Reply-To: <newsletter.9@{DOMAIN}>
Message-Id: <away@customer.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

I am on holiday until Monday and will read your mail then.
""")


def _unsubscribe(now: datetime) -> bytes:
    return _crlf(f"""\
Date: {_date(now, 10)}
From: Tom <tom@reader.example>
To: {RETURN_PATH}
Subject: unsubscribe
Message-Id: <leave@reader.example>
In-Reply-To: <newsletter.10@{DOMAIN}>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

unsubscribe
""")


def _person(now: datetime) -> bytes:
    return _crlf(f"""\
Date: {_date(now, 11)}
From: Nadia <nadia@customer.example>
To: {RETURN_PATH}
Subject: Question about my order
Message-Id: <question@customer.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Hello, could you tell me when my order will arrive?
Best wishes, Nadia
""")


def _nested(now: datetime) -> bytes:
    """Return a mail with more parts within parts than any reader should follow."""
    depth = 60
    opened = "".join(f'Content-Type: multipart/mixed; boundary="b{level}"\n\n--b{level}\n' for level in range(depth))
    return _crlf(f"""\
Date: {_date(now, 13)}
From: nobody@elsewhere.example
To: {RETURN_PATH}
Subject: Undelivered Mail Returned to Sender
Message-Id: <nested@elsewhere.example>
MIME-Version: 1.0
{opened}Content-Type: text/plain

down here
""")


def _original(now: datetime, number: int, recipient: str) -> str:
    return f"""\
Return-Path: <{RETURN_PATH}>
Date: {_date(now, number + 10)}
From: The Shop <{SENDER}>
To: {recipient}
Subject: Our offers of the week
Message-ID: <newsletter.{number}@{DOMAIN}>
List-Id: Newsletter <newsletter.{DOMAIN}>
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii
"""


def _date(now: datetime, minutes: int) -> str:
    return format_datetime(now - timedelta(minutes=minutes))


def _crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()
