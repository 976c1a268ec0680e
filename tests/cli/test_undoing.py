"""Undo, redo, replay and the rights of people, as a shell sees them."""

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Run, write_config

ERIKA = "erika@customer.example"


def held(bounced: Run) -> set[str]:
    lines = bounced("suppressions", "list", "--format", "jsonl").stdout.splitlines()
    return {json.loads(line)["address"] for line in lines}


def test_an_undo_counts_first_and_asks(polled: Run) -> None:
    """Nobody can answer in a pipe: then it wants --yes."""
    arguments = ("suppressions", "undo", "--reason", "mailbox_unknown", "--why", "a wrong rule")
    before = held(polled)

    looked = polled(*arguments, "--dry-run", "--format", "json")
    asked = polled(*arguments)

    assert sum(row["amount"] for row in json.loads(looked.stdout)) >= 1
    assert asked.returncode == 2
    assert "--yes" in asked.stderr
    assert held(polled) == before


def test_an_undo_releases_and_a_redo_takes_that_back(polled: Run) -> None:
    """With who and why in the journal."""
    before = held(polled)
    undone = polled("suppressions", "undo", "--reason", "mailbox_unknown", "--why", "a wrong rule", "--yes")
    between = held(polled)
    told = polled("explain", ERIKA).stdout
    offered = re.search(r"`bounced (.*)`", undone.stderr)
    assert offered
    polled("suppressions", "release", "sofia@mailbox-provider.example", "--why", "another deed")
    before -= {"sofia@mailbox-provider.example"}
    redone = polled(*shlex.split(offered[1]), "--yes")

    assert (undone.returncode, redone.returncode) == (0, 0), undone.stderr + redone.stderr
    assert ERIKA in before - between
    assert "a wrong rule" in told
    assert held(polled) == before


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--reason", "no_such_reason", "--yes"], 1),
        (["--wave", "999", "--dry-run"], 1),
        (["--yes"], 2),
        (["--since", "the other day", "--yes"], 2),
    ],
)
def test_an_undo_of_nothing_says_so(polled: Run, arguments: list[str], status: int) -> None:
    """Nobody means everybody who names nothing."""
    assert polled("suppressions", "undo", "--why", "test", *arguments).returncode == status


def test_a_replay_by_the_same_rules_finds_no_difference(polled: Run) -> None:
    """Every report that was kept is judged as before."""
    done = polled("replay", "--since", "1d", "--format", "json")

    rows = json.loads(done.stdout)
    assert done.returncode == 1
    assert {row["what"] for row in rows} == {"same"}
    assert re.match(r"\d+ reports, 0 verdicts differ", done.stderr)


def test_a_replay_by_other_rules_shows_and_applies(polled: Run, home: Path) -> None:
    """Matrix and addresses; then the table follows."""
    (home / "own").mkdir()
    (home / "own" / "10-own.yaml").write_text(
        "- id: own.all\n  when: {text: 'user unknown in virtual'}\n  reason: mailbox_full\n  because: A test.\n"
        "  matches: ['User unknown in virtual mailbox table']\n  rejects: ['user unknown']\n"
    )
    write_config(home, rules={"local": str(home / "own")})

    looked = polled("replay", "--since", "1d", "--format", "jsonl")
    applied = polled("replay", "--since", "1d", "--apply", "--yes", "--why", "a better rule")

    rows = [json.loads(line) for line in looked.stdout.splitlines()]
    assert looked.returncode == 0, looked.stderr
    assert ("verdict", "hard mailbox_unknown", "soft mailbox_full") in {
        (row["what"], row["before"], row["now"]) for row in rows
    }
    assert ERIKA in {row["address"] for row in rows if row["what"] == "lost"}
    assert applied.returncode == 0, applied.stderr
    assert polled("check", ERIKA).returncode == 1
    assert "a better rule" in polled("explain", ERIKA).stdout


def test_all_that_is_held_is_exported_and_erased(polled: Run) -> None:
    """Also the report, as text; afterwards nothing is left, and she may be mailed."""
    shown = polled("privacy", "export", ERIKA)
    refused = polled("privacy", "erase", ERIKA, "--why", "asked for it")
    erased = polled("privacy", "erase", ERIKA, "--why", "asked for it", "--yes")

    held = json.loads(shown.stdout)["held"]
    assert {"event", "suppression", "suppression_journal", "raw_evidence"} <= set(held)
    assert ERIKA in held["raw_evidence"][0]["content"]
    assert (refused.returncode, erased.returncode) == (2, 0), erased.stderr
    assert polled("privacy", "export", ERIKA).returncode == 1
    assert polled("check", ERIKA).returncode == 1


def test_an_erased_person_stays_suppressed_under_a_hash(polled: Run, home: Path) -> None:
    """Without the key it is refused; with it the address is known by nobody and still not mailed, until released."""
    arguments = ("privacy", "erase", ERIKA, "--why", "asked for it", "--keep-hash", "--yes")
    without = polled(*arguments)
    write_config(home, privacy={"key": "a secret of thirty-two characters"})

    done = polled(*arguments)

    assert (without.returncode, done.returncode) == (2, 0), done.stderr
    assert "privacy.key" in without.stderr
    assert polled("check", ERIKA).returncode == 0
    assert ERIKA not in held(polled)
    assert "hmac:" in polled("explain", ERIKA).stdout
    assert polled("suppressions", "release", ERIKA, "--why", "came back").returncode == 0
    assert polled("check", ERIKA).returncode == 1


def test_an_address_is_explained_whole(polled: Run) -> None:
    """State, what would end it, journal, and every report with verdict, trust and decision."""
    told = polled("explain", ERIKA).stdout

    for words in ("suppressed in *", "would be released by", "suppressions release", "journal:", "verdict:", "trust:"):
        assert words in told
    assert "decision:" in told


def test_a_report_is_shown_without_harm(polled: Run) -> None:
    """As text: what it might do to a terminal is written out."""
    line = polled("events", "--address", ERIKA, "--format", "jsonl").stdout.splitlines()[0]

    told = polled("explain", json.loads(line)["id"], "--raw").stdout

    assert "Content-Type:" in told
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", told)
