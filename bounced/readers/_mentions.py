"""The recipients that a text for a person names, and the lines that belong to each."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bounced.readers._addresses import ADDRESS
from bounced.readers._patterns import compiled
from bounced.readers._replies import REPLY
from bounced.readers._words import FAILED

MAX_LINES = 4_000
MAX_LINE = 1_000  # characters of a line that are looked at
MAX_BLOCK = 40  # lines that may belong to one recipient

#: How surely a line names a recipient that failed.
OWN_LINE, LABELLED, WITH_A_REASON, QUOTED_FIELD, IN_PASSING = 5, 4, 3, 2, 1

_BULLET = r"[\s>*•\-–#|.,=]*(?:\(?\d{1,3}[.):]\s*)?(?:(?:smtp|mailto|rfc822)[:;])?[\s<(\['\"]*"
_OWN_LINE = re.compile(rf"{_BULLET}\Z", re.I)
_LABEL = compiled(
    r"(?i)(?:recipients?|addresse?e?s?|users?|mailbox|accounts?|rcpt(?: to)?|deliver(?:ed|y)?(?: your \w+)?(?: to)?|"
    r"failed|for|unknown|destinat\w+|"
    r"empf[äa]nger\w*|adres\w*|adress\w*|destinatario|indirizzo|endereço|получател\pL+|адрес\pL*|宛先|收件人|"
    r"受取人|받는\s?사람|"
    r"recipient\(s\)|address\(es\)|person|mailed to|sent to|send to|reach|no such|addressed to|intended for)"
    r"(?:\s+(?:is|was|are|were|to|address|addresses|name|of|mail|e-?mail|user|recipient))*[\s:=>,;.\-'\"(<\[*]*$",
)
_QUOTED_FIELD = re.compile(r"^[\s>|*-]*(?:to|cc|bcc|an|à|para|para:|a|naar|till|до|кому)\s*:[^@]*\Z", re.I)
_NOT_A_RECIPIENT = compiled(
    r"(?i)(?:from|sender|von|de|van|reply-to|return-path|message-?\s?id|sent by|contact\w*|please (?:e-?mail|mail|"
    r"write|send)\b.*|write to|"
    r"postmaster|administrator\w*|support|help\w*|assistance|abuse|report|envelope-from|mail from|auth\w*|"
    r"absender|expéditeur|"
    r"questions?|msgid|ehlo|helo|in-reply-to|references|subject|sender address|id|expanded from|forward(?:ed|"
    r"ing)? (?:from|by))"
    r"[\s:=<('\"\[]*$",
)
_DAEMONS = re.compile(
    r"(?:mailer[-_.]?daemon|postmaster|mdaemon|abuse|hostmaster|webmaster|help(?:desk)?|support|mail-?daemon|"
    r"no-?reply|noc|root)@",
    re.I,
)
_MESSAGE_ID = re.compile(r"message-?\s?id|msgid|\bqueue-?id|envelope id", re.I)
_CJK = re.compile(r"^[^!-~]*[\u3000-\u9fff\uac00-\ud7af\uff00-\uffef]+(?=[!-~])")  # text set solid before an address
_CODE = re.compile(r"^[45]\d\d-")  # a line of a reply that begins with the address
_LONG_DIGITS = re.compile(r"[0-9a-f.$-]{18,}@|\d{9,}.*\d{5,}.*@", re.I)


@dataclass(frozen=True, slots=True)
class Mention:
    """An address that a text names as failed, and the lines that belong to it."""

    address: str
    block: str
    weight: int


def mentions(text: str, strangers: Collection[str] = ()) -> tuple[Mention, ...]:
    """Return the recipients named in `text`, each once, in order, with their lines.

    Of the ways to name one only the surest that occurs counts. `strangers` (lower case) are addresses of sender and
    mail system; they are passed over unless nobody else is named.
    """
    lines = text.split("\n")[:MAX_LINES]
    named = [(row, *hit) for row, line in enumerate(lines) if "@" in line for hit in _named(line)]
    chosen = _surest([one for one in named if one[1].lower() not in strangers]) or _surest(
        [one for one in named if one[1].lower() in strangers and one[2] >= LABELLED]
    )
    return _blocks(lines, chosen)


def _named(line: str) -> Iterable[tuple[str, int]]:
    """Yield each address in the line with how surely it names a recipient."""
    line = line[:MAX_LINE]
    for match in ADDRESS.finditer(line):
        address = _CODE.sub("", match.group().strip(".'"))
        before = line[: match.start()]
        if address[:5].lower() == "smtp=":  # X.400: dda:SMTP=name@host
            yield address[5:], OWN_LINE
            continue
        address = _CJK.sub("", address) if not address.isascii() else address
        weight = 0 if _DAEMONS.match(address) or _LONG_DIGITS.match(address) else _weight(line, before)
        if weight and "." in address.rpartition("@")[2]:
            yield address, weight


def _weight(line: str, before: str) -> int:
    if _OWN_LINE.match(before):
        return OWN_LINE
    if _QUOTED_FIELD.match(before):
        return QUOTED_FIELD
    if _NOT_A_RECIPIENT.search(before[-60:]) or _MESSAGE_ID.search(line):
        return 0
    if _LABEL.search(before[-80:]):
        return LABELLED
    return WITH_A_REASON if REPLY.search(line) or FAILED(line) else IN_PASSING


def _surest(named: list[tuple[int, str, int]]) -> list[tuple[int, str]]:
    """Return row and address of those named in the surest way, each address once."""
    best = max((weight for _, _, weight in named), default=0)
    if best == LABELLED and any(weight == OWN_LINE for _, _, weight in named):
        best = OWN_LINE
    rows: dict[str, tuple[int, str]] = {}
    for row, address, weight in named:
        if weight == best:
            rows.setdefault(address.lower(), (row, address))
    found = list(rows.values())
    return found if best > IN_PASSING or len(found) == 1 else []


def _blocks(lines: list[str], chosen: list[tuple[int, str]]) -> tuple[Mention, ...]:
    """Return each with the lines up to the next."""
    found = []
    for at, (row, address) in enumerate(chosen):
        end = chosen[at + 1][0] if at + 1 < len(chosen) else len(lines)
        found.append(Mention(address, "\n".join(lines[row : max(end, row + 1)][:MAX_BLOCK]), OWN_LINE))
    return tuple(found)
