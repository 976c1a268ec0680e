"""The order in which readers are asked, how they are found, and the fence around the library."""

import logging
from email.message import Message as Legacy
from pathlib import Path

import pytest

from bounced import readers
from bounced.config import Limits
from bounced.errors import Unreadable
from bounced.model import Kind, Place, RawMessage
from bounced.readers import READERS, Rank, flufl, read
from bounced.readers._message import parse
from tests.readers.test_samples import read_bytes

SAMPLES = Path(__file__).parent.parent / "samples"
PROSE = b"From: MAILER-DAEMON@mx.example.org\nSubject: Undelivered Mail\n\nundeliverable to ann@example.net\n"


def test_the_standard_is_asked_before_folklore() -> None:
    """Readers stand in the order of their ranks, each name once."""
    ranks = [reader.rank for reader in READERS]

    assert ranks == sorted(ranks)
    assert len({reader.name for reader in READERS}) == len(READERS)
    assert (
        ranks.index(Rank.STANDARD) < ranks.index(Rank.PROSE) < ranks.index(Rank.FREE_TEXT) < ranks.index(Rank.LIBRARY)
    )


def test_every_module_of_the_folder_is_a_dialect() -> None:
    """Nothing is registered: a module without underscore is found, and says by what it is known."""
    folder = Path(readers.__file__ or "").parent
    modules = {path.stem for path in folder.glob("*.py") if not path.name.startswith("_")}

    assert {reader.name for reader in READERS} == modules
    for name in modules:
        assert "tell-tale" in (folder / f"{name}.py").read_text(encoding="utf-8").lower(), name


class Raising:
    """A detector as flufl.bounce has them, that meets what it did not expect."""

    def process(self, msg: Legacy) -> tuple[set[bytes], set[bytes]]:
        raise IndexError("list index out of range")


class Naming:
    """A detector that names one address that waits and one that failed."""

    def process(self, msg: Legacy) -> tuple[set[bytes], set[bytes]]:
        return {b"bob@example.net"}, {b"ann@example.net"}


def test_a_detector_that_raises_costs_itself_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is asked; its findings keep failed and delayed apart."""
    monkeypatch.setattr(flufl, "_DETECTORS", [Raising, Naming])

    report = flufl.READER.read(parse(PROSE, Limits()))

    assert report is not None
    assert [(f.recipient, f.action) for f in report.findings] == [
        ("ann@example.net", "failed"),
        ("bob@example.net", "delayed"),
    ]


def test_the_library_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of what it logs reaches the daemon's log."""
    with caplog.at_level(logging.DEBUG):
        flufl.READER.read(parse(PROSE, Limits()))

    assert [record for record in caplog.records if record.name.startswith("flufl")] == []


def test_too_many_recipients_are_unreadable() -> None:
    """One report cannot condemn a whole list."""
    group = b"Final-Recipient: rfc822; ann%d@example.net\nAction: failed\nStatus: 5.1.1\n\n"
    content = b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; a\n\n" + b"".join(
        group % n for n in range(20)
    )

    with pytest.raises(Unreadable, match="recipients"):
        read(RawMessage(Place("test", "", 0, 1), content, len(content)), Limits(recipients=19))


def test_what_was_cut_off_is_said() -> None:
    """Of an oversized mail the first octets speak, and a note tells."""
    content = (SAMPLES / "rfc3464" / "several_fates.eml").read_bytes()

    report = read(RawMessage(Place("test", "", 0, 1), content, 60_000_000), Limits())

    assert report.kind is Kind.BOUNCE
    assert "60000000" in " ".join(report.notes)


def test_a_report_within_a_report_is_followed_to_a_depth() -> None:
    """A gateway's mail around a gateway's mail around the bounce; a person's marks it as forwarded."""
    content = (SAMPLES / "qmail" / "two_recipients.eml").read_bytes()
    for _ in range(3):
        content = b"From: postmaster@gw.example.com\nSubject: mail\nContent-Type: message/rfc822\n\n" + content
    assert read_bytes(content).reader == "qmail"

    person = b"From: Carl <carl@example.com>\nSubject: look\nContent-Type: message/rfc822\n\n" + content
    assert read_bytes(person).forwarded
    assert not read_bytes(content).forwarded
