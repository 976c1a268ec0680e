"""Whole lists by the command line: what is shown first, what is refused, what comes out and goes in again."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, call, shell, write_config

BOUNCES = (
    "status,reason,email,created\n"
    "5.1.1,550 5.1.1 no such user,ann@example.com,1760000000\n"
    "4.2.2,mailbox full,bob@example.com,1760000000\n"
)
HEAD = "address,scope,category,reason,since,until,why,actor,event_id\n"


@pytest.fixture
def run(home: Path) -> Run:
    """Run a command where the database is ready and empty."""
    assert call("db", "upgrade").returncode == 0
    return call


def listed(run: Run) -> list[str]:
    done = run("suppressions", "list", "--format", "jsonl")
    return [json.loads(line)["address"] for line in done.stdout.splitlines()]


def test_what_cannot_be_told_is_asked(run: Run) -> None:
    """Usage, not a guess: the message names both ways on."""
    Path("list.csv").write_text(BOUNCES)
    done = run("suppressions", "import", "list.csv", "--yes")

    assert done.returncode == 2
    assert "--as sendgrid-bounces or --as sendgrid-blocks" in " ".join(done.stderr.replace("│", " ").split())
    assert listed(run) == []


def test_blocks_are_shown_and_not_imported(run: Run) -> None:
    """The same file, said to be blocks."""
    Path("list.csv").write_text(BOUNCES)
    done = run("suppressions", "import", "list.csv", "--as", "sendgrid-blocks", "--yes")

    assert done.returncode == 0
    assert "2 left out: blocks:" in done.stdout
    assert "0 added" in done.stdout
    assert listed(run) == []


def test_bounces_are_counted_and_imported(run: Run) -> None:
    """With the format first; again they are known. A full mailbox of last year had its time."""
    Path("list.csv").write_text(BOUNCES)
    done = run("suppressions", "import", "list.csv", "--as", "sendgrid-bounces", "--yes")
    again = run("suppressions", "import", "list.csv", "--as", "sendgrid-bounces", "--yes")

    assert done.returncode == again.returncode == 0
    assert done.stdout.startswith("list.csv: SendGrid's bounces (CSV)\n")
    assert "1 added: hard" in done.stdout
    assert "1 left out: they have run out" in done.stdout
    assert "1 known already" in again.stdout
    assert listed(run) == ["ann@example.com"]
    story = run("explain", "ann@example.com").stdout
    assert "import list.csv" in story
    assert "550 5.1.1 no such user" in story


@pytest.mark.parametrize("arguments", [["--dry-run"], ["--dry-run", "--yes"]])
def test_a_dry_run_does_nothing(run: Run, arguments: list[str]) -> None:
    """But count."""
    Path("list.csv").write_text(BOUNCES)
    done = run("suppressions", "import", "list.csv", "--as", "sendgrid-bounces", *arguments)

    assert done.returncode == 0
    assert "1 would be added: hard" in done.stdout
    assert listed(run) == []


def test_where_nobody_can_be_asked_yes_must_be_said(run: Run) -> None:
    """A pipe is no consent."""
    Path("list.csv").write_text(BOUNCES)
    done = run("suppressions", "import", "list.csv", "--as", "sendgrid-bounces")

    assert done.returncode == 2
    assert "1 to be added: hard" in done.stdout
    assert "--yes" in done.stderr
    assert listed(run) == []


def test_refused_lines_stop_everything(run: Run) -> None:
    """Each with its number, on the screen and in a file; --skip-bad imports the others."""
    lines = ["a@example.com,*,hard,x,,,d,me,", "nobody,*,hard,x,,,=1+1,me,", "short", "b@example.com,*,hard,x,,,d,me,"]
    Path("list.csv").write_text(HEAD + "\n".join(lines) + "\n")
    done = run("suppressions", "import", "list.csv", "--yes", "--errors", "bad.csv")

    assert done.returncode == 1
    assert "2 lines refused" in done.stdout
    assert "line 3: no mail address: nobody" in done.stderr
    assert "line 4: has 1 columns, want 9: short" in done.stderr
    assert listed(run) == []
    with Path("bad.csv").open(newline="") as file:
        assert [row["line"] for row in csv.DictReader(file)] == ["3", "4"]

    done = run("suppressions", "import", "list.csv", "--yes", "--skip-bad")
    assert done.returncode == 0
    assert listed(run) == ["a@example.com", "b@example.com"]


def test_many_refused_lines_are_not_all_shown(run: Run) -> None:
    """The file may be of the wrong kind altogether."""
    Path("list.csv").write_text("ip,email,created\n" + "1,nobody,2\n" * 500)
    done = run("suppressions", "import", "list.csv", "--yes")

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 22
    assert "and 480 more" in done.stderr


def test_from_standard_input_into_a_scope(run: Run) -> None:
    """For entries that name none themselves."""
    octets = b"ip,email,created\n192.0.2.1,ann@example.com,1760000000\n"
    done = run("suppressions", "import", "-", "--scope", "marketing", "--yes", stdin=octets)

    assert done.returncode == 0, done.stderr
    assert run("check", "ann@example.com").returncode == 1
    assert run("check", "ann@example.com", "--scope", "marketing").returncode == 0


def test_allowed_addresses_are_not_suppressed_by_foreign_failures(run: Run, home: Path) -> None:
    """A wish or a complaint of theirs counts."""
    write_config(home, policy={"allow": ["example.com"]})
    Path("list.csv").write_text("ann@example.com,BOUNCE\nbob@example.com,COMPLAINT\ncy@example.org,BOUNCE\n")
    done = run("suppressions", "import", "list.csv", "--yes")

    assert "1 left out: failures of addresses that no failure suppresses" in done.stdout
    assert listed(run) == ["bob@example.com", "cy@example.org"]


@pytest.mark.parametrize("fmt", ["csv", "jsonl"])
def test_an_export_comes_back_as_it_was(run: Run, home: Path, fmt: str) -> None:
    """Every field but who wrote it, through a spreadsheet-safe file; into the same table it changes nothing."""
    rows = [
        ["ann@example.com", "*", "hard", "mailbox_unknown", "2026-01-02T03:04:05.000006Z", "", "=1+1", "x", ""],
        [
            "=cmd@example.com",
            "news",
            "complaint",
            "abuse",
            "2026-01-02T03:04:05Z",
            "2199-01-01T00:00:00Z",
            "'q",
            "x",
            "",
        ],
        ['"a, b"@example.com', "*", "manual", "manual", "2026-01-02T03:04:05Z", "", 'two\nlines, "x"', "x", ""],
        ["'o@example.com", "-list", "unsubscribe", "unsubscribe", "2026-01-02T03:04:05Z", "", "ä\r\tb", "x", ""],
    ]
    out = io.StringIO()
    csv.writer(out).writerows(
        [HEAD.strip().split(","), *(["'" + c if c[:1] in "=-'" and c else c for c in r] for r in rows)]
    )
    Path("list.csv").write_bytes(out.getvalue().encode())
    assert run("suppressions", "import", "list.csv", "--yes").returncode == 0

    done = run("suppressions", "export", "--format", fmt, "--output", f"out.{fmt}")
    assert done.returncode == 0, done.stderr
    assert oct(Path(f"out.{fmt}").stat().st_mode)[-3:] == "600"
    before = entries(run)
    assert [[e["address"], e["scope"], e["why"]] for e in before] == sorted([r[0], r[1], r[6]] for r in rows)
    assert "4 known already" in run("suppressions", "import", f"out.{fmt}", "--yes").stdout
    if fmt == "csv":
        with Path("out.csv").open(newline="") as file:
            assert not [c for row in csv.reader(file) for c in row if c.startswith(("=", "+", "-", "@"))]

    write_config(home, database={"url": f"sqlite:///{home}/second.db"})
    assert run("db", "upgrade").returncode == 0
    assert run("suppressions", "import", f"out.{fmt}", "--yes").returncode == 0
    again = entries(run)
    assert [{**e, "actor": ""} for e in again] == [{**e, "actor": ""} for e in before]


def entries(run: Run) -> list[dict[str, object]]:
    """Return every entry, by the form that holds it whole."""
    done = run("suppressions", "export", "--format", "jsonl")
    return sorted((json.loads(line) for line in done.stdout.splitlines()), key=lambda e: (e["address"], e["scope"]))


def test_an_export_of_one_scope(run: Run) -> None:
    """And of an empty one."""
    Path("list.csv").write_text(HEAD + "a@example.com,news,hard,x,,,d,me,\nb@example.com,*,hard,x,,,d,me,\n")
    run("suppressions", "import", "list.csv", "--yes")

    assert "a@example.com" in run("suppressions", "export", "--scope", "news").stdout
    assert "b@example.com" not in run("suppressions", "export", "--scope", "news").stdout
    assert run("suppressions", "export", "--scope", "other").stdout.splitlines() == [HEAD.strip()]


@pytest.mark.parametrize(
    "arguments",
    [
        ["import", "missing.csv", "--yes"],
        ["import", "config.yaml", "--yes"],
        ["import", ".", "--yes"],
        ["import", "list.csv", "--as", "hotmail"],
        ["import", "list.csv", "--scope", ""],
        ["import", "list.csv", "--errors", "no/such/folder.csv"],
        ["export", "--output", "no/such/folder.csv"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_status_2(run: Run, arguments: list[str]) -> None:
    """In words."""
    Path("list.csv").write_text("ann@example.com,BOUNCE\n")
    done = run("suppressions", *arguments)

    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_without_a_database_later(home: Path) -> None:
    """Try again, and no traceback."""
    Path("list.csv").write_text("ann@example.com,BOUNCE\n")
    done = shell("suppressions", "import", "list.csv", "--yes")

    assert done.returncode == 75, done.stderr
    assert "Traceback" not in done.stderr
