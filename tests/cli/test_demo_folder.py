"""The folder of a demo: what an earlier one left is removed, what anybody else has there never is."""

from pathlib import Path

import pytest

from tests.cli.conftest import call

MINE = {"config.yaml": "database:\n  url: sqlite:///bounced.db\n", "bounced.db": "mine", "daemon.log": "mine"}


@pytest.mark.parametrize("names", [["config.yaml"], ["bounced.db"], ["daemon.log"], list(MINE)])
def test_it_removes_nothing_that_no_demo_wrote(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text(MINE[name])
    done = call("demo", "--history-only", "--days", "5", "--folder", str(tmp_path))
    assert done.returncode == 2
    assert "no demo wrote that; name another --folder" in done.stderr
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {name: MINE[name] for name in names}


def test_it_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    for _ in range(2):
        done = call("demo", "--history-only", "--days", "5", "--folder", str(tmp_path))
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("days", ["0", "4"])
def test_a_history_has_days(tmp_path: Path, days: str) -> None:
    done = call("demo", "--history-only", "--days", days, "--folder", str(tmp_path))
    assert (done.returncode, [*tmp_path.iterdir()]) == (2, [])
