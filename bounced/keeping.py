"""What is kept: of a raw message, and of a person who was forgotten. Pure.

Kept is the report: all of it, less the body of the mail that it returns, the sender's own and often most of it.
"""

import hmac
import re
import zlib
from collections.abc import Callable
from datetime import datetime

from bounced.model import Kept, Place, RawMessage

#: No kept message unfolds to more.
_MOST = 20_000_000
_CODE = 6
#: The head of a part that returns a mail as it was, from its boundary line to the empty line after its fields.
_RETURNED = re.compile(
    rb"^(--[^\r\n]{1,200}?)[ \t]*\r?\n((?:[!-9;-~]+:[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*){1,20})\r?\n", re.MULTILINE
)
_MAIL = re.compile(rb"^content-type:[ \t]*message/(?:rfc822|global)\b", re.IGNORECASE | re.MULTILINE)
_MACHINE = re.compile(
    rb"^content-type:[ \t]*message/(?:delivery-status|global-delivery-status|feedback-report|disposition-notification)",
    re.IGNORECASE | re.MULTILINE,
)
_ENCODED = re.compile(rb"^content-transfer-encoding:[ \t]*(?:base64|quoted-printable)", re.IGNORECASE | re.MULTILINE)
_EMPTY_LINE = re.compile(rb"\n\r?\n")


def keep(raw: RawMessage, now: datetime, max_bytes: int) -> Kept:
    """Return what is kept of a message: its first `max_bytes` octets, not counting the body of the returned mail."""
    content = without_returned_body(raw.content)
    cut = raw.truncated or len(content) > max_bytes
    packed = zlib.compress(content[:max_bytes], _CODE)
    return Kept(raw.digest(), now, raw.received, raw.size, packed, cut)


def octets(kept: Kept) -> bytes:
    """Return the octets that were kept."""
    return unpacked(kept.content)


def unpacked(content: bytes) -> bytes:
    """Return what was compressed; no more of it than any limit of ours allows to be kept."""
    return zlib.decompressobj().decompress(content, _MOST)


def restored(kept: Kept, place: Place) -> RawMessage:
    """Return a message that is judged as the kept one was; its arrival is that of the first time."""
    content = octets(kept)
    return RawMessage(place, content, len(content), kept.received or kept.at)


def pseudonym(key: str) -> Callable[[str], str]:
    """Return what makes the name that stands for an address, `hmac:` and 64 hex digits: HMAC-SHA-256 (RFC 2104)."""

    def name(address: str) -> str:
        return "hmac:" + hmac.digest(key.encode(), address.encode(), "sha256").hex()

    return name


def without_returned_body(content: bytes) -> bytes:
    """Return the mail without the body of the mail it returns; what stands before and after it stays.

    Only what follows a machine part is surely the returned mail (RFC 3462 section 2), not a report that somebody
    forwarded. One that is encoded stays whole.
    """
    machine = _MACHINE.search(content)
    if machine is None:
        return content
    for part in _RETURNED.finditer(content, machine.end()):
        head = part[2]
        if not _MAIL.search(head) or _ENCODED.search(head):
            continue
        body = _EMPTY_LINE.search(content, part.end())
        after = content.find(b"\n" + part[1], part.end())
        if body and body.end() < after:
            return content[: body.end()] + content[after + 1 :]
    return content
