"""The daemon as a process: readiness, signals, reload, heartbeat, and mailboxes that hang."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import yaml

from bounced.cli.demo_mails import Story, stories
from tests.servers.dovecot import Dovecot
from tests.servers.postgres import Postgres
from tests.servers.program import bounced, configuration, eventually
from tests.servers.webhook import Endpoint

pytestmark = pytest.mark.slow


class Running:
    """A daemon, its log, and what it tells its supervisor."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path, told: list[str]) -> None:
        self.process, self._log, self.told = process, log, told

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of one event so far."""
        lines = [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def wait_for(self, event: str, count: int = 1, seconds: float = 40) -> dict[str, Any]:
        """Return the last line of an event, once there are so many."""
        assert eventually(lambda: len(self.lines(event)) >= count, seconds), self._log.read_text()
        return self.lines(event)[-1]

    def get(self, path: str) -> tuple[int, str]:
        """Ask the daemon over HTTP."""
        try:
            with urlopen(self.lines("ready")[-1]["http"] + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as exc:
            with exc:
                return exc.code, exc.read().decode()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(40)


@contextmanager
def listening(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Listen as a supervisor does: the path of the socket, and what was told, in order."""
    path, told = folder / "notify", list[str]()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(path))
        supervisor.settimeout(0.2)
        stop = threading.Event()

        def listen() -> None:
            while not stop.is_set():
                try:
                    told.append(supervisor.recv(4096).decode())
                except TimeoutError:
                    continue

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield path, told
        finally:
            stop.set()
            thread.join()


Start = Callable[[Path], Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a daemon with a supervisor that wants a heartbeat every 3 seconds; it is gone afterwards."""
    running: list[Running] = []

    def begin(config: Path) -> Running:
        log = tmp_path / f"daemon{len(running) or ''}.log"
        environ = os.environ | {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "3000000", "PYTHONUNBUFFERED": "1"}
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "bounced", "run", "--config", str(config)],
                stdout=out, stderr=out, env=environ,
            )  # fmt: skip
        running.append(Running(process, log, told))
        return running[-1]

    with listening(tmp_path) as (path, told):
        yield begin
        for daemon in running:
            if daemon.process.poll() is None:
                daemon.process.kill()
                daemon.process.wait()


@pytest.fixture
def mails() -> list[Story]:
    from datetime import UTC, datetime

    return stories(datetime.now(UTC))


def write(folder: Path, **sections: object) -> Path:
    (folder / "mails").mkdir(exist_ok=True)
    document = {
        "database": {"url": f"sqlite:///{folder / 'bounced.db'}"},
        "mailboxes": [{"name": "files", "kind": "eml", "path": str(folder / "mails"), "poll_every": 0.5}],
        "limits": {"workers": 1},
        "http": {"port": 0},
        "log": {"format": "json"},
        **sections,
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def test_it_polls_tells_and_goes_in_peace(start: Start, tmp_path: Path, dovecot: Dovecot, mails: list[Story]) -> None:
    """Ready when it is; the address suppressed, the webhook verified, the message filed; stopped by SIGTERM."""
    with Endpoint() as endpoint:
        config = configuration(tmp_path, dovecot, f"sqlite:///{tmp_path / 'b.db'}", endpoint)
        dovecot.deliver("bounces", mails[0].content)
        daemon = start(config)
        line = daemon.wait_for("message")
        assert eventually(lambda: len(endpoint.got) == 2)
        assert eventually(lambda: daemon.get("/readyz")[0] == 200)
        posted = 'bounced_webhook_attempts_total{endpoint="test",outcome="done"} 2.0'
        assert eventually(lambda: posted in daemon.get("/metrics")[1])
        _, metrics = daemon.get("/metrics")
        status = daemon.stop()

    assert (line["mailbox"], line["reader"], line["outcome"]) == ("returns", "rfc3464", "processed")
    assert line["rule"]
    assert line["ms"] > 0
    assert sorted(endpoint.types()) == ["bounce.hard", "suppression.created"]
    assert endpoint.refused == 0
    assert 'bounced_messages_total{mailbox="returns",outcome="processed"} 1.0' in metrics
    assert "bounced_suppressions 1.0" in metrics
    assert len(dovecot.messages("bounces", "Processed")) == 1
    assert status == 0
    assert daemon.told.index("READY=1") < daemon.told.index("STOPPING=1")
    assert "WATCHDOG=1" in daemon.told
    assert bounced(config, "check", "erika@customer.example").returncode == 0


def test_no_address_is_logged_or_measured(start: Start, tmp_path: Path, mails: list[Story]) -> None:
    """At the usual level."""
    daemon = start(write(tmp_path))
    for number, mail in enumerate(mails):
        (tmp_path / "mails" / f"{number:02}.eml").write_bytes(mail.content)
    daemon.wait_for("message", len(mails))
    _, metrics = daemon.get("/metrics")

    assert "@" not in (tmp_path / "daemon.log").read_text()
    assert "@" not in metrics


def test_sigint_ends_it_too(start: Start, tmp_path: Path) -> None:
    daemon = start(write(tmp_path))
    daemon.wait_for("ready")

    assert daemon.stop(signal.SIGINT) == 0


def test_sigterm_finishes_the_batch_and_the_next_daemon_the_rest(
    start: Start, tmp_path: Path, dovecot: Dovecot, mails: list[Story]
) -> None:
    """Every message that was counted was moved, every other one is still there; in the end each counted once."""
    total = 300
    for number in range(total):
        dovecot.deliver("bounces", mails[0].content.replace(b"newsletter.1@", b"n%d@" % number))
    config = configuration(tmp_path, dovecot, f"sqlite:///{tmp_path / 'b.db'}", batch=10)
    first = start(config)
    first.wait_for("message")

    assert first.stop() == 0

    events = bounced(config, "events", "--limit", "0", "--format", "jsonl").stdout.splitlines()
    assert 0 < len(events) < total
    assert len(dovecot.messages("bounces", "Processed")) == len(events)
    assert len(dovecot.messages("bounces")) == total - len(events)
    second = start(config)
    assert eventually(lambda: len(dovecot.messages("bounces", "Processed")) == total)
    assert second.stop() == 0
    events = bounced(config, "events", "--limit", "0", "--format", "jsonl").stdout.splitlines()
    assert len({json.loads(line)["message_id"] for line in events}) == len(events) == total


def test_of_two_daemons_on_one_database_one_polls_and_the_other_takes_over(
    start: Start, tmp_path: Path, postgres: Postgres, mails: list[Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease is given back at the end; the one that waits is ready all the same."""
    config = write(tmp_path, database={"url": postgres.database()})
    first = start(config)
    assert eventually(lambda: first.lines("ready") and json.loads(first.get("/readyz")[1])["status"] == "ready")
    second = start(config)

    assert eventually(lambda: second.lines("ready") and second.get("/readyz")[0] == 200)
    assert json.loads(second.get("/readyz")[1])["mailboxes"]["files"]["elsewhere"]
    assert bounced(config, "poll").returncode == 75
    assert first.stop() == 0
    (tmp_path / "mails/1.eml").write_bytes(mails[0].content)
    assert second.wait_for("message", seconds=40)["outcome"] == "processed"
    assert second.stop() == 0


def test_sighup_takes_the_new_configuration(start: Start, tmp_path: Path, mails: list[Story]) -> None:
    """A second mailbox comes in; HTTP answers at the same place; the supervisor is told of the reload."""
    daemon = start(write(tmp_path))
    daemon.wait_for("ready")
    (tmp_path / "more").mkdir()
    (tmp_path / "more/1.eml").write_bytes(mails[0].content)
    boxes = [{"name": name, "kind": "eml", "path": str(tmp_path / name), "poll_every": 1} for name in ("mails", "more")]
    write(tmp_path, mailboxes=boxes)

    daemon.process.send_signal(signal.SIGHUP)

    assert daemon.wait_for("message")["mailbox"] == "more"
    assert eventually(lambda: set(json.loads(daemon.get("/readyz")[1])["mailboxes"]) == {"mails", "more"})
    reload = next(n for n, told in enumerate(daemon.told) if told.startswith("RELOADING=1\nMONOTONIC_USEC="))
    assert "READY=1" in daemon.told[reload:]
    assert daemon.stop() == 0


@pytest.mark.parametrize("broken", ["configuration", "rules"])
def test_sighup_keeps_the_old_where_the_new_does_not_check(
    start: Start, tmp_path: Path, mails: list[Story], broken: str
) -> None:
    """And says why, and goes on working."""
    daemon = start(write(tmp_path))
    daemon.wait_for("ready")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/50-own.yaml").write_text("- id: own.rule\n  reason: mailbox_fulll\n")
    write(
        tmp_path,
        **({"http": {"prot": 1}} if broken == "configuration" else {"rules": {"local": str(tmp_path / "rules")}}),
    )

    daemon.process.send_signal(signal.SIGHUP)

    problems = " ".join(daemon.wait_for("reload refused, the old configuration stays")["problems"])
    assert ('did you mean "port"' in problems) if broken == "configuration" else ("own.rule" in problems)
    (tmp_path / "mails/1.eml").write_bytes(mails[0].content)
    assert daemon.wait_for("message")["outcome"] == "processed"


def test_a_configuration_that_does_not_check_starts_nothing(start: Start, tmp_path: Path) -> None:
    daemon = start(write(tmp_path, http={"port": "x"}))

    assert daemon.process.wait(30) == 2
    assert "READY=1" not in daemon.told


def test_a_stuck_loop_stops_the_heartbeat_and_nothing_else(start: Start, tmp_path: Path, mails: list[Story]) -> None:
    """A server that sends an octet now and then outwits every time-out, but not the promise to make progress."""
    with dribbling() as port:
        stuck = {
            "name": "stuck", "host": "127.0.0.1", "port": port, "security": "plain",
            "user": "u", "password": "p", "timeout": 0.5,
        }  # fmt: skip
        files = {"name": "files", "kind": "eml", "path": str(tmp_path / "mails"), "poll_every": 0.5}
        daemon = start(write(tmp_path, mailboxes=[stuck, files]))

        assert daemon.wait_for("stuck")["loops"] == ["mailbox stuck"]
        heard = daemon.told.count("WATCHDOG=1")
        (tmp_path / "mails/1.eml").write_bytes(mails[0].content)
        assert daemon.wait_for("message")["mailbox"] == "files"
        time.sleep(3)

        assert daemon.told.count("WATCHDOG=1") == heard
        assert daemon.get("/healthz")[0] == 503
        assert json.loads(daemon.get("/healthz")[1])["stuck"] == ["mailbox stuck"]
        assert daemon.get("/readyz")[0] == 503


def test_a_mailbox_that_hangs_delays_no_other(start: Start, tmp_path: Path, mails: list[Story]) -> None:
    """It is named by readiness, and nothing keeps the daemon from ending."""
    with dribbling(every=60) as port:
        hangs = {
            "name": "hangs", "host": "127.0.0.1", "port": port, "security": "plain",
            "user": "u", "password": "p", "timeout": 1,
        }  # fmt: skip
        files = {"name": "files", "kind": "eml", "path": str(tmp_path / "mails"), "poll_every": 0.5}
        (tmp_path / "mails").mkdir()
        (tmp_path / "mails/1.eml").write_bytes(mails[0].content)
        daemon = start(write(tmp_path, mailboxes=[hangs, files]))

        assert daemon.wait_for("message")["mailbox"] == "files"
        assert eventually(
            lambda: ("mailbox hangs", "MailboxDown") in [(x["loop"], x["error"]) for x in daemon.lines("failed")]
        )
        ready = json.loads(daemon.get("/readyz")[1])["mailboxes"]
        assert ready["files"]["ok"]
        assert not ready["hangs"]["ok"]
        assert ready["hangs"]["problem"]
        assert daemon.stop() == 0


def test_it_waits_for_a_database_that_is_away(start: Start, tmp_path: Path) -> None:
    """Not ready, not dead; the status line says what it waits for; it stops when told."""
    daemon = start(write(tmp_path, database={"url": "postgresql://nobody@127.0.0.1:1/none", "busy_timeout": 1}))

    assert eventually(lambda: any(t.startswith("STATUS=waiting for the database; database:") for t in daemon.told))
    assert "READY=1" not in daemon.told
    assert daemon.stop() == 0


@contextmanager
def dribbling(every: float = 0.2) -> Iterator[int]:
    """Listen, and send an octet of a greeting that never ends every so many seconds; yields the port."""
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                client, _ = server.accept()
            except TimeoutError:
                continue
            with client:
                try:
                    while not stop.wait(min(every, 0.2)):
                        client.sendall(b"*" if every < 1 else b"")
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stop.set()
            thread.join()
