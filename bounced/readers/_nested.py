"""The report within a report: passed on by a gateway as it came, attached, or quoted whole in a text."""

from bounced.readers._addresses import ADDRESS
from bounced.readers._fields import Fields
from bounced.readers._message import WHOLE_ORIGINAL, Message, header_block
from bounced.readers._quoted import unquoted
from bounced.readers._words import AUTOMATIC, FAILED

MAX_DEPTH = 5  # reports within reports that are followed


def inner_report(message: Message) -> bytes | None:
    """Return the mail that this one holds, if its header says that it is a report; else None."""
    for part in message.parts:
        if part.content_type in WHOLE_ORIGINAL and _is_report(part.content):
            return part.content
    quoted = unquoted(message.quoted).encode("utf-8", "replace")
    return quoted if quoted and _is_report(quoted) else None


def _is_report(content: bytes) -> bool:
    fields = Fields(header_block(content[:65_536]))
    if "multipart/report" in (fields.first("Content-Type") or "").lower():
        return True
    sender = fields.first("From") or ""
    null = (fields.first("Return-Path") or "").strip() == "<>"
    named = AUTOMATIC(sender) or (null and bool(ADDRESS.search(sender)))
    return named and FAILED(fields.first("Subject") or "")
