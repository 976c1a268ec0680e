"""What the demo runs beside itself: a mail server, a webhook receiver, the daemon."""

import imaplib
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from standardwebhooks import Webhook, WebhookVerificationError

from bounced.cli.demo_forms import DOMAIN
from bounced.cli.demo_plan import FEEDBACK, RETURNS
from bounced.errors import ConfigError, MailboxDown

_USER = "bounces"
_START_SECONDS = 20.0
_FILES = ("bounced.db", "bounced.db-wal", "bounced.db-shm", "config.yaml", "daemon.log", "mailserver.log")
#: The folder of rules that are taken over on the page.
_RULES = "rules"
#: How a configuration begins that a demo wrote.
_WRITTEN = "# Written by `bounced demo`; what is named here ended with it.\n"
#: An endpoint that is there no more.
_CRM: dict[str, Any] = {
    "name": "crm",
    "url": "https://crm.example/hooks/bounced",
    "secret": "whsec_" + b64encode(bytes(range(32))).decode(),
    "types": ["wave.*", "alarm.*", "suppression.expired"],
}


def fresh(folder: Path) -> None:
    """Make the folder, and remove what an earlier demo left in it. Raises ConfigError where another's files are."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = folder / "config.yaml"
    ours = config.is_file() and config.read_bytes().startswith(_WRITTEN.encode())
    found = [name for name in _FILES[:-1] if (folder / name).exists()]  # the last is there before any configuration
    if found and not ours:
        raise ConfigError([f"{folder / found[0]}: no demo wrote that; name another --folder"])
    for name in (*_FILES, f"{_RULES}/accepted.yaml"):
        (folder / name).unlink(missing_ok=True)


class MailServer:
    """An IMAP server in a process of its own; its mail is gone when it ends."""

    def __init__(self, log: Path) -> None:
        if find_spec("pymap") is None:
            raise ConfigError(['the demo needs an IMAP server: pip install "bounced-daemon[demo]"'])
        self.port, self.password = _free_port(), secrets.token_hex(12)
        self._log = log

    @contextmanager
    def running(self) -> "Iterator[MailServer]":
        """Start it, and stop it at the end. Raises MailboxDown if it does not come up."""
        arguments = ["--host", "127.0.0.1", "--port", str(self.port), "--no-tls"]
        backend = ["dict", "--demo-user", _USER, "--demo-password", self.password]
        with _process(["-c", "from pymap.main import main; main()", *arguments, *backend], self._log):
            self._wait()
            yield self

    def deliver(self, content: bytes) -> None:
        """Put one mail into the inbox."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=10) as imap:
            imap.login(_USER, self.password)
            imap.append("INBOX", "", "", content)

    def unread(self) -> int:
        """Return how many mails are in the inbox that nobody has read."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=10) as imap:
            imap.login(_USER, self.password)
            imap.select("INBOX", readonly=True)
            _, found = imap.search(None, "UNSEEN")
            return len(found[0].split()) if found and found[0] else 0

    def _wait(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise MailboxDown(f"the mail server of the demo did not start; see {self._log}")


class Receiver:
    """A webhook endpoint as an application would have it: it verifies each signature, and remembers what came."""

    def __init__(self) -> None:
        self.secret = "whsec_" + b64encode(secrets.token_bytes(32)).decode()
        self.verified: list[dict[str, Any]] = []
        self.refused = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    @contextmanager
    def running(self) -> "Iterator[Receiver]":
        """Answer until the end."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()

    def take(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Return the status to answer: 204 for what verifies, else 401."""
        try:
            Webhook(self.secret).verify(body, {name.lower(): value for name, value in headers.items()})
        except WebhookVerificationError:
            self.refused += 1
            return 401
        self.verified.append(json.loads(body))
        return 204


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(receiver.take(body, dict(self.headers.items())))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing: the demo does."""

    return Handler


def write_config(folder: Path, server: MailServer, receiver: Receiver) -> Path:
    """Write the config.yaml of the live demo, readable by its owner only, and return its path."""
    mailbox = {
        "name": RETURNS,
        "host": "127.0.0.1",
        "port": server.port,
        "security": "plain",
        "user": _USER,
        "password": server.password,
        "poll_every": 1,
    }
    hook = {"name": "shop", "url": receiver.url, "secret": receiver.secret, "allow_private_address": True}
    return _write(folder, [mailbox], [hook, _CRM])


def write_quiet_config(folder: Path) -> Path:
    """Write a config.yaml of the demo that needs no server: two folders are polled, in which nothing lies."""
    boxes = []
    for name in (RETURNS, FEEDBACK):
        (folder / "mail" / name).mkdir(parents=True, exist_ok=True)
        boxes.append({"name": name, "kind": "eml", "path": str(folder.resolve() / "mail" / name)})
    return _write(
        folder, boxes, [_CRM | {"name": "shop", "url": "https://shop.example/hooks/bounced", "types": ["*"]}, _CRM]
    )


def _write(folder: Path, mailboxes: list[dict[str, Any]], webhooks: list[dict[str, Any]]) -> Path:
    path = folder / "config.yaml"
    rules = folder.resolve() / _RULES
    rules.mkdir(exist_ok=True)
    document = {
        "database": {"url": f"sqlite:///{folder.resolve() / 'bounced.db'}"},
        "mailboxes": mailboxes,
        "correlation": {"domains": [DOMAIN]},
        "rules": {"local": str(rules)},
        "policy": {"soft": {"suppress_days": 30}},
        "webhooks": webhooks,
        "http": {"port": 0},
        "limits": {"workers": 1},
        "log": {"format": "json"},
    }
    path.touch(mode=0o600)
    path.write_text(_WRITTEN + yaml.safe_dump(document, sort_keys=False))
    return path


@contextmanager
def daemon(config: Path, log: Path) -> Iterator[Callable[[], bool]]:
    """Run the real daemon as a process, and stop it by SIGTERM at the end. Yields what tells whether it still runs."""
    with _process(["-m", "bounced", "run", "--config", str(config)], log) as process:
        yield lambda: process.poll() is None


@contextmanager
def _process(arguments: list[str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run Python with these arguments; SIGTERM, then SIGKILL, end it. It does not see the terminal's Ctrl-C."""
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603  our own interpreter, our own arguments
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
