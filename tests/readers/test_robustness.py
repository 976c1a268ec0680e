"""No bytes make a reader raise; cost grows with the size and not faster."""

import time
from contextlib import suppress
from operator import attrgetter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bounced.config import Limits
from bounced.errors import Unreadable
from bounced.model import Report
from bounced.readers import READERS, Reader
from bounced.readers._message import parse
from tests.readers.test_samples import read_bytes

SAMPLES = [path.read_bytes() for path in sorted((Path(__file__).parent.parent / "samples").glob("*/*.eml"))]
NOISE = [
    b"\r",
    b"\n\n",
    b"\0",
    b"\xff\xfe",
    b"=?utf-8?b?",
    b"--",
    b"Content-Type: multipart/report\n",
    b"Action: \n",
    b"@",
    b"<>",
    b"<",
]


@st.composite
def mangled_samples(draw: st.DrawFn) -> bytes:
    """Return a sample with pieces dropped, doubled, overwritten or moved."""
    content = bytearray(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        end = min(len(content), at + draw(st.integers(0, 400)))
        piece = bytes(content[at:end])
        how = draw(st.sampled_from(("drop", "double", "noise", "flip")))
        if how == "drop":
            del content[at:end]
        elif how == "double":
            content[end:end] = piece
        elif how == "noise":
            content[at:at] = draw(st.sampled_from(NOISE) | st.binary(max_size=30))
        else:
            content[at:end] = bytes(octet ^ 0x80 for octet in piece)
    return bytes(content)


@pytest.mark.parametrize("reader", READERS, ids=attrgetter("name"))
@given(noise=mangled_samples())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_bytes_make_a_reader_raise(reader: Reader, noise: bytes) -> None:
    """A reader answers None or a Report, whatever strangers send."""
    try:
        message = parse(noise, Limits())
    except Unreadable:
        return
    answer = reader.read(message)
    assert answer is None or isinstance(answer, Report)


@given(noise=st.binary(max_size=3_000))
@settings(max_examples=200, deadline=None)
def test_no_octets_make_reading_raise(noise: bytes) -> None:
    """Bare noise is a mail of kind `other`, or Unreadable."""
    with suppress(Unreadable):
        assert isinstance(read_bytes(noise), Report)


def cpu_of(content: bytes) -> float:
    """Return the CPU seconds of reading, the best of three."""
    best = 9.0
    for _ in range(3):
        begin = time.process_time()
        read_bytes(content)
        best = min(best, time.process_time() - begin)
    return best


HEAD = b"From: MAILER-DAEMON@mx.example.org\nSubject: Undelivered Mail\n"
MACHINE = (
    HEAD
    + b"Content-Type: multipart/report; boundary=b\n\n--b\n\nIt failed.\n--b\nContent-Type: message/delivery-status\n\n"
    + b"Reporting-MTA: dns; mx.example.org\n\nFinal-Recipient: rfc822; ann@example.net\nAction: failed\n"
    + b"Status: 5.1.1\n--b\nContent-Type: message/rfc822\n\nSubject: x\n\n"
)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(MACHINE + b"user unknown in the returned mail\n" * 150_000 + b"--b--\n", id="a report of 5 MB"),
        pytest.param(HEAD + b"\n" + b"no word of it is known here, at all\n" * 140_000, id="5 MB of text"),
        pytest.param(HEAD + b"\n" + b"a" * 5_000_000, id="5 MB in one line"),
        pytest.param(HEAD + b"\n" + b"ann@example.net " * 310_000, id="5 MB of addresses"),
        pytest.param(HEAD + b"\n" + b"could not be " * 380_000, id="5 MB of half a phrase"),
        pytest.param(HEAD + b"\n" + b"-" * 5_000_000, id="5 MB of rule"),
        pytest.param(HEAD + b"\n" + b"<" * 2_000_000 + b"550 " * 700_000, id="5 MB of brackets and codes"),
    ],
)
def test_five_megabytes_cost_little(content: bytes) -> None:
    """A tenth of a second of CPU at most on a loaded machine; bench/read shows the true figure."""
    assert cpu_of(content) < 0.4
