"""The program as its operator runs it: a config.yaml, commands, the daemon as a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.webhook import Endpoint


def configuration(
    folder: Path, dovecot: Dovecot, url: str, endpoint: Endpoint | None = None, **mailbox_changes: object
) -> Path:
    """Write a config.yaml as an operator would, and return its path."""
    (folder / "password").write_text(PASSWORD + "\n")
    path = folder / "config.yaml"
    mailbox = {
        "name": "returns",
        "kind": "imap",
        "host": "localhost",
        "port": dovecot.port_imaps,
        "ca_file": str(dovecot.ca_file),
        "user": "bounces",
        "password": {"file": str(folder / "password")},
        "poll_every": 1,
        **mailbox_changes,
    }
    document = {
        "database": {"url": url},
        "mailboxes": [mailbox],
        "webhooks": [endpoint.settings()] if endpoint else [],
        "http": {"port": 0},
        "limits": {"workers": 1},
        "log": {"format": "json"},
    }
    path.write_text(yaml.safe_dump(document))
    return path


def bounced(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command as its user does."""
    command = [sys.executable, "-m", "bounced", *arguments, "--config", str(config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def daemon(config: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the daemon; stop it by SIGTERM at the end and demand that it goes in peace."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "bounced", "run", "--config", str(config)],
            stdout=out, stderr=out, env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            status = process.wait(30)
    assert status == 0, log.read_text()


def eventually(true: Callable[[], bool], seconds: float = 30) -> bool:
    """Return True as soon as `true()` is; False if it never was."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.1)
    return False
