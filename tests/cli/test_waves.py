"""The commands about waves, alarms and signs of life."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bounced.config import load
from bounced.daemon import wiring
from bounced.model import Reason
from tests.cli.conftest import Run
from tests.refusals import Installation, people, spread


@pytest.fixture
def installation(home: Path) -> Iterator[Installation]:
    """An installation at which a provider has had a bad hour."""
    config = load(home / "config.yaml")
    with closing(wiring.store(config)) as store:
        made = Installation(store, config)
        made.take(spread(people(80, "gmail.com"), 5, 1), at_once=40)
        yield made


@pytest.mark.usefixtures("installation")
def test_waves_are_listed_and_shown(bounced: Run) -> None:
    (listed,) = json.loads(bounced("waves", "list", "--format", "json").stdout)
    assert (listed["id"], listed["provider"], listed["state"], listed["held"]) == (1, "google", "open", 80)
    shown = bounced("waves", "show", "1")
    assert shown.returncode == 0
    assert "80 addresses in an hour" in shown.stdout
    assert "ann79@gmail.com" in shown.stdout
    members = bounced("waves", "show", "1", "--format", "jsonl").stdout.splitlines()
    assert {json.loads(member)["address"] for member in members} == set(people(80, "gmail.com"))
    assert bounced("waves", "show", "2").returncode == 1


def test_a_wave_is_confirmed_then_released(bounced: Run, installation: Installation) -> None:
    """Each asks first, unless told not to."""
    assert bounced("waves", "confirm", "1", stdin=b"n\n").returncode == 1
    assert bounced("check", "ann0@gmail.com").returncode == 1
    assert "80 entries written, 0 released" in bounced("waves", "confirm", "1", "--yes").stdout
    assert bounced("check", "ann0@gmail.com").returncode == 0
    (line,) = [line for line in installation.store.journal_of("ann79@gmail.com") if line.move == "suppress"]
    assert "wave 1 was confirmed by " in line.why
    assert "0 entries written, 80 released" in bounced("waves", "release", "1", "--yes").stdout
    assert bounced("waves", "list").returncode == 1
    assert json.loads(bounced("waves", "list", "--all", "--format", "json").stdout)[0]["state"] == "released"


def test_alarms_are_listed(bounced: Run, installation: Installation) -> None:
    assert bounced("alarms").returncode == 1
    installation.take(spread(people(30, "yahoo.com"), 6, 1, Reason.AUTH_FAILURE), at_once=30)
    (alarm,) = json.loads(bounced("alarms", "--format", "json").stdout)
    assert (alarm["provider"], alarm["reason"], alarm["fault"], alarm["amount"]) == (
        "yahoo",
        "auth_failure",
        "sender",
        30,
    )


def test_a_sign_of_life_disputes_an_entry(bounced: Run, installation: Installation) -> None:
    """It is listed for review, and `check` says so."""
    installation.take(spread(people(1, "firm.example", "eve"), 7, 1), at_once=1)
    done = bounced("evidence", "add", "Eve0@firm.example", "--kind", "login", "--source", "shop")
    assert done.stdout == "eve0@firm.example: 0 suppressions released, 1 disputed\n"
    (listed,) = json.loads(bounced("suppressions", "list", "--disputed", "--format", "json").stdout)
    assert (listed["address"], bool(listed["disputed"])) == ("eve0@firm.example", True)
    assert "disputed since" in bounced("check", "eve0@firm.example").stdout
    told = bounced("explain", "eve0@firm.example").stdout
    assert "disputed since " in told
    (sign,) = installation.store.signs("eve0@firm.example")
    assert (sign.kind, sign.source) == ("login", "shop")


def test_signs_of_life_are_imported_all_or_none(bounced: Run, installation: Installation) -> None:
    """Every line in error is named."""
    good = [{"address": a, "kind": "open", "at": "2026-10-02T10:00:00Z"} for a in people(30, "gmail.com")]
    lines = "\n".join(map(json.dumps, good))
    bad = (
        f'{lines}\n{{"address": "no", "kind": "open"}}\n[]\n{{"address": "a@b.example", "kind": "sneeze"}}\nnot json\n'
        '{"address": "a@b.example", "kind": "open", "at": "2099-01-01T10:00:00Z"}\n'
    )
    Path("bad.jsonl").write_text(bad)
    done = bounced("evidence", "import", "bad.jsonl")
    assert done.returncode == 2
    assert [line.split(":")[1].strip() for line in done.stderr.splitlines()] == [
        f"line {n}" for n in (31, 32, 33, 34, 35)
    ]
    assert "is in the future" in done.stderr
    assert installation.store.addresses_alive() == 0

    assert bounced("evidence", "import", "-", stdin=lines.encode()).stdout.startswith("30 signs of life: ")
    assert installation.store.addresses_alive() == 30
