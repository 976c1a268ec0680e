"""Commands where hashes are kept for addresses: asked by address as ever, told by hash; and the turn itself."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Run, write_config

ERIKA = "erika@customer.example"
HASHED = {"privacy": {"addresses": "hashed", "key": "a key that nobody guesses"}}


@pytest.fixture
def hashed(home: Path, bounced: Run) -> Run:
    """The demo's mails, read into a database that keeps no address."""
    write_config(home, **HASHED)
    assert bounced("poll").returncode == 0
    return bounced


def names(bounced: Run) -> set[str]:
    lines = bounced("suppressions", "list", "--format", "jsonl").stdout.splitlines()
    return {json.loads(line)["address"] for line in lines}


def test_an_address_is_asked_for_suppressed_and_released(hashed: Run) -> None:
    """The answers name it as it was asked; a listing has its hash, which a release takes too."""
    asked = hashed("check", ERIKA)
    told = hashed("explain", ERIKA).stdout
    assert (asked.returncode, asked.stdout.startswith(f"{ERIKA} is suppressed")) == (0, True), asked.stdout
    assert "suppressed in *" in told
    assert "journal:" in told
    assert "diagnostic" in told
    listed = names(hashed)
    assert listed
    assert all(name.startswith("hmac:") for name in listed)

    added = hashed("suppressions", "add", "Ann@Example.org", "--why", "asked by phone")
    again = hashed("suppressions", "add", "ann@example.org", "--why", "asked by phone")
    assert added.stdout == "ann@example.org is suppressed\n"
    assert "it stays as it is: ann@example.org" in again.stdout
    (new,) = names(hashed) - listed
    released = hashed("suppressions", "release", new, "--why", "a mistake")
    assert released.returncode == 0
    assert hashed("check", "ann@example.org").returncode == 1
    assert hashed("suppressions", "release", ERIKA, "--why", "a mistake").returncode == 0
    assert hashed("check", ERIKA).returncode == 1


def test_an_export_reads_back_as_it_was(hashed: Run, home: Path) -> None:
    """Under the same key."""
    before = hashed("suppressions", "export").stdout
    hashed("suppressions", "export", "--output", "list.csv")
    taken = hashed("suppressions", "import", "list.csv", "--yes")

    assert taken.returncode == 0
    assert "known already" in taken.stdout
    assert hashed("suppressions", "export").stdout == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("suppressions", "map", "--output", "map", "--format", "postmap"),
        ("suppressions", "list", "--domain", "customer.example"),
    ],
)
def test_what_cannot_be_told_without_addresses_is_refused(hashed: Run, arguments: tuple[str, ...]) -> None:
    """With the reason."""
    done = hashed(*arguments)
    assert done.returncode == 2
    assert "hash" in done.stderr


def test_a_doctor_says_so(hashed: Run) -> None:
    """As a note."""
    assert "keeps hashes for addresses" in hashed("doctor").stdout


def test_a_database_is_turned(polled: Run, home: Path) -> None:
    """Only when configured so; counted first; asked by address afterwards, by nobody who knows no key."""
    unasked = polled("db", "pseudonymise", "--yes")
    assert (unasked.returncode, "privacy.addresses" in unasked.stderr) == (2, True)
    write_config(home, **HASHED)
    early = polled("check", ERIKA)
    assert (early.returncode, "pseudonymise" in early.stderr) == (75, True), early.stderr

    counted = polled("db", "pseudonymise", "--dry-run")
    alone = polled("db", "pseudonymise")
    turned = polled("db", "pseudonymise", "--yes")
    again = polled("db", "pseudonymise", "--yes")

    assert "suppression_journal" in counted.stdout
    assert (alone.returncode, "--yes" in alone.stderr) == (2, True)
    assert turned.returncode == 0, turned.stderr
    assert again.stdout == "the database keeps hashes already\n"
    assert polled("check", ERIKA).returncode == 0
    assert polled("db", "check").returncode == 0
    files = b"".join(path.read_bytes() for path in home.glob("bounced.db*"))
    assert not re.search(rb"erika|[a-z]{3}@customer\.example", files, re.IGNORECASE)
    write_config(home)
    assert polled("check", ERIKA).returncode == 75
