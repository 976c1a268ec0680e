"""The forms of the mails of the demo: reports, complaints, answers and wishes, as mail systems write them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime

#: The shop that sends, and where its bounces go. `.example` belongs to nobody (RFC 2606).
DOMAIN = "shop.example"
SENDER = f"news@{DOMAIN}"
RETURN_PATH = f"bounces@{DOMAIN}"
#: From where it sends; nobody's address (RFC 5737).
OUR_HOST, OUR_ADDRESS = f"mail.{DOMAIN}", "192.0.2.25"


@dataclass(frozen=True, slots=True)
class Original:
    """The mail that is reported on. `number` makes its Message-ID; `headers` are what the sender says of it."""

    recipient: str
    at: datetime
    number: str
    subject: str = "Our offers of the week"
    headers: Mapping[str, str] = field(default_factory=lambda: {"List-Id": f"Newsletter <newsletter.{DOMAIN}>"})

    @property
    def message_id(self) -> str:
        """Its Message-ID, in brackets."""
        return f"<newsletter.{self.number}@{DOMAIN}>"

    def text(self) -> str:
        """Return its header."""
        more = "".join(f"{name}: {value}\n" for name, value in self.headers.items())
        return f"""\
Return-Path: <{RETURN_PATH}>
Date: {format_datetime(self.at)}
From: The Shop <{SENDER}>
To: {self.recipient}
Subject: {self.subject}
Message-ID: {self.message_id}
{more}MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii
"""


@dataclass(frozen=True, slots=True)
class Failed:
    """One recipient of a delivery report: what the host `host` said of it; no host where none was reached."""

    recipient: str
    host: str | None
    said: str
    status: str
    action: str = "failed"

    def line(self) -> str:
        """Return how Postfix tells a person."""
        return (
            f"<{self.recipient}>: host {self.host} said: {self.said}"
            if self.host
            else f"<{self.recipient}>: {self.said}"
        )

    def fields(self) -> str:
        """Return its group of fields (RFC 3464 section 2.3)."""
        kind = "smtp" if self.host else "X-Postfix"
        remote = f"Remote-MTA: dns; {self.host}\n" if self.host else ""
        return (
            f"Final-Recipient: rfc822; {self.recipient}\nOriginal-Recipient: rfc822;{self.recipient}\n"
            f"Action: {self.action}\nStatus: {self.status}\n{remote}Diagnostic-Code: {kind}; {self.said}"
        )


def report(at: datetime, original: Original, *failed: Failed) -> bytes:
    """Return a delivery report in the form of RFC 3464."""
    delayed = failed[0].action == "delayed"
    subject = "Delayed Mail (still being retried)" if delayed else "Undelivered Mail Returned to Sender"
    lines = "\n".join(each.line() for each in failed)
    fields = "\n\n".join(each.fields() for each in failed)
    mark = f"report-{original.number}"
    return crlf(f"""\
Return-Path: <>
Date: {format_datetime(at)}
From: MAILER-DAEMON@{OUR_HOST} (Mail Delivery System)
Subject: {subject}
To: {RETURN_PATH}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="{mark}"
Message-Id: <{"delayed" if delayed else "report"}.{original.number}@{OUR_HOST}>

--{mark}
Content-Type: text/plain; charset=us-ascii

This is the mail system at host {OUR_HOST}.

{lines}

--{mark}
Content-Type: message/delivery-status

Reporting-MTA: dns; {OUR_HOST}
Arrival-Date: {format_datetime(original.at)}

{fields}

--{mark}
Content-Type: text/rfc822-headers

{original.text()}
--{mark}--
""")


def prose(at: datetime, original: Original, host: str) -> bytes:
    """Return what an old mail server says in words alone."""
    return crlf(f"""\
Return-Path: <>
Date: {format_datetime(at)}
From: MAILER-DAEMON@{host}
To: {RETURN_PATH}
Subject: failure notice
Message-Id: <{original.number}@{host}>

Hi. This is the mail program at {host}.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{original.recipient}>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

{original.text()}
Our offers of the week.
""")


def complaint(at: datetime, original: Original, reporter: str, kind: str = "abuse") -> bytes:
    """Return a feedback report in the form of RFC 5965."""
    return crlf(f"""\
Date: {format_datetime(at)}
From: {reporter}
To: {RETURN_PATH}
Subject: FW: {original.subject}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="feedback"
Message-Id: <complaint.{original.number}@{reporter.partition("@")[2]}>

--feedback
Content-Type: text/plain; charset=us-ascii

This is an email abuse report for a message received from {OUR_ADDRESS}.

--feedback
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Feedback/1.0
Version: 1
Original-Mail-From: <{RETURN_PATH}>
Original-Rcpt-To: <{original.recipient}>
Source-IP: {OUR_ADDRESS}
Arrival-Date: {format_datetime(original.at)}

--feedback
Content-Type: message/rfc822

{original.text()}
Our offers of the week.

--feedback--
""")


def out_of_office(at: datetime, original: Original, text: str) -> bytes:
    """Return the answer of somebody who is away."""
    name = original.recipient.partition("@")[0].partition(".")[0].title()
    return crlf(f"""\
Return-Path: <>
Date: {format_datetime(at)}
From: {name} <{original.recipient}>
To: {RETURN_PATH}
Subject: Automatic reply: {original.subject}
Auto-Submitted: auto-replied
In-Reply-To: {original.message_id}
Message-Id: <away.{original.number}@{original.recipient.partition("@")[2]}>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

{text}
""")


def unsubscribe(at: datetime, original: Original) -> bytes:
    """Return the wish of a reader to get no more."""
    name = original.recipient.partition("@")[0].partition(".")[0].title()
    return crlf(f"""\
Date: {format_datetime(at)}
From: {name} <{original.recipient}>
To: {RETURN_PATH}
Subject: unsubscribe
Message-Id: <leave.{original.number}@{original.recipient.partition("@")[2]}>
In-Reply-To: {original.message_id}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

unsubscribe
""")


def person(at: datetime, who: str, subject: str, text: str) -> bytes:
    """Return a mail that somebody wrote."""
    name, domain = who.partition("@")[0].partition(".")[0].title(), who.partition("@")[2]
    return crlf(f"""\
Date: {format_datetime(at)}
From: {name} <{who}>
To: {RETURN_PATH}
Subject: {subject}
Message-Id: <{at:%Y%m%d%H%M}.{who.partition("@")[0]}@{domain}>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

{text}
""")


def nested(at: datetime) -> bytes:
    """Return a mail with more parts within parts than any reader should follow."""
    opened = "".join(f'Content-Type: multipart/mixed; boundary="b{level}"\n\n--b{level}\n' for level in range(60))
    return crlf(f"""\
Date: {format_datetime(at)}
From: nobody@elsewhere.example
To: {RETURN_PATH}
Subject: Undelivered Mail Returned to Sender
Message-Id: <nested.{at:%Y%m%d%H%M}@elsewhere.example>
MIME-Version: 1.0
{opened}Content-Type: text/plain

down here
""")


def crlf(text: str) -> bytes:
    """Return the octets of a mail."""
    return text.replace("\n", "\r\n").encode()


def before(now: datetime, minutes: float) -> datetime:
    """Return the time so many minutes ago."""
    return now - timedelta(minutes=minutes)
