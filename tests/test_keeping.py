"""What is kept of a report is judged as the report was, and is bounded."""

import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bounced.config import Limits
from bounced.keeping import keep, octets, pseudonym, restored, unpacked, without_returned_body
from bounced.model import Place, RawMessage
from bounced.readers import read
from tests.test_trouble import dsn

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PLACE = Place("returns", "INBOX", 1, 1)
SAMPLES = sorted((Path(__file__).parent / "samples").rglob("*.eml"))


def raw(content: bytes) -> RawMessage:
    return RawMessage(PLACE, content, len(content), NOW)


def test_the_body_of_the_returned_mail_is_left_out() -> None:
    """Its fields stay, and what stands around it."""
    long = dsn(1, b"It is on its way.\n" * 1000)

    kept = keep(raw(long), NOW, 10_000)

    assert octets(kept).startswith(long[:200])
    assert b"It is on its way" not in octets(kept)
    assert octets(kept).rstrip().endswith(long.rstrip()[-5:])
    assert (kept.size, kept.digest, kept.cut) == (len(long), raw(long).digest(), False)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_is_kept_says_what_the_report_said(path: Path) -> None:
    """Every sample: same kind, reader, findings, and fields of the original."""
    whole = raw(path.read_bytes())

    again = read(restored(keep(whole, NOW, 1_000_000), PLACE), Limits())

    assert again == read(whole, Limits())


def test_what_is_too_long_is_cut_and_says_so() -> None:
    """It can be looked at; judging it again might come to something else."""
    kept = keep(raw(b"Subject: x\n\n" + b"y" * 50_000), NOW, 1_000)

    assert kept.cut
    assert len(octets(kept)) == 1_000
    assert kept.size == 50_012


def test_a_message_of_which_only_a_part_was_read_counts_as_cut() -> None:
    """Its digest is that of what was read, as for its events."""
    part = RawMessage(PLACE, b"Subject: x\n\nabc", 100, NOW)
    assert keep(part, NOW, 1_000).cut


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"--b\nContent-Type: message/rfc822\n\n",
        b"--b\nContent-Type: message/rfc822\n\nSubject: x\n\nno end",
        b"--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA==\n\nx\n--b--\n",
        b"--b\nContent-Type: text/plain\n\nSubject: x\n\nbody\n--b--\n",
    ],
)
def test_what_is_no_returned_mail_stays_whole(content: bytes) -> None:
    """Broken, encoded, or another part."""
    assert without_returned_body(content) == content


def test_nothing_unfolds_without_bound() -> None:
    """Whoever wrote into the database."""
    assert len(unpacked(zlib.compress(b"\0" * 50_000_000))) == 20_000_000


def test_a_name_that_stands_for_an_address_depends_on_the_key() -> None:
    """HMAC-SHA-256; the same for the same, and no address."""
    one, other = pseudonym("one")("ann@example.org"), pseudonym("other")("ann@example.org")
    assert one == pseudonym("one")("ann@example.org") != other
    assert one.startswith("hmac:")
    assert len(one) == 69
