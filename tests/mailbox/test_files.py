"""Maildir, mbox and folders of .eml files as mailboxes, and whatever paths a person names."""

import fcntl
import io
import mailbox
import os
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bounced.config import FolderMailbox, Limits, parse
from bounced.errors import ConfigError, MailboxDown
from bounced.mailbox import open_mailbox, read_paths, read_stdin
from bounced.mailbox.mbox import split
from bounced.model import Disposition
from tests.mailbox.conftest import LETTER, REPORT, Desk, mail

FROM = b"From MAILER-DAEMON Sat Nov 21 22:21:07 2026\n"


def settings(kind: str, path: Path, **changes: object) -> FolderMailbox:
    """Return the settings of a mailbox in files."""
    found = parse({"mailboxes": [{"name": "files", "kind": kind, "path": str(path), **changes}]}).mailboxes[0]
    assert isinstance(found, FolderMailbox)
    return found


def fill_maildir(path: Path, *contents: bytes) -> None:
    """Deliver unread mails, oldest first."""
    box = mailbox.Maildir(path)
    for n, content in enumerate(contents):
        key = box.add(content)
        os.utime(path / "new" / key, (1_790_000_000 + n,) * 2)


def fill_eml(path: Path, *contents: bytes) -> None:
    """Write files, oldest first."""
    path.mkdir(exist_ok=True)
    for n, content in enumerate(contents):
        (path / f"{n}.eml").write_bytes(content)
        os.utime(path / f"{n}.eml", (1_790_000_000 + n,) * 2)


def fill_mbox(path: Path, *contents: bytes) -> None:
    """Append mails as a delivery agent does."""
    with path.open("ab") as file:
        for content in contents:
            file.write(FROM + content.replace(b"\r\n", b"\n") + b"\n")


FILLED: dict[str, Callable[..., None]] = {"maildir": fill_maildir, "eml": fill_eml, "mbox": fill_mbox}


@pytest.mark.parametrize("kind", FILLED)
def test_each_mail_comes_once(kind: str, tmp_path: Path, desk: Desk) -> None:
    """In the order of arrival, whether it is moved or stays; also over a strike."""
    contents = [mail(n, s) for n, s in enumerate(("Undelivered", "A letter", "Odd", "Poison"))]
    FILLED[kind](tmp_path / "box", *contents)
    with closing(open_mailbox(settings(kind, tmp_path / "box", batch=3))) as source:
        came = desk.work_off(source)
        assert [raw.content.replace(b"\r\n", b"\n") for raw in came] == [c.replace(b"\r\n", b"\n") for c in contents]
        assert [raw.digest() for raw in desk.work_off(source)] == [came[3].digest()]
        desk.judge = lambda _: Disposition.QUARANTINE
        assert [raw.digest() for raw in desk.work_off(source)] == [came[3].digest()]
        assert desk.work_off(source) == []
    assert desk.store.unacked("files", "INBOX", 0) == []


@pytest.mark.parametrize("kind", FILLED)
def test_one_batch_may_be_read_ahead(kind: str, tmp_path: Path, desk: Desk) -> None:
    """Each message once, whatever becomes of it."""
    contents = [mail(n, s) for n, s in enumerate(("Undelivered", "A letter", "Odd", "Undelivered"))]
    FILLED[kind](tmp_path / "box", *contents)
    with closing(open_mailbox(settings(kind, tmp_path / "box", batch=1))) as source:
        assert len(desk.work_off_reading_ahead(source)) == 4
        assert desk.work_off_reading_ahead(source) == []
    if kind != "mbox":
        assert len([p for p in (tmp_path / "box").rglob("*") if p.is_file() and b"mail 1" in p.read_bytes()]) == 1


@pytest.mark.parametrize("kind", ["maildir", "eml"])
def test_a_crash_before_the_move_is_made_good(kind: str, tmp_path: Path, desk: Desk) -> None:
    """What is settled is moved by the next process without being handed out again."""
    FILLED[kind](tmp_path / "box", mail(1), mail(2, "A letter"))
    crashed = open_mailbox(settings(kind, tmp_path / "box"))
    desk.commit(next(crashed.poll(desk.store)))

    came = desk.work_off(open_mailbox(settings(kind, tmp_path / "box")))

    assert [raw.content for raw in came] == [mail(2, "A letter")]
    names = {p.parent.parent.name if kind == "maildir" else p.parent.name for p in (tmp_path / "box").rglob("*")}
    assert (".Processed" if kind == "maildir" else "Processed") in names
    assert desk.store.unacked("files", "INBOX", 0) == []


def test_maildir_moves_keep_name_flags_and_place(tmp_path: Path, desk: Desk) -> None:
    """Unread mail stays in `new` of the subfolder, read mail keeps its flags; Maildir++ knows the folder."""
    fill_maildir(tmp_path / "box", REPORT, LETTER)
    box = tmp_path / "box"
    (box / "cur" / "1790000009.M1.host:2,FS").write_bytes(mail(3))
    names = {p.name for p in (box / "new").iterdir()}

    assert len(desk.work_off(open_mailbox(settings("maildir", box, after={"processed": "Done/Well"})))) == 3

    target = box / ".Done.Well"
    assert [p.read_bytes() for p in (target / "new").iterdir()] == [REPORT]
    assert [p.name for p in (target / "cur").iterdir()] == ["1790000009.M1.host:2,FS"]
    assert {p.name for p in (target / "new").iterdir()} < names
    assert [p.read_bytes() for p in (box / "new").iterdir()] == [LETTER]
    assert (target / "maildirfolder").exists() and (target / "tmp").is_dir()


def test_a_maildir_message_is_the_same_with_other_flags(tmp_path: Path, desk: Desk) -> None:
    """Read by its owner between two polls, in the same process: it does not come again."""
    fill_maildir(tmp_path / "box", LETTER)
    source = open_mailbox(settings("maildir", tmp_path / "box"))
    assert len(desk.work_off(source)) == 1
    (file,) = (tmp_path / "box" / "new").iterdir()
    file.rename(tmp_path / "box" / "cur" / (file.name + ":2,S"))
    assert desk.work_off(source) == []


def test_an_eml_file_written_anew_is_another_mail(tmp_path: Path, desk: Desk) -> None:
    """The name alone does not tell a mail; and what lies in the target under that name is kept."""
    box = tmp_path / "box"
    source = open_mailbox(settings("eml", box))
    for n in (1, 2):
        fill_eml(box, mail(n))
        os.utime(box / "0.eml", (1_790_000_000 + n,) * 2)
        assert [raw.content for raw in desk.work_off(source)] == [mail(n)]
    assert {p.name: p.read_bytes() for p in (box / "Processed").iterdir()} == {"0.eml": mail(1), "0-2.eml": mail(2)}


def test_links_are_not_followed(tmp_path: Path, desk: Desk) -> None:
    """Who may write into the folder may not have other files read by it."""
    (tmp_path / "secret").write_bytes(b"root:x:0:0\n")
    for kind, folder in (("eml", "box"), ("maildir", "maildir")):
        FILLED[kind](tmp_path / folder)
        inside = tmp_path / folder / "new" if kind == "maildir" else tmp_path / folder
        inside.mkdir(exist_ok=True)
        (inside / "x.eml").symlink_to(tmp_path / "secret")
        assert desk.work_off(open_mailbox(settings(kind, tmp_path / folder))) == []


@pytest.mark.parametrize("kind", FILLED)
def test_large_mails_are_read_up_to_the_limit(kind: str, tmp_path: Path, desk: Desk) -> None:
    """`size` tells the whole."""
    content = REPORT.replace(b"\r\n", b"\n") + b"x" * 60_000
    FILLED[kind](tmp_path / "box", content)
    (raw,) = desk.work_off(open_mailbox(settings(kind, tmp_path / "box"), Limits(message_bytes=10_000)))
    assert (len(raw.content), raw.truncated) == (10_000, True)
    assert len(content) <= raw.size <= len(content) + 2


@pytest.mark.parametrize("kind", FILLED)
def test_what_is_missing_is_told(kind: str, tmp_path: Path, desk: Desk) -> None:
    """As MailboxDown, since it may be mounted later; `probe` says the same."""
    source = open_mailbox(settings(kind, tmp_path / "gone"))
    with pytest.raises(MailboxDown, match=r"gone.*is not there"):
        desk.work_off(source)
    assert not any(check.ok for check in source.probe())
    FILLED[kind](tmp_path / "gone", REPORT)
    assert len(desk.work_off(source)) == 1
    assert all(check.ok for check in source.probe())


@pytest.mark.parametrize("kind", FILLED)
def test_a_new_file_wakes_the_wait(kind: str, tmp_path: Path, desk: Desk) -> None:
    """Within about a second; and the daemon's end within one too."""
    FILLED[kind](tmp_path / "box", LETTER)
    source = open_mailbox(settings(kind, tmp_path / "box"))
    desk.work_off(source)
    stop = threading.Event()
    threading.Timer(0.2, FILLED[kind], [tmp_path / "box", LETTER, REPORT]).start()
    began = time.monotonic()
    assert source.wait(20, stop)
    assert time.monotonic() - began < 3
    stop.set()
    assert not source.wait(20, stop)


def test_an_mbox_is_read_on_from_where_it_ended(tmp_path: Path, desk: Desk) -> None:
    """By another process too; a file that was rotated away is read from its beginning."""
    box = tmp_path / "box"
    fill_mbox(box, mail(1), mail(2))
    before = box.read_bytes()
    assert len(desk.work_off(open_mailbox(settings("mbox", box)))) == 2
    assert box.read_bytes() == before
    fill_mbox(box, mail(3))
    assert [raw.content[-7:] for raw in desk.work_off(open_mailbox(settings("mbox", box)))] == [b"mail 3\n"]
    box.unlink()
    box.write_bytes(b"From other@example.net Sun Nov 22 01:00:00 2026\n" + LETTER * 20 + b"\n")
    assert len(desk.work_off(open_mailbox(settings("mbox", box)))) == 1


def test_an_mbox_under_lock_is_left_alone(tmp_path: Path, desk: Desk) -> None:
    """A delivery agent is writing: try later. It can lock again while a batch is being worked on."""
    box = tmp_path / "box"
    fill_mbox(box, mail(1))
    lock = (
        "import fcntl,sys,time; f=open(sys.argv[1],'ab'); fcntl.lockf(f, fcntl.LOCK_EX); print(flush=True);"
        "sys.stdin.read()"
    )
    source = open_mailbox(settings("mbox", box))
    with subprocess.Popen([sys.executable, "-c", lock, box], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(MailboxDown, match="another program holds the lock"):
            desk.work_off(source)
        other.communicate(b"")
    for batch in source.poll(desk.store):
        with box.open("ab") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        source.ack(desk.commit(batch))
    assert source.probe()[0].ok


def test_lines_that_only_look_like_a_beginning(tmp_path: Path) -> None:
    """`From ` begins a message behind an empty line and with a time only; CRLF and a missing last break are fine."""
    body = b"Subject: a\n\nFrom here on it is text.\nFrom x Sat Nov 21 22:21:07 2026\n\nFrom nobody at all\n"
    box = FROM + body + b"\n" + FROM.replace(b"\n", b"\r\n") + b"Subject: b\r\n\r\nno last break"
    pieces = list(split(io.BytesIO(box), 10_000))
    assert [p.content for p in pieces] == [body, b"Subject: b\r\n\r\nno last break"]
    assert [(p.start, p.end) for p in pieces] == [(0, len(FROM + body) + 1), (len(FROM + body) + 1, len(box))]
    assert [p.size for p in pieces] == [len(p.content) for p in pieces]


def test_a_large_mbox_is_read_in_one_pass_and_little_memory(tmp_path: Path) -> None:
    """20 MB of many mails and one endless line: a mail at a time."""
    box = tmp_path / "box"
    fill_mbox(box, *[REPORT + b"x" * 2_000 + b"\n"] * 5_000)
    fill_mbox(box, b"Subject: endless\n\n" + b"y" * 10_000_000 + b"\n")
    tracemalloc.start()
    began = time.monotonic()
    sizes = [raw.size for _, raw in read_paths([box], 5_000)]
    seconds, (_, peak) = time.monotonic() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(sizes), max(sizes) > 10_000_000) == (5_001, True)
    assert peak < 2_000_000
    assert seconds < 20


def test_paths_are_searched_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders by name, Maildirs with their subfolders, mbox files; what is no mail is passed over in folders only."""
    top = tmp_path / "top"
    fill_eml(top, REPORT, b"odd, but .eml")
    (top / "notes.md").write_text("Title: notes\n")
    (top / "story.yaml").write_text("reader: null\n")
    (top / "mail-without-suffix").write_bytes(LETTER)
    (top / "picture.png").write_bytes(b"\x89PNG\r\n")
    (top / ".hidden.eml").write_bytes(LETTER)
    fill_mbox(top / "z.mbox", mail(1), mail(2))
    fill_maildir(top / "sub", mail(3))
    fill_maildir(top / "sub" / ".Old", mail(4))
    (top / "sub" / "tmp" / "half").write_bytes(b"Subject: half")

    names = [name.removeprefix(str(top) + "/") for name, _ in read_paths([top], 1_000)]

    assert [n.rpartition("/")[0] for n in names] == ["", "", "", "sub/.Old/new", "sub/new", "", ""]
    assert [n for n in names if "/" not in n] == ["0.eml", "1.eml", "mail-without-suffix", "z.mbox#1", "z.mbox#2"]
    assert [n for n, _ in read_paths([top / "notes.md"], 1_000)] == [str(top / "notes.md")]
    with pytest.raises(ConfigError, match="gone"):
        list(read_paths([tmp_path / "gone"], 1_000))


def test_standard_input_is_taken_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The MTA's pipe is emptied whatever the limit, and its From line is no part of the mail."""
    stream = io.BytesIO(FROM + LETTER + b"x" * 100_000)
    raw = read_stdin(1_000, stream)
    assert stream.read() == b""
    assert raw.content.startswith(LETTER) and raw.truncated
    assert raw.size == len(LETTER) + 100_000
    assert read_stdin(1_000, io.BytesIO(LETTER)).place == read_stdin(1_000, io.BytesIO(LETTER)).place

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LETTER)))
    ((name, again),) = read_paths([Path("-")], 1_000)
    assert (name, again.content) == ("-", LETTER)
