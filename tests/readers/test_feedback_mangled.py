"""No bytes make a reader of complaints or answers raise, and none makes it name somebody the mail does not."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bounced.config import Limits
from bounced.errors import Unreadable
from bounced.model import Kind
from bounced.readers import READERS
from bounced.readers._json import parse_object
from bounced.readers._message import Message, parse

NAMES = frozenset(
    {
        "arf", "auto_reply", "auto_reply_words", "calendar", "challenge", "closed_mailbox",
        "dmarc", "jmrp", "mdn", "ses_complaint",
        "ticket", "unsubscribe", "unsubscribe_words", "xarf",
    }
)  # fmt: skip
OURS = tuple(reader for reader in READERS if reader.name in NAMES)
FOLDERS = NAMES | {"people"}
SAMPLES = [
    path.read_bytes()
    for path in sorted((Path(__file__).parent.parent / "samples").glob("*/*.eml"))
    if path.parent.name in FOLDERS
]
SPLICES = [
    b"\r", b"\n\n", b"\0", b"\xff\xfe", b"--=-b1\n", b"=?utf-8?B?////?=", b"Feedback-Type:", b"{" * 50, b"[" * 50,
    b"Content-Type: message/feedback-report\n\n", b"Content-Type: message/rfc822\n\n",
    b"Content-Transfer-Encoding: base64\n",
    b'charset="hex"', "自動返信".encode(), b"\x1b$B", b"@@", b"<>", b"a" * 1000,
]  # fmt: skip


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """Draw a sample with octets cut out, doubled, replaced, or with something of another mail in it."""
    content = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(1, 4))):
        a, b = sorted((draw(st.integers(0, len(content))), draw(st.integers(0, len(content)))))
        other = draw(st.sampled_from(SAMPLES))
        c = draw(st.integers(0, len(other)))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            content = content[:a] + content[min(b, a + 200) :]
        elif kind == 1:
            content = content[:b] + content[a:b] + content[b:]
        elif kind == 2:
            content = content[:a] + draw(st.sampled_from(SPLICES)) + content[a:]
        elif kind == 3:
            content = content[:a] + draw(st.binary(max_size=12)) + content[a + 1 :]
        else:
            content = content[:a] + other[c:]
    return content


def parsed(content: bytes) -> Message | None:
    try:
        return parse(content, Limits())
    except Unreadable:
        return None


def test_all_of_them_are_found() -> None:
    """A reader that was renamed does not drop out of these tests."""
    assert {reader.name for reader in OURS} == NAMES


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(content=mangled())
def test_no_bytes_make_a_reader_raise(content: bytes) -> None:
    """A reader answers None or a report with its own name; automatic replies accuse nobody."""
    message = parsed(content)
    for reader in OURS if message else ():
        report = reader.read(message)  # type: ignore[arg-type]
        if report is not None:
            assert report.reader == reader.name
            assert not (report.kind is Kind.AUTO_REPLY and report.findings)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(content=mangled())
def test_nobody_is_named_whom_the_mail_does_not_name(content: bytes) -> None:
    """Each recipient's letters stand in some part, header or decoded text of the mail."""
    message = parsed(content)
    reports = [report for reader in OURS if message and (report := reader.read(message))]
    for finding in (finding for report in reports for finding in report.findings):
        assert message is not None
        said = [name + value for name, value in message.fields.pairs()]
        said += [value for _, value in (message.original().headers if message.original() else ())]  # type: ignore[union-attr]
        said += [part.text() for part in message.parts]
        if finding.recipient is not None and not any(report.reader == "xarf" for report in reports):
            assert any(finding.recipient in text for text in said)


@given(text=st.text(max_size=300) | st.recursive(st.just("1"), lambda inner: st.builds('{{"a":{}}}'.format, inner)))
def test_json_of_strangers_is_an_object_or_nothing(text: str) -> None:
    """No text makes the parser raise."""
    found = parse_object(text)

    assert found is None or isinstance(found, dict)


@pytest.mark.parametrize("text", ["{" * 100_000, '{"a":' * 5_000 + "1" + "}" * 5_000, "{" + " " * 300_000 + "}"])
def test_json_is_bounded(text: str) -> None:
    """What nests or weighs too much is not read at all."""
    assert parse_object(text) is None
