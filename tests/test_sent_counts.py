"""How many mails were sent: told by the sender, or read from Postfix' log, each once; and the rates that follow."""

import contextlib
import gzip
import json
import re
import smtplib
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bounced.config import Database
from bounced.model import By, Only, ReportQuery, SentCount
from bounced.postfix_log import PostfixLog, Tried
from bounced.store import Store
from tests.cli.conftest import call, write_config
from tests.servers.postfix import Postfix, free_port
from tests.servers.smtp import Receiver
from tests.store.conftest import event

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)

LOG = """\
Dec 31 23:59:58 mx1 postfix/cleanup[11]: 4AAAAAAAA1: message-id=<1@shop.example>
Dec 31 23:59:58 mx1 postfix/qmgr[12]: 4AAAAAAAA1: from=<b+x@shop.example>, size=400, nrcpt=2 (queue active)
Dec 31 23:59:59 mx1 postfix/smtp[13]: 4AAAAAAAA1: to=<Ann@gmail.com>, relay=mx.google.com[192.0.2.1]:25, \
delay=1.3, delays=0.1/0/0.5/0.7, dsn=4.7.0, status=deferred (host mx.google.com[192.0.2.1] said: 421 wait)
Jan  1 00:10:00 mx1 postfix/relay/smtp[14]: 4AAAAAAAA1: to=<ann@gmail.com>, relay=mx.google.com[192.0.2.1]:25, \
conn_use=2, delay=601, delays=600/0/0.5/0.7, dsn=2.0.0, status=sent (250 to=<x@y>, relay=none, status=bounced (no))
Jan  1 00:10:01 mx1 postfix/smtp[14]: 4AAAAAAAA1: to=<"o d\\"d>"@host.example>, orig_to=<odd@shop>, relay=none, \
delay=601, delays=600/0/0.5/0.7, dsn=5.4.4, status=bounced (Host not found)
Jan  1 00:10:02 mx1 postfix/qmgr[12]: 4AAAAAAAA1: removed
Jan  1 00:10:03 mx1 postfix/cleanup[11]: 4BBBBBBBB1: message-id=<20260101.4BBBBBBBB1@mx1>
Jan  1 00:10:03 mx1 postfix/qmgr[12]: 4BBBBBBBB1: from=<>, size=2400, nrcpt=1 (queue active)
Jan  1 00:10:04 mx1 postfix/smtp[13]: 4BBBBBBBB1: to=<b+x@shop.example>, relay=in.shop.example[192.0.2.7]:25, delay=1, \
delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)
2026-01-01T23:30:00.12+00:00 mx2 postfix-bulk/smtp[9]: 4cR1zQ5Jx9k: to=<ann@gmail.com>, relay=a.example[192.0.2.3]:25, \
delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)
2026-01-01T23:30:01.5+00:00 mx2 postfix/lmtp[9]: 4cR1zQ5Jxl: to=<local@shop.example>, relay=x[private/lmtp], delay=1, \
delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)
2026-01-01T23:30:02Z mx2 postfix/smtp[9]: 4cR1zQ5Jxm: to=<probe@a.example>, relay=a.example[192.0.2.3]:25, delay=1, \
delays=0/0/0/1, dsn=2.0.0, status=deliverable (250 ok)
Jan  1 00:10:00 mx1 postfix/smtpd[14]: NOQUEUE: reject: RCPT from h[192.0.2.7]: 554 no; to=<t@b>, status=sent (x)
Jan  1 00:10:00 mx1 sshd[14]: 4AAAAAAAA1: to=<no@postfix>, relay=x, status=sent (x)
Foo 99 00:10:00 mx1 postfix/smtp[14]: 4AAAAAAAA9: to=<x@y>, relay=x[1]:25, delay=1, status=sent (x)
Feb 29 00:10:00 mx1 postfix/smtp[14]: 4AAAAAAAA8: to=<leap@y.example>, relay=x[1]:25, delay=1, status=sent (x)
"""


def read(text: str) -> list[Tried]:
    return list(PostfixLog(BERLIN, NOW).read(text.splitlines(keepends=True)))


def test_what_a_log_says() -> None:
    """Attempts of smtp to others, by the local day; what a server says, and what other programs log, is no line."""
    found = [(each.recipient, each.relay, each.day.isoformat()) for each in read(LOG)]

    assert found == [
        ("ann@gmail.com", "mx.google.com", "2025-12-31"),
        ("ann@gmail.com", "mx.google.com", "2026-01-01"),
        ('"o d\\"d>"@host.example', None, "2026-01-01"),
        ("ann@gmail.com", "a.example", "2026-01-02"),
        ("leap@y.example", "x", "2024-02-29"),
    ]
    first, again, *_, other, _ = read(LOG)
    assert set(first.names) == set(again.names)
    assert set(first.names).isdisjoint(other.names)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    write_config(tmp_path, reports={"timezone": "Europe/Berlin"})
    with contextlib.chdir(tmp_path):
        assert call("db", "upgrade").returncode == 0
        yield tmp_path


def amounts(home: Path) -> Counter[tuple[str, str | None]]:
    store = Store.open(Database(url=f"sqlite:///{home}/bounced.db"))
    found = store.sent_amounts(date(2020, 1, 1), date(2100, 1, 1))
    store.close()
    return Counter({(each.day.isoformat(), each.provider): each.sent for each in found})


def lately(text: str, days: int) -> str:
    """Return the log with stamps of some days ago."""
    day = datetime.now(BERLIN) - timedelta(days=days)
    return "".join(
        f"{day:%b %e} 10:00:00 {line.split(' ', 3)[3].lstrip('0123456789: ').lstrip()}"
        for line in text.splitlines(keepends=True)
        if line[:3] in ("Dec", "Jan")
    )


def test_a_log_that_grew_and_was_rotated_counts_once(home: Path) -> None:
    """Again, grown, packed, from standard input: only what is new is counted, on the day of the first attempt."""
    whole = lately(LOG, 2)
    log = home / "mail.log"
    lines = whole.splitlines(keepends=True)
    log.write_text("".join(lines[:3]))
    day = (datetime.now(BERLIN) - timedelta(days=2)).date().isoformat()

    assert call("sent", "postfix-log", str(log)).stdout == "1 mail(s) counted, 1 attempt(s) read\n"
    log.write_text(whole)
    assert call("sent", "postfix-log", str(log)).stdout == "1 mail(s) counted, 3 attempt(s) read\n"
    (home / "mail.log.2.gz").write_bytes(gzip.compress(whole.encode()))
    assert call("sent", "postfix-log", "mail.log.2.gz", "mail.log").stdout == "0 mail(s) counted, 6 attempt(s) read\n"
    assert call("sent", "postfix-log", "-", stdin=whole.encode()).stdout == "0 mail(s) counted, 3 attempt(s) read\n"
    assert amounts(home) == {(day, "google"): 1, (day, None): 1}

    old = lately(LOG, 101).replace("shop.example", "old.example").replace("4A", "5A").replace("mx1", "mx9")
    assert call("sent", "postfix-log", "-", stdin=old.encode()).returncode == 1
    assert call("sent", "postfix-log", "nowhere.log").returncode == 2


@pytest.mark.slow
@pytest.mark.usefixtures("needs_postfix")
def test_the_log_of_a_real_postfix(home: Path) -> None:
    """Taken, refused, and put off before it is taken: three mails, however often they are tried and read."""
    replies = {"gone@remote.example": "550 5.1.1 unknown", "later@remote.example": "451 4.7.1 later"}
    with Receiver(replies) as receiver, Postfix(free_port(), {"remote.example": receiver.port}) as postfix:
        with smtplib.SMTP("127.0.0.1", postfix.port) as client:
            for name in ("ann", "gone", "later"):
                mail = EmailMessage()
                mail["Message-ID"], mail["Subject"] = f"<{name}@shop.example>", name
                client.send_message(mail, "b@lists.example.net", [f"{name}@remote.example"])
        logged(postfix, "status=deferred", "status=sent", "status=bounced")
        (home / "mail.log").write_text(postfix.log())
        assert call("sent", "postfix-log", "mail.log").stdout.startswith("3 mail(s) counted")

        del receiver.replies["later@remote.example"]
        postfix.flush()
        logged(postfix, "to=<later@remote.example>.*status=sent")
        (home / "mail.log").write_text(postfix.log())
        assert call("sent", "postfix-log", "mail.log").stdout.startswith("0 mail(s) counted")
    assert sum(amounts(home).values()) == 3


def logged(postfix: Postfix, *patterns: str) -> None:
    end = time.monotonic() + 20
    while not all(re.search(pattern, postfix.log()) for pattern in patterns):
        assert time.monotonic() < end, postfix.log()
        time.sleep(0.1)


def test_counts_from_files(home: Path) -> None:
    """CSV and JSON lines; the same day and names again take the place of what was told before."""
    rows = "day,sent,campaign,provider", "2026-11-01,100,autumn,google", "2026-11-01,50,autumn,", "2026-11-31,1,,"
    table = "\n".join((*rows, "2026-11-02,x,,\n"))
    done = call("sent", "import", "-", stdin=table.encode())
    assert (done.returncode, done.stdout) == (1, "2 count(s) recorded, 2 line(s) not understood\n")
    assert [line[:7] for line in done.stderr.splitlines()] == ["line 4:", "line 5:"]

    lines = [{"day": "2026-11-01", "sent": 70, "campaign": "autumn"}, {"day": "2026-11-02", "sent": 5}]
    done = call("sent", "import", "-", stdin="\n".join(map(json.dumps, lines)).encode())
    assert (done.returncode, done.stdout) == (0, "2 count(s) recorded\n")
    assert amounts(home) == {("2026-11-01", "google"): 100, ("2026-11-01", None): 70, ("2026-11-02", None): 5}


def test_rates(home: Path) -> None:
    """By whoever can tell the rows apart; sources are not added up; what is not known is no nought."""
    store = Store.open(Database(url=f"sqlite:///{home}/bounced.db"))
    day, at = date(2026, 11, 1), datetime(2026, 11, 1, 12, tzinfo=UTC)
    with store.begin() as tx:
        tx.record([event(n, at, provider="google") for n in range(4)])
    store.put_sent_counts([SentCount(day, 200, campaign="autumn"), SentCount(day, 40, list="news")])
    store.put_sent_counts([SentCount(day, 160, provider="google", source="log"), SentCount(day, 80, source="log")])

    def sent(by: By, only: Only = Only()) -> tuple[dict[str | None, int | None], int | None, str | None]:  # noqa: B008
        found = store.report(ReportQuery(day, day, by, "UTC", only))
        return {row.key: row.figures.sent for row in found.rows}, found.total.figures.sent, found.source

    assert sent(By.PROVIDER) == ({"google": 160, None: 80}, 240, "log")
    assert sent(By.CAMPAIGN) == ({"autumn": 200, None: 40}, 240, "sender")
    assert sent(By.DAY, Only(provider="google")) == ({"2026-11-01": 160}, 160, "log")
    assert sent(By.REASON) == ({"mailbox_unknown": None}, 240, "log")
    assert sent(By.DAY, Only(reason="mailbox_unknown")) == ({"2026-11-01": None}, None, None)
    assert sent(By.CATEGORY) == ({None: None}, None, None)
    (row, _) = store.report(ReportQuery(day, day, By.PROVIDER)).rows
    assert (row.figures.hard_rate, row.figures.complaint_rate) == (4 / 160, 0.0)
    store.close()
