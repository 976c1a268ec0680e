"""Answers of calendars: accepted, declined, tentative, a counter-proposal, a cancelled meeting.

Tell-tale: a part text/calendar outside any returned mail. RFC 5546 section 1.4, RFC 6047 section 2.4.
"""

import re

from bounced.model import Kind, Report
from bounced.readers import Rank, Reader
from bounced.readers._message import Message

_TYPES = ("text/calendar", "application/ics")
_METHOD = re.compile(r"method\s*[=:]\s*\"?([a-z-]{3,20})", re.I)


def read(message: Message) -> Report | None:
    """Return `other` with the calendar's method as a note; it never names anybody."""
    part = message.part(*_TYPES)
    if part is None:
        return None
    method = _METHOD.search(part.header("Content-Type") or "") or _METHOD.search(part.text()[:2_000])
    notes = (f"method {method.group(1).upper()}",) if method else ()
    return Report(Kind.OTHER, READER.name, subtype="calendar", notes=notes)


READER = Reader("calendar", Rank.SIGNED_FORMAT, read)
