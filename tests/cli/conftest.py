"""A small installation: configuration, a folder of mails for a mailbox, and the commands as their user calls them."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from bounced.cli import main
from bounced.cli.demo_mails import Story, stories

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]


@pytest.fixture(scope="session")
def mails() -> list[Story]:
    return stories(datetime.now(UTC))


@pytest.fixture
def home(tmp_path: Path, mails: list[Story]) -> Iterator[Path]:
    """A working directory with config.yaml and the mails of the demo in a folder that is polled."""
    write_mails(tmp_path, mails)
    write_config(tmp_path)
    with contextlib.chdir(tmp_path):
        yield tmp_path


def write_mails(folder: Path, mails: list[Story]) -> None:
    (folder / "mails").mkdir()
    for number, mail in enumerate(mails, 1):
        (folder / "mails" / f"{number:02}.eml").write_bytes(mail.content)
    (folder / "mails" / "erika.eml").write_bytes(mails[0].content)


def write_config(folder: Path, **changes: object) -> None:
    document = {
        "database": {"url": f"sqlite:///{folder / 'bounced.db'}"},
        "mailboxes": [{"name": "returns", "kind": "eml", "path": str(folder / "mails")}],
        "limits": {"workers": 1},
        "http": {"port": 0},
        **changes,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(document))


def call(*arguments: str, stdin: bytes = b"") -> Done:
    """Run a command in this process, which is much faster, and return what a shell would have seen."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape"), io.StringIO()
    before = sys.argv, sys.stdin
    sys.argv, sys.stdin = ["bounced", *arguments], io.TextIOWrapper(io.BytesIO(stdin))
    status: object = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as exc:
        status = exc.code or 0
    finally:
        sys.argv, sys.stdin = before
    out.seek(0)
    return Done(arguments, status if isinstance(status, int) else 1, out.read(), err.getvalue())


def shell(*arguments: str, stdin: bytes = b"") -> Done:
    """Run a command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bounced", *arguments], input=stdin, capture_output=True, timeout=60, check=False
    )
    return Done(arguments, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def bounced(home: Path) -> Run:
    """Run a command in that directory."""
    assert Path.cwd() == home
    return call


@pytest.fixture(scope="session")
def after_a_round(tmp_path_factory: pytest.TempPathFactory, mails: list[Story]) -> Path:
    """The same directory after one round."""
    folder = tmp_path_factory.mktemp("round")
    write_mails(folder, mails)
    write_config(folder)
    done = call("poll", "--config", str(folder / "config.yaml"))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def polled(home: Path, after_a_round: Path) -> Run:
    """Run a command in the directory as it is after one round."""
    shutil.rmtree(home / "mails")
    shutil.copytree(after_a_round, home, dirs_exist_ok=True)
    write_config(home)
    assert os.access(home / "bounced.db", os.W_OK)
    return call
