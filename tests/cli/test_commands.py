"""The commands as a shell sees them: what they print, and how they exit."""

import csv
import io
import json
import mailbox
import shlex
import sqlite3
from pathlib import Path

import pytest

from bounced.cli.demo_mails import Story
from tests.cli.conftest import Run, shell, write_config


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["check", "erika@customer.example"], 0),
        (["check", "nobody@customer.example"], 1),
        (["check", "nobody"], 2),
        (["--config", "later.yaml", "check", "erika@customer.example"], 75),
    ],
)
def test_a_shell_sees_these_four_exit_statuses(polled: Run, home: Path, arguments: list[str], status: int) -> None:
    """Yes, no, wrong usage, try later; never a traceback."""
    (home / "later.yaml").write_text("database: {url: sqlite:///missing.db}\n")

    done = shell(*arguments)

    assert done.returncode == status
    assert "Traceback" not in done.stderr


def test_a_suppressed_address_is_a_yes(polled: Run) -> None:
    """Exit status 0 and the reason."""
    done = polled("check", "ERIKA@customer.example")

    assert done.returncode == 0
    assert "mailbox_unknown" in done.stdout


def test_any_other_address_is_a_no(polled: Run) -> None:
    assert polled("check", "jan@provider.example").returncode == 1
    assert polled("check", "never-heard-of@customer.example").returncode == 1


def test_without_a_database_nobody_is_declared_free(bounced: Run) -> None:
    """Try later, not no."""
    done = bounced("check", "erika@customer.example")

    assert done.returncode == 75
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "no-address"],
        ["check"],
        ["classify"],
        ["classify", "--reply", "550 no", "mails/01.eml"],
        ["events", "--reason", "no_such_reason"],
        ["events", "--since", "yesterday-ish"],
        ["explain", "neither file nor address"],
        ["poll", "no-such-mailbox"],
        ["poll", "-"],
        ["classify", "no/such/file.eml"],
        ["webhooks", "test", "no-such-endpoint"],
        ["no-such-command"],
        ["run", "--config", "no-such-file.yaml"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_status_2(bounced: Run, arguments: list[str]) -> None:
    """In words, without a traceback."""
    done = bounced(*arguments)

    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_every_problem_of_the_configuration_is_listed_at_once(bounced: Run, home: Path) -> None:
    write_config(home, http={"port": "imaps"}, polcy={}, webhooks=[{"name": "a", "url": "ftp://x", "secret": "s"}])

    done = bounced("config", "check")

    assert done.returncode == 2
    assert "http.port" in done.stderr
    assert 'did you mean "policy"?' in done.stderr
    assert "webhooks[0].url" in done.stderr


def test_a_secret_that_cannot_be_read_is_found(bounced: Run, home: Path) -> None:
    box = {"name": "a", "host": "localhost", "user": "u", "password": {"file": str(home / "missing")}}
    write_config(home, mailboxes=[box])

    done = bounced("config", "check")

    assert done.returncode == 2
    assert "mailboxes[0].password" in done.stderr


def test_the_environment_names_the_configuration(bounced: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "config.yaml").rename(home / "elsewhere.yaml")
    assert bounced("config", "check").returncode == 2

    monkeypatch.setenv("BOUNCED_CONFIG", str(home / "elsewhere.yaml"))

    assert bounced("config", "check").returncode == 0
    assert bounced("--config", "missing.yaml", "config", "check").returncode == 2


def test_a_mailbox_that_is_down_is_tried_later(bounced: Run, home: Path) -> None:
    """The other one is polled all the same."""
    down = {"name": "down", "host": "127.0.0.1", "port": 1, "security": "plain", "user": "u", "password": "p"}
    files = {"name": "returns", "kind": "eml", "path": str(home / "mails")}
    write_config(home, mailboxes=[down, files])

    done = bounced("poll", "--format", "jsonl")
    rounds = [json.loads(line) for line in done.stdout.splitlines()]

    assert done.returncode == 75
    assert rounds[0]["problem"]
    assert rounds[1]["processed"] > 0


def test_what_is_no_report_stays_in_place(polled: Run, home: Path) -> None:
    """A person's mail and a file that is no mail; all else was moved."""
    assert sorted(p.name for p in (home / "mails").glob("*.eml")) == ["11.eml", "14.eml"]
    assert polled("poll", "--format", "jsonl").returncode == 0


def test_a_pipe_files_a_report_and_keeps_a_persons_mail(bounced: Run, home: Path) -> None:
    """Nothing is lost: there is no mailbox to leave it in."""
    report, person = (home / "mails/01.eml").read_bytes(), (home / "mails/11.eml").read_bytes()

    assert bounced("poll", "-", "--keep", "kept", stdin=b"From x Sat Nov 21\n" + report).returncode == 0
    assert bounced("poll", "--stdin", "--keep", "kept", stdin=person).returncode == 0

    assert bounced("check", "erika@customer.example").returncode == 0
    assert [p.read_bytes() for p in (home / "kept/new").iterdir()] == [person]


def test_a_pipe_is_told_to_try_again_while_the_database_is_down(bounced: Run, home: Path) -> None:
    write_config(home, database={"url": "postgresql://nobody@127.0.0.1:1/none", "busy_timeout": 1})

    done = bounced("poll", "-", "--keep", "kept", stdin=(home / "mails/01.eml").read_bytes())

    assert done.returncode == 75


def test_a_locked_database_is_tried_later(polled: Run, home: Path) -> None:
    write_config(home, database={"url": f"sqlite:///{home / 'bounced.db'}", "busy_timeout": 0.2})
    with sqlite3.connect(home / "bounced.db", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")

        done = polled("suppressions", "add", "a@customer.example", "--why", "test")
        other.execute("ROLLBACK")

    assert done.returncode == 75
    assert "Traceback" not in done.stderr


def test_a_word_of_a_person_counts_and_is_kept(polled: Run) -> None:
    """add, check, release: each in the journal, with who and why."""
    assert polled("suppressions", "add", "Ann@Customer.example", "--why", "she rang us").returncode == 0
    assert polled("check", "ann@customer.example").returncode == 0
    assert polled("suppressions", "release", "ann@customer.example", "--why", "she rang again").returncode == 0
    assert polled("check", "ann@customer.example").returncode == 1
    assert polled("suppressions", "release", "ann@customer.example", "--why", "once more").returncode == 1

    story = polled("explain", "ann@customer.example").stdout
    assert "she rang us" in story
    assert "she rang again" in story


def test_a_scope_is_no_ban_everywhere(polled: Run) -> None:
    polled("suppressions", "add", "ann@customer.example", "--scope", "marketing", "--why", "test", "--days", "3")

    assert polled("check", "ann@customer.example").returncode == 1
    assert polled("check", "ann@customer.example", "--scope", "marketing").returncode == 0
    assert polled("check", "erika@customer.example", "--scope", "marketing").returncode == 0


@pytest.mark.parametrize("command", ["events", "suppressions list", "rules list", "webhooks list", "classify mails"])
def test_every_listing_speaks_four_formats(polled: Run, command: str) -> None:
    """And all of them tell of the same things."""
    jsonl = [json.loads(line) for line in polled(*command.split(), "--format", "jsonl").stdout.splitlines()]
    array = json.loads(polled(*command.split(), "--format", "json").stdout)
    table = list(csv.DictReader(io.StringIO(polled(*command.split(), "--format", "csv").stdout)))

    assert array == jsonl
    assert polled(*command.split()).stdout.strip()
    if command != "classify mails":
        assert len(table) == len(jsonl)


def test_explain_tells_the_story_of_an_event(polled: Run) -> None:
    event = json.loads(polled("events", "--address", "erika@customer.example", "--format", "jsonl").stdout)

    story = polled("explain", event["id"]).stdout

    for part in ("mailbox_unknown", "User unknown", event["rule"], "suppressed in *", "rfc3464", "matched"):
        assert part in story
    assert polled("explain", "ev_0000").returncode == 1


def test_doctor_is_content_with_what_works(polled: Run) -> None:
    done = polled("doctor")

    assert done.returncode == 0
    assert "no signing key" in done.stdout


@pytest.mark.parametrize(("host", "warned"), [("0.0.0.0", True), ("::", True), ("::1", False), ("localhost", False)])
def test_doctor_notes_tokens_that_others_could_read(bounced: Run, home: Path, host: str, warned: bool) -> None:
    """Whoever listens beyond this machine is told of it; nothing is wrong for that alone."""
    write_config(home, http={"host": host, "port": 0})
    rows = [json.loads(line) for line in bounced("doctor", "--format", "jsonl").stdout.splitlines()]

    assert [row["ok"] for row in rows if row["found"].startswith("http.host:")] == ["note"] * warned


def test_a_reason_that_does_not_exist_is_refused_by_a_listing(polled: Run) -> None:
    """With the words there are; one that exists and nobody has is an empty list."""
    wrong = polled("suppressions", "list", "--reason", "mailbox_unknwon")
    nobody = polled("suppressions", "list", "--reason", "virus")
    some = polled("suppressions", "list", "--reason", "mailbox_unknown", "--format", "jsonl")

    assert wrong.returncode == 2
    assert "mailbox_unknown" in wrong.stderr
    assert nobody.returncode == 0
    assert some.stdout


def test_doctor_names_a_thing_once(bounced: Run, home: Path) -> None:
    """What stands in one column is not said again in the next."""
    write_config(
        home,
        mailboxes=[
            {
                "name": "b",
                "host": "127.0.0.1",
                "port": 1,
                "security": "plain",
                "user": "u",
                "password": "p",
                "timeout": 1,
            }
        ],
        webhooks=[{"name": "dead", "url": "http://127.0.0.1:9/", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}],
    )

    rows = [json.loads(line) for line in bounced("doctor", "--format", "jsonl").stdout.splitlines()]
    told = {row["what"]: row["found"] for row in rows}

    assert not told["mailbox b"].startswith("mailbox b")
    assert not told["webhook dead"].startswith("dead")


@pytest.mark.parametrize("kind", ["maildir", "eml", "mbox"])
def test_explain_leads_to_the_file(bounced: Run, home: Path, mails: list[Story], kind: str) -> None:
    """Wherever it was moved to; its number tells a person nothing."""
    box = home / "box"
    if kind == "mbox":
        box.write_bytes(b"From x@y.example Sat Nov 21 12:00:00 2026\n" + mails[0].content.replace(b"\r\n", b"\n"))
    elif kind == "eml":
        box.mkdir()
        (box / "first.eml").write_bytes(mails[0].content)
    else:
        mailbox.Maildir(box).add(mails[0].content)
    after = {"mode": "leave"} if kind == "mbox" else {}
    write_config(home, mailboxes=[{"name": "local", "kind": kind, "path": str(box), "after": after}])
    assert bounced("poll").returncode == 0
    event = json.loads(bounced("events", "--format", "jsonl").stdout)

    story = bounced("explain", event["id"]).stdout

    (file,) = [Path(line.split()[1]) for line in story.splitlines() if line.strip().startswith("file")]
    assert b"erika@customer.example" in file.read_bytes()


def test_doctor_names_everything_that_is_wrong(bounced: Run, home: Path) -> None:
    """Database, mailbox, endpoint and rules, in one go."""
    (home / "rules").mkdir()
    (home / "rules/10-own.yaml").write_text("- id: own.rule\n  reason: no_such_reason\n")
    write_config(
        home,
        mailboxes=[{"name": "gone", "kind": "maildir", "path": str(home / "nowhere")}],
        webhooks=[{"name": "dead", "url": "http://127.0.0.1:9/", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}],
        rules={"local": str(home / "rules")},
    )

    done = bounced("doctor", "--format", "jsonl")
    wrong = {row["what"] for row in map(json.loads, done.stdout.splitlines()) if row["ok"] == "WRONG"}

    assert done.returncode == 1
    assert wrong == {"rules", "database", "mailbox gone", "webhook dead"}


def test_what_the_start_would_refuse_is_told_before(bounced: Run, home: Path) -> None:
    """A short signing secret, a database of another kind, an endpoint without its secret: each once, by its path."""
    write_config(
        home,
        database={"url": "mysql://bounced:hush@localhost/bounced"},
        correlation={"signing": {"domains": ["b.example.org"], "keys": [{"id": "k1", "secret": "short"}]}},
        webhooks=[{"name": "dead", "url": "https://app.example.org/", "secret": {"file": str(home / "none")}}],
    )
    paths = ("webhooks[0].secret", "correlation.signing.keys[0].secret", "database.url")

    checked, examined = bounced("config", "check"), bounced("doctor", "--format", "jsonl")
    told = [row["found"] for row in map(json.loads, examined.stdout.splitlines()) if row["ok"] == "WRONG"]

    assert (checked.returncode, examined.returncode) == (2, 1)
    assert [line.split(": ")[:3] for line in checked.stderr.splitlines()] == [
        ["bounced", "config.yaml", path] for path in paths
    ]
    assert "16 octets" in checked.stderr
    assert "hush" not in checked.stderr + examined.stdout
    assert sum(text.startswith(paths[1]) for text in told) == 1
    assert sum(str(home / "none") in text for text in told) == 1


def test_a_folder_for_the_database_must_be_made_first(bounced: Run, home: Path) -> None:
    """Trying again later would not help."""
    write_config(home, database={"url": f"sqlite:///{home}/none/bounced.db"})

    done = bounced("db", "upgrade")

    assert done.returncode == 2
    assert f"there is no folder {home}/none: create it" in done.stderr
    assert "later" not in done.stderr


def test_the_database_can_be_made_and_looked_after(bounced: Run) -> None:
    assert bounced("db", "check").returncode == 1
    assert bounced("db", "upgrade").returncode == 0
    assert bounced("db", "upgrade").returncode == 0
    assert bounced("db", "check").returncode == 0


def test_other_rules_are_compared_mail_by_mail(bounced: Run, home: Path) -> None:
    other = home / "other"
    other.mkdir()
    (other / "10-all.yaml").write_text(
        "- id: all.full\n  when: {reply_code: [5xx]}\n  reason: mailbox_full\n  because: A test.\n"
        "  matches: ['550 no']\n  rejects: ['450 later']\n"
    )

    done = bounced("rules", "diff", str(other), "mails/erika.eml", "--format", "jsonl")
    change = json.loads(done.stdout)

    assert done.returncode == 1
    assert change["before"].startswith("hard/mailbox_unknown")
    assert change["rule_after"] == "all.full"


@pytest.mark.parametrize("days", [[], ["--days", "30"]])
def test_a_shorter_word_by_hand_shortens_nothing(polled: Run, days: list[str]) -> None:
    """The entry that lasts longer stays with its cause; the command says so."""
    polled("suppressions", "add", "kept@customer.example", "--why", "she asked us", *days)

    done = polled("suppressions", "add", "kept@customer.example", "--why", "a test", "--days", "1")

    assert done.returncode == 0
    assert done.stdout.startswith("it stays as it is")
    assert "she asked us" in polled("check", "kept@customer.example").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "x@customer.example", "--why", ""],
        ["add", "x@customer.example", "--why", "a test", "--scope", ""],
        ["release", "erika@customer.example", "--why", "a test", "--scope", ""],
        ["add", "x@customer.example", "--why", "a test", "--days", "1e9"],
        ["release", "erika@customer.example", "--why", " "],
        ["undo", "--reason", "mailbox_unknown", "--why", "", "--yes"],
    ],
    ids=" ".join,
)
def test_a_word_without_a_reason_or_an_end_is_refused(polled: Run, arguments: list[str]) -> None:
    """In words, without a traceback; nothing changes."""
    done = polled("suppressions", *arguments)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert polled("check", "x@customer.example").returncode == 1
    assert polled("check", "erika@customer.example").returncode == 0


def test_a_command_to_type_is_quoted_for_the_shell(polled: Run) -> None:
    """What strangers wrote is one argument, whatever it holds."""
    strange = "a'b`id`@customer.example"
    polled("suppressions", "add", strange, "--why", "a test")

    assert f"release {shlex.quote(strange)} --why" in polled("explain", strange).stdout
