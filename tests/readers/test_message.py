"""The mail as readers see it: parts, text, original, charsets, limits."""

import pickle

import pytest

from bounced.config import Limits
from bounced.errors import Unreadable
from bounced.model import Original
from bounced.readers._charset import decode, from_html, words
from bounced.readers._message import Message, parse

REPORT = b"""From: MAILER-DAEMON@mx.example.org
Subject: =?utf-8?q?Nicht_zugestellt=3A_Fr=C3=BCh?=
 =?utf-8?q?ling?=
X-Twice: one
x-twice: two
Content-Type: multipart/report; boundary="b 1"

--b 1

It failed.
--b 1
Content-Type: message/delivery-status
Content-Transfer-Encoding: base64

RmluYWwtUmVjaXBpZW50OiByZmM4MjI7IGFubkBleGFtcGxlLm5ldAo=
--b 1
Content-Type: message/rfc822

Message-ID: <g1@example.com>
Subject: Spring

user unknown
--b 1--
"""


def read(content: bytes, **limits: int) -> Message:
    return parse(content, Limits(**limits))


def test_parts_text_and_original() -> None:
    """The tree, the human text, the decoded machine part and the header of the original, whatever the line ends."""
    for end in (b"\n", b"\r\n", b"\r"):
        message = read(REPORT.replace(b"\n", end))

        assert [part.content_type for part in message.parts] == [
            "multipart/report", "text/plain", "message/delivery-status", "message/rfc822",
        ]  # fmt: skip
        assert message.subject == "Nicht zugestellt: Frühling"
        assert message.headers("X-TWICE") == ("one", "two")
        assert message.text() == "It failed."
        status = message.part("message/delivery-status")
        assert status is not None
        assert status.content == b"Final-Recipient: rfc822; ann@example.net\n"
        assert message.original() == Original((("Message-ID", "<g1@example.com>"), ("Subject", "Spring")))


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(REPORT.replace(b'; boundary="b 1"', b""), id="no boundary"),
        pytest.param(REPORT.replace(b"Content-Type:", b"Content-Type :"), id="blank before the colon"),
        pytest.param(REPORT.replace(b'"b 1"', b'"other"'), id="another boundary"),
        pytest.param(REPORT.replace(b'; boundary="b 1"', b';\nboundary="b 1"'), id="parameter not indented"),
        pytest.param(REPORT.removesuffix(b"--b 1--\n"), id="not closed"),
        pytest.param(b"From x@example.org Sat Nov 21 10:00:00 2026\n" + REPORT, id="mbox line"),
        pytest.param(b"\n\n" + REPORT, id="blank lines first"),
    ],
)
def test_a_broken_multipart_still_gives_its_parts(broken: bytes) -> None:
    """The machine part is found where the boundary is missing, wrong, badly folded or not closed."""
    assert "message/delivery-status" in read(broken).types


def test_a_boundary_that_begins_another_is_told_apart() -> None:
    """RFC 2046 section 5.1.2: the inner boundary may begin with the outer one."""
    inner = b"--bb\nContent-Type: text/plain\n\ninner\n--bb--\n"
    mail = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=bb\n\n" + inner
    mail += b"--b\nContent-Type: text/html\n\n<p>outer</p>\n--b--\n"

    assert [p.content_type for p in read(mail).parts] == [
        "multipart/mixed",
        "multipart/mixed",
        "text/plain",
        "text/html",
    ]


@pytest.mark.parametrize(
    ("content", "limits", "words_of_it"),
    [
        (b"x" * 20_000, {"message_bytes": 10_000}, "message_bytes"),
        (b"A: " + b"x" * 5_000 + b"\n\n", {"header_bytes": 1_000}, "header_bytes"),
        (b"A: b\n" * 99 + b"\n", {"header_lines": 50}, "header_lines"),
        (b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\na\n" * 300, {}, "mime_parts"),
        (
            b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(12)) + b"\nx\n",
            {},
            "mime_depth",
        ),
        (b"Content-Type: message/rfc822\n\n" * 12 + b"\nx\n", {}, "mime_depth"),
    ],
)
def test_what_exceeds_a_limit_is_unreadable(content: bytes, limits: dict[str, int], words_of_it: str) -> None:
    """The error names the limit, so that the operator knows what to raise."""
    with pytest.raises(Unreadable, match=words_of_it):
        read(content, **limits)


def test_limits_do_not_look_into_the_returned_original() -> None:
    """A report is read whatever monster it returns."""
    monster = b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\na\n" * 5_000
    mail = REPORT.replace(b"Message-ID: <g1@example.com>\nSubject: Spring\n", monster)

    assert "message/delivery-status" in read(mail).types


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        ("größer".encode(), None, "größer"),
        ("größer".encode("latin-1"), None, "größer"),
        ("größer".encode("latin-1"), "utf-8", "größer"),
        ("größer".encode(), "UFT-8", "größer"),
        ("größer".encode(), "no-such-charset", "größer"),
        ("宛先不明".encode("iso-2022-jp"), None, "宛先不明"),
        ("宛先不明".encode("shift-jis"), "Shift_JIS", "宛先不明"),
        (b"abc", "zip", "abc"),
        (b"abcd", "utf-16", "abcd"),
        (b"\x81\x8d", None, "\x81\x8d"),
        (b"a\r\nb\rc\0", None, "a\nb\nc"),
    ],
)
def test_octets_become_text_whatever_was_declared(content: bytes, charset: str | None, text: str) -> None:
    """Declared, then UTF-8, then windows-1252, then latin-1; never a codec that is none of mail."""
    assert decode(content, charset) == text


def test_encoded_words_that_are_broken_stay() -> None:
    """RFC 2047: what cannot be decoded is shown as it is."""
    assert words("=?utf-8?q?a_b?= =?utf-8?q?c?= =?x?z?y?=") == "a bc=?x?z?y?="
    assert words("=?utf-8?q?unfinished") == "=?utf-8?q?unfinished"


def test_html_becomes_lines() -> None:
    """One line a block, no styles, entities decoded."""
    page = "<html><head><style>p {}</style></head><p>To <b>ann@example.net</b>:<br>Unknown &amp; gone</p>"

    assert [line for line in from_html(page).split("\n") if line] == ["To ann@example.net:", "Unknown & gone"]


def test_a_returned_header_is_decoded_as_it_is_asked_for() -> None:
    """By any spelling of the name, all of them or the first; whole, it is the same on both sides of a process."""
    quoted = REPORT.replace(
        b"Subject: Spring", b"Subject: =?utf-8?q?Fr=C3=BCh?=\n =?utf-8?q?ling?=\nX-Tag: a\nx-tag: b"
    )
    original = read(quoted).original()

    assert original is not None
    assert original.first("SUBJECT") == "Frühling"
    assert original.all("X-Tag") == ("a", "b")
    assert (original.first("To"), original.all("To")) == (None, ())
    assert pickle.loads(pickle.dumps(original)) == original == Original(original.headers)
    assert original != Original(original.headers[1:])
    assert hash(original) == hash(Original(original.headers))
    assert [name for name, _ in original.headers] == ["Message-ID", "Subject", "X-Tag", "x-tag"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("It failed.\n\n--- Below this line is a copy of the message.\n\n", "It failed.\n\n"),
        ("It failed.\n--- The error message follows ---\n", None),
        ("--- Below this line is a copy of the message.\n", None),
    ],
    ids=["cut off", "of the error", "nothing else"],
)
def test_a_line_that_announces_what_does_not_follow_ends_the_text(text: str, said: str | None) -> None:
    """A report may be cut behind the line that announces the original; a text is never made empty by that."""
    message = read(b"From: MAILER-DAEMON@mx.example.org\n\n" + text.encode())

    assert message.text() == (text if said is None else said)
    assert message.original() is None
