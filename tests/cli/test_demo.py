"""The demo, as it is run without a terminal: whole, true, and followed by commands that work."""

import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from bounced.config import load
from bounced.daemon.wiring import store
from bounced.store.tokens import digest_of

pytestmark = pytest.mark.slow
pytest.importorskip("pymap", reason="the extra `demo` is not installed")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo")
    return folder, shown(folder, "--pace", "0", "--days", "7")


def shown(folder: Path, *options: str) -> str:
    """Run the demo in a folder and return what it shows."""
    done = subprocess.run(
        [sys.executable, "-m", "bounced", "demo", *options],
        cwd=folder, capture_output=True, text=True, timeout=110, check=False, env=os.environ | {"COLUMNS": "200"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_shows_the_same_where_each_mail_is_a_batch_of_its_own(demo: tuple[Path, str], tmp_path: Path) -> None:
    """As at its usual pace, where the daemon has done with one mail before the next one comes."""
    assert told_of(shown(tmp_path, "--pace", "0.3", "--days", "0")) == told_of(demo[1])


def told_of(shown: str) -> list[str]:
    """Return the line of each mail, and the one below it: what was made of it."""
    return re.findall(r"^ *\d+  .+\n.+", shown, re.M)


@pytest.mark.parametrize(
    "told",
    [
        "erika@customer.example: hard, mailbox_unknown; fault: recipient",
        "jan@provider.example: soft, mailbox_full; fault: recipient",
        "li@company.example: soft, content_block; fault: message",
        "amara@isp.example: soft, reputation_block; fault: sender",
        "old.address@school.example: hard, mailbox_unknown",
        "treasurer@club.example: hard, mailbox_unknown",
        "sofia@mailbox-provider.example: complaint, abuse",
        "auto reply, read by auto_reply, filed",
        "other, left where it is, unread",
        "seen before",
        "put into quarantine: nested deeper than 10 levels (limits.mime_depth)",
        'matched "over quota"',
        "every signature verified",
        "2 mails, still unread",
    ],
)
def test_each_kind_of_mail_is_told_with_its_reason(demo: tuple[Path, str], told: str) -> None:
    assert told in demo[1]


def test_only_the_dead_and_the_unwilling_are_suppressed(demo: tuple[Path, str]) -> None:
    table = demo[1].partition("Suppressed now")[2].partition("Webhooks")[0]

    assert re.findall(r"^  (\S+@\S+)", table, re.M) == [
        "erika@customer.example",
        "old.address@school.example",
        "sofia@mailbox-provider.example",
        "tom@reader.example",
        "treasurer@club.example",
    ]


def test_what_it_says_to_type_next_works(demo: tuple[Path, str]) -> None:
    """As it stands, although mail server and receiver are gone."""
    folder, told = demo
    after = told.partition("What to type next")[2].splitlines()
    lines = [line.partition("#")[0] for line in after if "--config" in line and "serve" not in line]

    statuses = [subprocess.run(shlex.split(x), cwd=folder, capture_output=True, check=False).returncode for x in lines]

    assert statuses == [0, 1, 0, 0, 0]


def test_the_page_can_be_opened_afterwards(demo: tuple[Path, str]) -> None:
    """By a token that is told, of a history that is there."""
    folder, told = demo
    config = load(folder / ".demo/config.yaml")
    secret = told.strip().splitlines()[-1].strip()
    with closing(store(config)) as opened:
        assert [digest_of(secret)] == [token.digest for token in opened.tokens()]
        assert len(list(opened.events())) > 100


def test_it_stays_open_on_the_page_until_it_is_ended(tmp_path: Path) -> None:
    """And ends the daemon then, as it does the rest."""
    command = [sys.executable, "-m", "bounced", "demo", "--pace", "0", "--days", "0", "--stay"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        told = next(line for line in process.stdout if line.startswith("Open "))
        secret = next(process.stdout).strip()
        asked = Request(told.split()[1] + "v1/events", headers={"Authorization": f"Bearer {secret}"})
        with urlopen(asked) as answer:
            assert len(json.load(answer)["items"]) > 5
        process.terminate()
        assert process.wait(30) == 0

    assert "stopped" in (tmp_path / ".demo/daemon.log").read_text().splitlines()[-1]


def test_it_leaves_nothing_running_and_no_secret_readable(demo: tuple[Path, str]) -> None:
    folder = demo[0] / ".demo"

    assert (folder / "config.yaml").stat().st_mode & 0o077 == 0
    assert "stopped" in (folder / "daemon.log").read_text().splitlines()[-1]
