"""`bounced serve` and `bounced run` as their operator starts them: processes of their own, tokens from the command."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import yaml

from bounced.cli.demo_mails import stories
from tests.servers.postgres import Postgres
from tests.servers.program import bounced, eventually

pytestmark = pytest.mark.slow
PATH = "/v1/suppressions/ann@example.com"


class Process:
    """One of the two commands, at work."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process, self._log = process, log

    def lines(self, event: str) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]
        return [line for line in found if line["event"] == event]

    def ask(self, path: str, token: str = "", body: object = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        try:
            with urlopen(Request(self.lines("ready")[-1]["http"] + path, data, headers), timeout=30) as answer:
                return answer.status, json.load(answer)
        except HTTPError as exc:
            with exc:
                return exc.code, json.load(exc)


@contextmanager
def started(command: str, config: Path) -> Iterator[Process]:
    """Run the command until the end of the block; it must end in peace on SIGTERM."""
    log = config.with_name(f"{command}.log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "bounced", command, "--config", str(config)],
            stdout=out, stderr=out, env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        running = Process(process, log)
        try:
            assert eventually(lambda: bool(running.lines("ready")), 40), log.read_text()
            yield running
        finally:
            process.terminate()
            status = process.wait(40)
    assert status == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def configuration(folder: Path, url: str, **changes: object) -> Path:
    (folder / "mails").mkdir(exist_ok=True)
    (folder / "mails" / "one.eml").write_bytes(stories(datetime.now(UTC))[0].content)
    mailbox = {"name": "returns", "kind": "eml", "path": str(folder / "mails"), "poll_every": 1}
    path = folder / "config.yaml"
    document = {"database": {"url": url, "busy_timeout": 3}, "mailboxes": [mailbox], "limits": {"workers": 1}}
    path.write_text(yaml.safe_dump(document | {"http": {"port": 0}, "log": {"format": "json"}} | changes))
    return path


def token(config: Path, name: str, *scopes: str) -> str:
    done = bounced(config, "tokens", "create", name, *(part for scope in scopes for part in ("--scope", scope)))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_serve_only_answers(database_url: str, tmp_path: Path) -> None:
    """It makes the tables, polls nothing, takes a new configuration, and ends in peace."""
    config = configuration(tmp_path, database_url)
    with started("serve", config) as serving:
        secret = token(config, "shop", "check", "write")
        body = {"address": "ann@example.com", "why": "asked us to"}
        assert serving.ask("/v1/suppressions", secret, body)[0] == 201

        configuration(tmp_path, database_url, limits={"workers": 1, "message_bytes": 20_000})
        serving.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: bool(serving.lines("reloaded")))

        assert serving.ask(PATH, secret)[1]["suppression"]["actor"] == "token shop"
        assert serving.ask("/v1/classify", secret, {"reply": "550 5.1.1 no such user"})[1]["category"] == "hard"
        assert serving.ask("/healthz")[0] == serving.ask("/readyz")[0] == 200

        assert bounced(config, "tokens", "revoke", "shop").returncode == 0
        assert eventually(lambda: serving.ask(PATH, secret)[0] == 401, 10)
    assert (tmp_path / "mails" / "one.eml").exists()
    assert not serving.lines("handled")
    assert "ann@example.com" not in (tmp_path / "serve.log").read_text()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_run_answers_beside_its_work(database_url: str, tmp_path: Path) -> None:
    """What it reads can be asked for at the same address; a process that only answers sees it at once too."""
    config = configuration(tmp_path, database_url)
    with started("run", config) as running:
        secret = token(config, "reader", "read")
        assert eventually(lambda: len(running.ask("/v1/events", secret)[1].get("items", ())) == 1)
        (event,) = running.ask("/v1/events", secret)[1]["items"]
        with started("serve", config) as serving:
            assert serving.ask(f"/v1/events/{event['id']}", secret)[1] == event


def test_a_database_that_restarts(postgres: Postgres, tmp_path: Path) -> None:
    """While it is away the answer is `temporary`; once it is back, the answer is right again, and nothing was lost."""
    config = configuration(tmp_path, postgres.database())
    with started("serve", config) as serving:
        secret = token(config, "shop", "check", "write")
        assert serving.ask("/v1/suppressions", secret, {"address": "ann@example.com", "why": "x"})[0] == 201
        try:
            postgres.stop()
            status, problem = serving.ask(PATH, secret)
            assert (status, problem["title"]) == (503, "Service Unavailable")
            assert "postgres" not in json.dumps(problem).lower()
            assert serving.ask("/v1/suppressions/check", secret, {"addresses": ["ann@example.com"]})[0] == 503
            assert serving.ask("/healthz")[0] == 200
        finally:
            postgres.start()

        assert eventually(lambda: serving.ask(PATH, secret)[0] == 200, 20)
        assert serving.ask(PATH, secret)[1]["suppressed"] is True


def test_serve_without_http_is_a_mistake(tmp_path: Path) -> None:
    config = configuration(tmp_path, f"sqlite:///{tmp_path}/bounced.db", http={"enabled": False})

    done = bounced(config, "serve")

    assert done.returncode == 2
    assert "http.enabled" in done.stderr
