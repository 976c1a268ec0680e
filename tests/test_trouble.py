"""What goes wrong, and what the operator then reads: a clear message, nothing lost, nothing else stopped."""

import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import yaml

from tests.servers.dovecot import Dovecot
from tests.servers.postfix import free_port
from tests.servers.program import bounced, configuration

TRY_LATER, WRONG_CONFIGURATION = 75, 2
DSN = b"""\
From: MAILER-DAEMON@mx.example.net
To: bounces@lists.example.net
Subject: Undelivered Mail Returned to Sender
Message-ID: <%d.dsn@mx.example.net>
Content-Type: multipart/report; report-type=delivery-status; boundary="b"
MIME-Version: 1.0

--b
Content-Type: text/plain

It could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; gone%d@remote.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--b
Content-Type: message/rfc822

From: shop@lists.example.net
To: gone%d@remote.example
Message-ID: <%d@lists.example.net>
Subject: Your order

%s
--b--
"""


def dsn(number: int, original: bytes = b"It is on its way.") -> bytes:
    """Return a report of one unknown user."""
    return DSN % (number, number, number, number, original)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/bounced.db"


def events(config: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in bounced(config, "events", "--format", "jsonl").stdout.splitlines()]


def suppressed(config: Path, number: int) -> bool:
    return bounced(config, "check", f"gone{number}@remote.example").returncode == 0


def edit(config: Path, section: str, **changes: object) -> None:
    """Change a section of a config.yaml that was written before."""
    document = yaml.safe_load(config.read_text())
    document.setdefault(section, {}).update(changes)
    config.write_text(yaml.safe_dump(document))


def test_a_wrong_password_is_named_and_mended_later(tmp_path: Path, dovecot: Dovecot, sqlite_url: str) -> None:
    """The mail waits in the mailbox until the password is right."""
    dovecot.deliver("bounces", dsn(1))
    config = configuration(tmp_path, dovecot, sqlite_url)
    bounced(config, "db", "upgrade")
    (tmp_path / "password").write_text("wrong\n")

    refused = bounced(config, "poll")
    (tmp_path / "password").write_text("secret\n")
    taken = bounced(config, "poll")

    assert refused.returncode == TRY_LATER
    assert "password" in (refused.stdout + refused.stderr).lower()
    assert taken.returncode == 0
    assert suppressed(config, 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"host": "no-such-host.invalid"}, "no-such-host.invalid"),
        ({"port": 1}, "refused"),
    ],
)
def test_a_host_that_is_not_there_is_named(
    tmp_path: Path, dovecot: Dovecot, sqlite_url: str, changes: dict[str, object], said: str
) -> None:
    """Unknown to the name service, or nobody listens: the words differ."""
    config = configuration(tmp_path, dovecot, sqlite_url, **changes)
    bounced(config, "db", "upgrade")

    done = bounced(config, "poll")

    assert done.returncode == TRY_LATER
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_an_expired_certificate_is_refused_by_that_name(needs_dovecot: None, tmp_path: Path, sqlite_url: str) -> None:
    """No password is sent to a server that cannot show who it is."""
    with Dovecot(certificate="expired") as server:
        config = configuration(tmp_path, server, sqlite_url)
        bounced(config, "db", "upgrade")
        done = bounced(config, "poll")
        log = server.log()

    assert done.returncode == TRY_LATER
    assert "expired" in done.stdout + done.stderr
    assert "Login: user=" not in log


@contextmanager
def silent_server() -> Iterator[int]:
    """Listen on a port, accept, and never say a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    held.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        for connection in held:
            connection.close()


def test_a_mailbox_that_hangs_delays_no_other(tmp_path: Path, dovecot: Dovecot, sqlite_url: str) -> None:
    """The good one is worked off in the same poll."""
    dovecot.deliver("bounces", dsn(1))
    config = configuration(tmp_path, dovecot, sqlite_url)
    document = yaml.safe_load(config.read_text())
    with silent_server() as port:
        hanging = document["mailboxes"][0] | {"name": "hanging", "host": "127.0.0.1", "port": port, "timeout": 2}
        document["mailboxes"].insert(0, hanging)
        config.write_text(yaml.safe_dump(document))
        bounced(config, "db", "upgrade")
        done = bounced(config, "poll")

    assert done.returncode == TRY_LATER
    assert "hanging" in done.stdout + done.stderr
    assert suppressed(config, 1)


def test_a_locked_database_loses_nothing(tmp_path: Path, dovecot: Dovecot, sqlite_url: str) -> None:
    """Somebody holds the write lock: try later, the mail stays where it is."""
    dovecot.deliver("bounces", dsn(1))
    config = configuration(tmp_path, dovecot, sqlite_url)
    edit(config, "database", busy_timeout=0.5)
    bounced(config, "db", "upgrade")
    with closing(sqlite3.connect(tmp_path / "bounced.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        done = bounced(config, "poll")
        waiting = len(dovecot.messages())

    assert (done.returncode, waiting) == (TRY_LATER, 1)
    assert "locked" in done.stdout + done.stderr
    assert bounced(config, "poll").returncode == 0
    assert suppressed(config, 1)


@pytest.mark.parametrize("url", ["sqlite:////no/such/folder/bounced.db", "postgresql://nobody@127.0.0.1:{port}/none"])
def test_a_database_that_is_not_there_loses_nothing(tmp_path: Path, dovecot: Dovecot, url: str) -> None:
    """Neither for an absent folder nor for a server that does not answer is a mail touched."""
    dovecot.deliver("bounces", dsn(1))
    config = configuration(tmp_path, dovecot, url.format(port=free_port()))

    polled, checked = bounced(config, "poll"), bounced(config, "check", "ann@example.org")

    assert (polled.returncode, checked.returncode) == (TRY_LATER, TRY_LATER)
    assert "cannot be" in polled.stderr or "does not exist" in polled.stderr
    assert "Traceback" not in polled.stdout + polled.stderr
    assert len(dovecot.messages()) == 1


def test_a_rule_file_with_an_error_stops_the_start_by_file_and_id(
    tmp_path: Path, dovecot: Dovecot, sqlite_url: str
) -> None:
    """Nothing is judged by half a set of rules."""
    dovecot.deliver("bounces", dsn(1))
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "ours.yaml").write_text(
        "- {id: ours.full, when: {text: 'voll'}, reason: mailbox_full, because: Ours.,"
        " matches: ['leer'], rejects: ['hallo']}\n"
    )
    config = configuration(tmp_path, dovecot, sqlite_url)
    edit(config, "rules", local=str(rules))
    bounced(config, "db", "upgrade")

    done = bounced(config, "poll")

    assert done.returncode == WRONG_CONFIGURATION
    assert "ours.yaml" in done.stdout + done.stderr
    assert "ours.full" in done.stdout + done.stderr
    assert len(dovecot.messages()) == 1


def bomb(parts: int) -> bytes:
    """Return a mail of many small parts."""
    part = b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    head = b"From: a@example.org\r\nSubject: parts\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    return head + part * parts + b"--b--\r\n"


def test_monstrous_mail_stops_nothing(tmp_path: Path, dovecot: Dovecot, sqlite_url: str) -> None:
    """60 MB, 10,000 parts, nothing at all: the report behind them is worked off, and each is accounted for."""
    huge = dsn(2, b"0123456789abcdef" * 61 * 1024 * 64)
    for content in (huge, bomb(10_000), b"", dsn(1)):
        dovecot.deliver("bounces", content)
    config = configuration(tmp_path, dovecot, sqlite_url)
    bounced(config, "db", "upgrade")

    done = bounced(config, "poll")

    assert done.returncode == 0, done.stdout + done.stderr
    assert suppressed(config, 1)
    assert suppressed(config, 2)  # what the limit let in was enough to know whom it is about
    quarantined = [content for _, content in dovecot.messages("bounces", "Quarantine")]
    assert [c.count(b"--b\r\n") for c in quarantined] == [10_000]
    assert "mime_parts" in done.stdout + done.stderr
    everywhere = sum(len(dovecot.messages("bounces", f)) for f in ("INBOX", "Processed", "Review", "Quarantine"))
    assert everywhere == 4
