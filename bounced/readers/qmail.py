"""qmail and what writes its format, QSBMF: netqmail, notqmail, ezmlm hosts, old Yahoo, Apache James.

Tell-tale: a first paragraph that begins with "Hi. This is the". Paragraphs that begin with an address in angle brackets
and a colon tell of one recipient each; a line of three hyphens ends them (D. J. Bernstein, "The qmail-send Bounce
Message Format").
"""

import re

from bounced.readers import Rank, Reader
from bounced.readers._message import Message
from bounced.readers._prose import Prose

_FIRST_LINE = re.compile(r"\s*Hi\. This is the [^\n]{1,200}\.\s*\n|\s*This is the [^\n]{0,60}qmail", re.I)


def _known(message: Message) -> bool:
    return _FIRST_LINE.match(message.text()) is not None


READER = Reader(
    "qmail",
    Rank.PROSE,
    Prose(
        "qmail", _known, re.compile(r"<([^<>\n]{1,320}@[^<>\n]{1,255})>:[ \t]*$"), ends=re.compile(r"^---", re.M)
    ).read,
)
