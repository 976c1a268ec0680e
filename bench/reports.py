"""Delivery reports by the thousand, of the size and variety of real ones."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

WORDS = (Path(__file__).resolve().parent.parent / "LICENSE").read_text().split()
REPLIES = (
    ("5.1.1", "550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table"),
    ("5.1.1", "550-5.1.1 The email account that you tried to reach does not exist. Please try\n    550 5.1.1 again"),
    ("5.2.2", "552 5.2.2 <{to}>: user is over quota"),
    ("5.7.1", "550 5.7.1 Service unavailable; client host [192.0.2.7] blocked using zen.example"),
    ("4.4.1", "connect to mx.{domain}[192.0.2.9]:25: Connection timed out"),
    ("5.4.4", "Host or domain name not found. Name service error for name={domain} type=MX: Host not found"),
)
REPORT = """\
Return-Path: <>
Received: by mx1.example.net (Postfix) id {queue}; {date}
Date: {date}
From: MAILER-DAEMON@mx1.example.net (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: bounces@example.net
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="{queue}.1/mx1.example.net"
Message-Id: <{queue}.report@mx1.example.net>

This is a MIME-encapsulated message.

--{queue}.1/mx1.example.net
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx1.example.net.

I'm sorry to have to inform you that your message could not be delivered to one or more
recipients. It's attached below.

<{to}>: host mx.{domain}[192.0.2.9] said:
    {reply} (in reply to RCPT TO command)

--{queue}.1/mx1.example.net
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx1.example.net
X-Postfix-Queue-ID: {queue}
X-Postfix-Sender: rfc822; bounces@example.net
Arrival-Date: {date}

Final-Recipient: rfc822; {to}
Original-Recipient: rfc822;{to}
Action: failed
Status: {status}
Remote-MTA: dns; mx.{domain}
Diagnostic-Code: smtp; {reply}

--{queue}.1/mx1.example.net
Content-Description: Undelivered Message
Content-Type: message/rfc822

Received: from app.example.net (app.example.net [192.0.2.1]) by mx1.example.net with ESMTPS id {queue}; {date}
Date: {date}
From: Example News <news@example.net>
To: {to}
Subject: What is new in week {week}
Message-ID: <{queue}.news@app.example.net>
List-Id: <news.example.net>
List-Unsubscribe: <https://app.example.net/u/{queue}>
X-Campaign: week-{week}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

{prose}

--{queue}.1/mx1.example.net--
"""


def reports(count: int) -> Iterator[bytes]:
    """Yield reports that differ in recipient, provider, reply and length as real ones do; always the same ones."""
    dice = random.Random(7)
    for n in range(count):
        domain = dice.choice(("gmail.com", "outlook.com", f"host{dice.randrange(900)}.example"))
        to = f"user{n}@{domain}"
        status, reply = dice.choices(REPLIES, (50, 10, 20, 8, 8, 4))[0]
        prose = " ".join(dice.choices(WORDS, k=dice.randrange(350, 650)))
        lines = "\n".join(prose[i : i + 76] for i in range(0, len(prose), 76))
        yield (
            REPORT.format(
                queue=f"{n:010X}",
                date=time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(1_790_000_000 + n)),
                to=to,
                domain=domain,
                status=status,
                reply=reply.format(to=to, domain=domain),
                week=n % 52,
                prose=lines,
            )
            .replace("\n", "\r\n")
            .encode()
        )
