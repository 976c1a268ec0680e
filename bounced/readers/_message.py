"""One mail as the readers see it: its parts, its human text, what it returns of the original, its envelope."""

import re
from functools import partial

from bounced.config import Limits
from bounced.errors import Unreadable
from bounced.model import Envelope, Original
from bounced.readers._dates import when
from bounced.readers._fields import Fields, has_fields, raw_pairs, value
from bounced.readers._lazy import lazy
from bounced.readers._mime import (
    DELIVERY_STATUS,
    DISPOSITION,
    FEEDBACK,
    MACHINE,
    MAX_TEXT,
    ORIGINAL_HEADERS,
    RETURNED,
    WHOLE_ORIGINAL,
    Part,
    tree,
)
from bounced.readers._original import split_original

__all__ = [
    "DELIVERY_STATUS",
    "DISPOSITION",
    "FEEDBACK",
    "MACHINE",
    "ORIGINAL_HEADERS",
    "WHOLE_ORIGINAL",
    "Message",
    "Part",
    "header_block",
    "parse",
]

MAX_ORIGINAL = 65_536  # octets of the returned original in which its header is looked for
_FROM_LINE = re.compile(rb"(?:[ \t]*\n)*(?:>?From [^\n]*\n)?")
_BEFORE_HEADER = (b" ", b"\t", b"\n", b">", b"F")  # with one of these such a line begins


class Message:
    """A mail that keeps the limits. What the readers ask for is worked out once, when it is first asked for."""

    def __init__(self, root: Part, octets: bytes, fields: Fields, limits: Limits) -> None:
        self.root = root
        self.octets = octets
        self.fields = fields
        self.limits = limits
        self.parts = tuple(root.walk()) if root.children else (root,)
        _mark_returned(root)
        #: The content types outside the returned original: what a reader asks first.
        self.types = frozenset([part.content_type for part in self.parts if not part.returned])

    def header(self, name: str) -> str | None:
        """Return the first value of the field, decoded, unfolded, bounded; None if there is none."""
        return self.fields.first(name)

    def headers(self, name: str) -> tuple[str, ...]:
        """Return every value of the field, in order."""
        return self.fields.all(name)

    def part(self, *types: str) -> Part | None:
        """Return the first part of these types outside the returned original."""
        if self.types.isdisjoint(types):
            return None
        return next((part for part in self.parts if not part.returned and part.content_type in types), None)

    @lazy
    def whole_text(self) -> str:
        """The human part(s) as one text, also what they quote of the original."""
        parts = _human_parts(self.root)
        return "\n".join(part.readable() for part in parts)[:MAX_TEXT]

    @lazy
    def _split(self) -> tuple[str, str]:
        return split_original(self.whole_text)

    def text(self) -> str:
        """Return the human part(s) as text, HTML turned to text, up to where the returned original begins."""
        return self._split[0]

    @lazy
    def folded(self) -> str:
        """The human text in lower case, for a first look that costs little."""
        return self.text().lower()

    @property
    def quoted(self) -> str:
        """The returned original, as far as it is quoted in the text; empty if none is."""
        return self._split[1]

    @lazy
    def subject(self) -> str:
        """The subject, empty where there is none."""
        return self.header("Subject") or ""

    @lazy
    def sender(self) -> str:
        """The From field, empty where there is none."""
        return self.header("From") or ""

    @lazy
    def null_sender(self) -> bool:
        """True if the recorded return path is the null path (RFC 5321 section 4.5.5)."""
        return (self.header("Return-Path") or "").strip() == "<>"

    def original(self) -> Original | None:
        """Return the header of the returned mail, from a part of its own or quoted in the text; None without one."""
        return self._original

    @lazy
    def _original(self) -> Original | None:
        for part in self.parts:
            if part.returned and part.content_type in RETURNED:
                block = header_block(part.opening(MAX_ORIGINAL))
                if has_fields(block):
                    return Original(partial(raw_pairs, block), value)
        if self.root.children and self.types.isdisjoint(("text/plain", "text/html")):
            return None
        found = raw_pairs(header_block(self.quoted[:MAX_ORIGINAL].encode("utf-8", "replace")))
        return Original(found, value) if len(found) > 1 else None

    def envelope(self) -> Envelope:
        """Return what other stages need of the report mail itself."""
        first, every = self.fields.first, self.fields.all
        return Envelope(  # by position, as in the class: names take a third longer
            first("Message-ID"),
            first("From"),
            first("Subject"),
            when(first("Date")),
            first("Return-Path"),
            every("Delivered-To") + every("X-Original-To") + every("Envelope-To") + every("To"),
            every("In-Reply-To") + every("References"),
            every("Authentication-Results"),
            first("Auto-Submitted"),
        )


def parse(content: bytes, limits: Limits) -> Message:
    """Return the mail in `content`. LF, CRLF and bare CR give the same answer.

    Raises Unreadable, naming the limit, where size, header, depth or number of parts exceed `limits`.
    """
    if len(content) > limits.message_bytes:
        raise Unreadable(f"{len(content)} octets, more than {limits.message_bytes} (limits.message_bytes)")
    clean = _one_line_end(content)
    root = tree(clean, limits)
    head = root.head
    if len(head) > limits.header_bytes:
        raise Unreadable(f"a header of {len(head)} octets, more than {limits.header_bytes} (limits.header_bytes)")
    lines = head.count(b"\n")
    if lines > limits.header_lines:
        raise Unreadable(f"a header of {lines} lines, more than {limits.header_lines} (limits.header_lines)")
    return Message(root, clean, Fields(head), limits)


def header_block(content: bytes) -> bytes:
    """Return what stands before the first blank line; everything if there is none."""
    if content[:1] in _BEFORE_HEADER:
        content = content[_FROM_LINE.match(content).end() :]  # type: ignore[union-attr]  # matches the empty string too
    end = content.find(b"\n\n")
    return content if end < 0 else content[:end]


def _one_line_end(content: bytes) -> bytes:
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if content[:1] in _BEFORE_HEADER and (match := _FROM_LINE.match(content)):
        return content[match.end() :]
    return content


def _mark_returned(root: Part) -> None:
    """Mark the returned original and all within it, where it is not marked already for standing beside a machine part.

    A whole message is the original unless it holds a machine part itself: then somebody forwarded a report, or a
    gateway wrapped it (RFC 6522 section 1).
    """
    waiting = [root]
    for part in waiting:
        for child in part.children:
            if child.returned or (child.content_type in RETURNED and not _holds_machine_part(child)):
                for below in child.walk():
                    below.returned = True
            elif child.children:
                waiting.append(child)


def _holds_machine_part(part: Part) -> bool:
    return any(below.content_type in MACHINE for below in part.walk())


def _human_parts(part: Part) -> list[Part]:
    """Return the texts meant for a person, outside the original: of alternatives the plain one, if it says anything."""
    if part.returned or part.content_type in MACHINE:
        return []
    if part.children:
        found = [text for child in part.children for text in _human_parts(child)]
        if part.content_type == "multipart/alternative" and len(found) > 1:
            said = [text for text in found if text.content_type == "text/plain" and text.text().strip()]
            return said[:1] or found[:1]
        return found
    if part.content_type not in ("text/plain", "text/html") or _is_attachment(part):
        return []
    return [part]


def _is_attachment(part: Part) -> bool:
    if part.depth == 1 or b"ttachment" not in part.head.lower():
        return False
    return (part.header("Content-Disposition") or "").lower().startswith("attachment")
