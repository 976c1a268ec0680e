"""The fields of RFC 3464 within a text: a report that was forwarded, flattened, mislabelled or written by hand.

Tell-tale: `Final-Recipient` at the beginning of a line, perhaps behind quote marks, and Action or Status beside it.
Amazon WorkMail writes its reports so; mail programs that forward inline do; a mail without its MIME header looks so.
"""

import re
from dataclasses import replace

from bounced.model import Report
from bounced.readers import Rank, Reader
from bounced.readers._delivery_status import delivery_status
from bounced.readers._message import Message
from bounced.readers._quoted import unquoted
from bounced.readers._words import AUTOMATIC
from bounced.readers.rfc3464 import report_of

_FIELDS = re.compile(
    r"^(?:reporting-mta|final-recipient|original-recipient|action|status|diagnostic-code|remote-mta|"
    r"original-envelope-id)[ \t]*:",
    re.I | re.M,
)
_END = re.compile(r"\n[ \t]*(?:--[^\n]*\n|return-path:|received:|from:|content-type:|content-description:)", re.I)


def read(message: Message) -> Report | None:
    """Return what the fields say; None unless they name a recipient and what became of the mail."""
    if "inal-Recipient" not in message.whole_text and "inal-recipient" not in message.whole_text:
        return None
    text = unquoted(message.whole_text)
    names = [match.group().lower() for match in _FIELDS.finditer(text)]
    if "final-recipient:" not in {name.replace(" ", "") for name in names} or len(names) < 2:
        return None
    start = next(_FIELDS.finditer(text)).start()
    end = _END.search(text, start)
    report = report_of(delivery_status(text[start : end.start() if end else None]), message, READER.name)
    if report is None:
        return None
    return replace(report, forwarded=not (AUTOMATIC(message.sender) or message.null_sender))


READER = Reader("status_in_text", Rank.STANDARD, read)
