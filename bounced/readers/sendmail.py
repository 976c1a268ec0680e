"""sendmail 5 and 8 without a machine part, and the commercial systems built on them.

Tell-tale: the rule "----- The following addresses had permanent fatal errors -----" or "----- Transcript of session
follows -----". What was said to whom is in the transcript: `>>> RCPT To:<...>` is answered by the next `<<<` line, or
the line `550 <...>... User unknown` says it.
"""

import re

from bounced.model import Finding, Kind, Report
from bounced.readers import Rank, Reader
from bounced.readers._addresses import bare
from bounced.readers._delivery_status import merged
from bounced.readers._mentions import OWN_LINE, Mention
from bounced.readers._message import Message
from bounced.readers._words import DELAYED, FINAL
from bounced.readers.free_text import finding_of, reporting_host

_RULE = re.compile(
    r"^[ \t]*-{3,}[ \t]*(?:The following addresses (?:had|have)|Transcript of session|Recipients of this)[^\n]*$",
    re.M | re.I,
)
_FAILED_LIST = re.compile(
    r"^[ \t]*-{3,}[ \t]*The following addresses (?:had|have)[^\n]*\n((?:(?![ \t]*-{3,})[^\n]*\n?)*)", re.M | re.I
)
_LISTED = re.compile(r"^[ \t]*\"?<?([^\s<>\"()]{1,150}@[^\s<>\"()]{1,255}?)>?\"?[ \t]*$", re.M)
_TALKING = re.compile(r"while talking to[ \t]+\[?([A-Za-z0-9._-]{1,255}?)\]?[.:]*[ \t]*$", re.M)
_SAID = re.compile(
    r"^(?:>>>[ \t]*RCPT[ \t]+To:[ \t]*<([^<>\n]{1,320})>[^\n]*\n(?:<<<[^\n]*\n?)+|"
    r"[45]\d\d[ -][^\n]{0,40}?<?([^\s<>]{1,150}@[^\s<>]{1,255}?)>?\.\.\.[^\n]*)",
    re.M | re.I,
)


def read(message: Message) -> Report | None:
    """Return a finding for each address that is listed as failed, or that the transcript refuses."""
    text = message.text()
    if "following addresses ha" not in message.folded and "transcript of session" not in message.folded:
        return None
    if not _RULE.search(text):
        return None
    said = _transcript(text)
    lists = _FAILED_LIST.findall(text)
    listed = [a for part in lists for a in _LISTED.findall(part)]
    findings = [_finding(a, said.get(a.lower()), text) for a in (listed or said)]
    if not findings:
        return None
    waits = DELAYED(text) and not FINAL(text)
    kind = Kind.DELAYED if waits else Kind.BOUNCE
    return Report(kind, READER.name, merged(findings), reporting_mta=reporting_host(message))


def _transcript(text: str) -> dict[str, str]:
    """Return the lines of the dialogue that refuse each recipient, by address in lower case."""
    said: dict[str, str] = {}
    for match in _SAID.finditer(text):
        address = bare(match.group(1) or match.group(2) or "")
        if address and "@" in address:
            said.setdefault(address.lower(), match.group())
    return said


def _finding(address: str, said: str | None, text: str) -> Finding:
    talking = _TALKING.search(text)
    block = f"while talking to {talking.group(1)}:\n{said}" if said and talking else said
    return finding_of(Mention(address, block or "", OWN_LINE), text)


READER = Reader("sendmail", Rank.PROSE, read)
