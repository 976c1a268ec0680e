"""`bounced classify`: one object a message, always, in the documented form."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

RECIPIENT = {
    "address", "final_recipient", "category", "reason", "fault", "status", "reply_code", "action", "diagnostic",
    "rule", "remote_mta", "provider", "matched", "basis", "disagreed",
}  # fmt: skip


def test_the_object_has_the_documented_form(bounced: Run) -> None:
    done = bounced("classify", "--format", "jsonl", "mails/01.eml")
    mail = json.loads(done.stdout)

    assert done.returncode == 0
    assert mail["file"] == "mails/01.eml"
    assert (mail["kind"], mail["reader"]) == ("bounce", "rfc3464")
    assert mail["message_id"] == "newsletter.1@shop.example"
    assert set(mail["tags"]) == {"campaign", "list", "categories"}
    assert mail["trust"] == "claimed"
    (recipient,) = mail["recipients"]
    assert set(recipient) == RECIPIENT
    assert recipient["address"] == "erika@customer.example"
    assert (recipient["category"], recipient["reason"], recipient["fault"]) == ("hard", "mailbox_unknown", "recipient")
    assert (recipient["status"], recipient["reply_code"], recipient["action"]) == ("5.1.1", "550", "failed")


def test_each_mail_has_its_line_whatever_it_is(bounced: Run, home: Path) -> None:
    """Reports, a person's mail, nonsense, an empty file, and a mail that breaks a limit."""
    (home / "mails/empty.eml").write_bytes(b"")

    done = bounced("classify", "--format", "jsonl", "mails")
    lines = [json.loads(line) for line in done.stdout.splitlines()]

    assert done.returncode == 1  # one could not be read
    assert [line["file"] for line in lines] == sorted(f"mails/{p.name}" for p in (home / "mails").iterdir())
    assert [line["file"] for line in lines if line["kind"] is None] == ["mails/13.eml"]
    assert all(line["error"] for line in lines if line["kind"] is None)


def test_standard_input_is_one_mail(bounced: Run, home: Path) -> None:
    done = bounced("classify", "-f", "jsonl", "-", stdin=(home / "mails/07.eml").read_bytes())
    mail = json.loads(done.stdout)

    assert (mail["file"], mail["kind"], mail["feedback_type"]) == ("-", "complaint", "abuse")


@pytest.mark.parametrize("command", [("classify", "-f", "csv"), ("explain",)])
def test_an_mbox_may_come_on_standard_input(bounced: Run, home: Path, command: tuple[str, ...]) -> None:
    mail = (home / "mails/07.eml").read_bytes()
    line = b"From MAILER-DAEMON Sat Nov 21 12:00:00 2026\n"

    one = bounced(*command, "-", stdin=line + mail)
    two = bounced(*command, "-", stdin=line + mail + b"\n\n" + line + mail)

    assert (one.returncode, two.returncode) == (0, 0)
    assert "-#" not in one.stdout
    assert [name for name in ("-#1", "-#2", "-#3") if name in two.stdout] == ["-#1", "-#2"]


def test_an_empty_reply_is_wrong_usage(bounced: Run) -> None:
    assert bounced("classify", "--reply", " ").returncode == 2


def test_a_line_in_another_charset_is_read_all_the_same(bounced: Run, home: Path) -> None:
    lines = [
        b'{"id": 1, "reply": "550 5.1.1 unbekannter Empf\xe4nger, no such user"}',
        b'{"id": 2, "reply": "552 5.2.2 over quota"}',
    ]
    (home / "replies.jsonl").write_bytes(b"\n".join(lines))

    done = bounced("classify", "--replies", "replies.jsonl", "-f", "jsonl")

    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [one["reason"] for one in found] == ["mailbox_unknown", "mailbox_full"]


def test_a_reply_needs_no_mail(bounced: Run) -> None:
    done = bounced(
        "classify", "--reply", "552 5.2.2 over quota", "--mta", "mx.example.net", "--recipient", "a@example.net",
        "-f", "json",
    )  # fmt: skip
    (verdict,) = json.loads(done.stdout)

    assert (verdict["category"], verdict["reason"], verdict["status"]) == ("soft", "mailbox_full", "5.2.2")
    assert verdict["reply_code"] == "552"


def test_many_replies_keep_their_ids(bounced: Run, home: Path) -> None:
    """A line that is none costs itself only."""
    (home / "replies.jsonl").write_text(
        '{"id": "a", "reply": "550 5.1.1 User unknown", "remote_mta": "mx.example.net", "recipient": "x@example.net"}\n'
        "not json\n"
        '{"id": "b"}\n'
        '{"id": 7, "reply": "451 4.7.1 Greylisted", "remote_mta": null}\n'
    )

    done = bounced("classify", "--replies", "replies.jsonl", "-f", "jsonl")
    found = [json.loads(line) for line in done.stdout.splitlines()]

    assert done.returncode == 1
    assert [f["id"] for f in found] == ["a", None, "b", 7]
    assert [f["category"] for f in found if not f.get("error")] == ["hard", "soft"]


def test_a_strangers_text_moves_no_cursor_and_no_formula(bounced: Run, home: Path) -> None:
    """Escape sequences, reversed text and spreadsheet formulas are shown as what they are."""
    evil = (home / "mails/01.eml").read_bytes()
    evil = evil.replace(b"erika@customer.example", b"=cmd@customer.example")
    evil = evil.replace(b"User unknown", "User unknown \x1b[2J\x1b]0;owned\x07 \u202egpj.exe".encode())
    (home / "evil.eml").write_bytes(evil)

    outputs = [bounced("classify", "evil.eml", "-f", f).stdout for f in ("table", "json", "jsonl", "csv")]
    outputs.append(bounced("explain", "evil.eml").stdout)

    for text in outputs:
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert ",'=cmd@customer.example," in outputs[3]
    assert "=cmd@customer.example" in json.loads(outputs[2])["recipients"][0]["address"]


def test_an_mbox_is_many_mails(bounced: Run, home: Path) -> None:
    first, second = ((home / f"mails/0{n}.eml").read_bytes().replace(b"\r\n", b"\n") for n in (1, 2))
    (home / "all.mbox").write_bytes(
        b"From a Sat Nov 21 00:00:00 2026\n" + first + b"\nFrom b Sat Nov 21 00:00:00 2026\n" + second + b"\n"
    )

    lines = bounced("classify", "-f", "jsonl", "all.mbox").stdout.splitlines()

    assert [json.loads(line)["recipients"][0]["reason"] for line in lines] == ["mailbox_unknown", "mailbox_full"]
