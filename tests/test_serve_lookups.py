"""`serve` with look-ups and nothing else: it answers at once, and moves with its configuration."""

import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import yaml

from bounced.config import Database
from bounced.store import Store
from tests.servers.postfix import free_port, wait_for
from tests.servers.program import eventually
from tests.store.conftest import change


def asked(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(b"25:suppressed dead@x.example,")
        return connection.recv(1000)


def write(config: Path, url: str, port: int) -> None:
    document = {
        "database": {"url": url},
        "http": {"enabled": False},
        "lookups": {"socketmap": [f"127.0.0.1:{port}"]},
        "limits": {"workers": 1},
    }
    config.write_text(yaml.safe_dump(document))


def test_it_answers_and_moves_with_its_configuration(tmp_path: Path) -> None:
    url, first, second = f"sqlite:///{tmp_path}/bounced.db", free_port(), free_port()
    store = Store.open(Database(url=url))
    store.upgrade()
    with store.begin() as tx:
        tx.journal([change("dead@x.example", datetime.now(UTC))])
    store.close()
    write(tmp_path / "config.yaml", url, first)
    command = [sys.executable, "-m", "bounced", "serve", "--config", str(tmp_path / "config.yaml")]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            wait_for(first, 30)
            assert eventually(lambda: b'"ready"' in (tmp_path / "log").read_bytes())
            assert b"OK REJECT 5.1.1 on the suppression list since " in asked(first)

            write(tmp_path / "config.yaml", url, second)
            process.send_signal(signal.SIGHUP)
            wait_for(second, 30)
            assert b"OK REJECT 5.1.1 " in asked(second)
        finally:
            process.terminate()
            status = process.wait(30)
    assert status == 0, (tmp_path / "log").read_text()
