"""A failure report from which no recipient can be read: cut short, or its fields left out (Postfix: "Delivery report
unavailable"; sendmail: "No Message Collected").

Tell-tale: a mail system's own sender and words of failure in the subject, or a machine part without recipients.
A person looks at it; the identity may still come from the return path.
"""

from bounced.model import Finding, Report
from bounced.readers import Rank, Reader
from bounced.readers._message import DELIVERY_STATUS, Message
from bounced.readers._patterns import Sign
from bounced.readers._signs import tells_failure
from bounced.readers._words import ANSWER
from bounced.readers.free_text import kind_of, reporting_host

_DAEMON = Sign(r"(?i)mailer-?daemon|postmaster|mail delivery (?:sub)?system")


def read(message: Message) -> Report | None:
    """Return a report whose one finding names nobody."""
    machine = not message.types.isdisjoint(DELIVERY_STATUS)
    daemon = _DAEMON(message.sender) and tells_failure(message.subject)
    if not (machine or daemon) or ANSWER.match(message.subject):
        return None
    text = message.text().strip()[:2_000] or None
    kind = kind_of(message)
    return Report(kind, READER.name, (Finding(None, text=text),), reporting_mta=reporting_host(message), puzzled=True)


READER = Reader("unnamed", Rank.UNNAMED, read)
