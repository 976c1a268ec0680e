"""One round from cron, or one mail from a pipe: what is said, and what is not."""

from pathlib import Path

import yaml

from tests.cli.conftest import Run, write_config


def test_what_was_left_behind_is_told_once(polled: Run) -> None:
    """A person's mail stays in the mailbox, round after round."""
    done = polled("poll")

    assert done.returncode == 0
    assert "seen before" not in done.stderr


def test_at_debug_it_is_told_each_time(polled: Run, home: Path) -> None:
    document = yaml.safe_load((home / "config.yaml").read_text())
    (home / "config.yaml").write_text(yaml.safe_dump(document | {"log": {"level": "debug"}}))

    assert "seen before" in polled("poll").stderr


def test_quiet_says_nothing_where_nothing_is_wrong(bounced: Run, home: Path) -> None:
    (home / "mails/13.eml").unlink()  # breaks a limit, which is a problem

    done = bounced("poll", "--quiet")

    assert (done.returncode, done.stdout) == (0, "")
    assert '"level": "info"' not in done.stderr
    assert bounced("check", "erika@customer.example").returncode == 0


def test_quiet_names_what_is_wrong(bounced: Run, home: Path) -> None:
    down = {"name": "down", "host": "127.0.0.1", "port": 1, "security": "plain", "user": "u", "password": "p"}
    files = {"name": "returns", "kind": "eml", "path": str(home / "mails")}
    write_config(home, mailboxes=[down, files])

    done = bounced("poll", "--quiet", "--format", "csv")

    assert done.returncode == 75
    assert [line.partition(",")[0] for line in done.stdout.splitlines()] == ["mailbox", "down"]


def test_nothing_from_a_pipe_is_nothing(bounced: Run, home: Path) -> None:
    """What came is no mail that could be kept or sent again."""
    done = bounced("poll", "-", "--keep", "kept")

    assert done.returncode == 0
    assert "nothing is stored" in done.stderr
    assert not (home / "kept").exists()
