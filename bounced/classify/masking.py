"""Masked wordings: what a server said, with a mark for all that differs from one mail to the next.

Addresses, hosts, links and IPv4 addresses are marks already where rules look (`wording`). Here numbers, identifiers
and single quoted words become marks too; reply codes and status codes stay, for they say something.
"""

import re
from typing import Final

from bounced.classify.codes import reply_code_in
from bounced.classify.wording import collapse, wording

#: Characters of a masked wording: what follows is seldom the reason.
LONGEST: Final = 240
#: Marks that stand for something in a wording.
MARK: Final = re.compile(r"<(?:@|www|host|ip|id|n|word)>")

_PARTS: Final = re.compile(
    r"(?P<mark><(?:@|www|host|ip)>)"
    r"|(?P<status>(?<![\w.])[245]\.\d{1,3}\.\d{1,3}(?![\w.]))"
    r"|(?P<reply>(?<![\w.])[245][0-7]\d(?=[ -]|$))"
    r"|(?P<angle><[^<>\s]{1,256}>)"
    r"|(?P<quoted>\"[^\"\s]{2,256}\"|'[^'\s]{4,256}'(?!\w))"
    r"|(?P<id>(?<![\w.])(?:(?=[\w.+/=:~-]*\d)[\w.+/=:~-]{8,}|[a-zA-Z]{0,3}\d{5,7})(?![\w]))"
    r"|(?P<n>(?<!\w)\d[\d.,:]*(?!\w))"
)


def masked(text: str) -> str:
    """Return the wording of a diagnostic or a mail; the empty string for one that has no words.

    >>> masked("550-5.1.1 <ann@example.com> gone, see https://help.example/?q=17 j12si8912345wrd.45 - gsmtp")
    '550 <@> gone, see <www> <id> - gsmtp'
    """
    said = collapse(text)
    plain = wording(said, reply_code_in(said)).text
    shown = " ".join(_PARTS.sub(_mark, plain).split())
    head = reply_code_in(said) or ""
    shown = f"{head} {shown}".strip() if head and not shown.startswith(head) else shown
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1].rsplit(" ", 1)[0] + " …"


def _mark(hit: re.Match[str]) -> str:
    kind = hit.lastgroup
    if kind in ("mark", "status", "reply"):
        return hit[0]
    if kind == "id":
        return "<id>" if any(letter.isalpha() for letter in hit[0]) else "<n>"
    return "<n>" if kind == "n" else "<word>"
