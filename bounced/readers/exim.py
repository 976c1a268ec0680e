"""Exim before 4.88, and any younger one that writes no machine part.

Tell-tale: "created automatically by mail delivery software", in Exim 1 and 2 "by Exim" or by another name the
administrator chose. Addresses are indented by two, what happened to them by four or more; an address whose parent is
hidden stands as the parent. The delay warning has the same form.
"""

import re

from bounced.readers import Rank, Reader
from bounced.readers._message import Message
from bounced.readers._prose import Prose

_SENTENCE = re.compile(
    r"\bmessage(?: \S+){0,3} (?:was )?created automatically by (?:mail delivery software|the mail|exim)", re.I
)
_RECIPIENT = re.compile(
    r"[ \t]{1,8}<?([^\s<>:(]{1,150}@[^\s<>:(]{1,255}?)>?:?(?:[ \t]+\([^()\n]{0,300}\)|[ \t]*:[ \t][^\n]*)?[ \t]*$"
)
_LIST = re.compile(
    r"(?:address(?:es|\(es\))? (?:failed|to which|which)|following (?:address|recipient)|undeliverable address|"
    r"addresse?s? (?:that|in))[^\n]*(?:\n[^\n]{1,120})?:[ \t]*\n",
    re.I,
)
_WAITS = re.compile(r"has not (?:yet )?been (?:delivered|collected)|delivery attempts will continue", re.I)


def _known(message: Message) -> bool:
    return "created automatically" in message.folded and _SENTENCE.search(message.text()[:3_000]) is not None


READER = Reader("exim", Rank.PROSE, Prose("exim", _known, _RECIPIENT, begins=_LIST, waits=_WAITS).read)
