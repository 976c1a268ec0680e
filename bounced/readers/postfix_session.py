"""Postfix's notices to its postmaster of an SMTP session in which it refused something (`notify_classes`).

Tell-tale: "Transcript of session follows." and lines ` Out: 220 ...`, ` In:  EHLO ...`. Who was refused is told by
the dialogue alone: an answer to RCPT TO speaks of one recipient, one to DATA of all that were taken before.
"""

import re
from collections.abc import Iterator

from bounced.model import Finding, Kind, Report
from bounced.readers import Rank, Reader
from bounced.readers._addresses import bare
from bounced.readers._message import Message
from bounced.readers._replies import reply_code, status_code
from bounced.readers.free_text import reporting_host

#: A line of the dialogue with its continuation lines, which Postfix indents by five.
_STEP = re.compile(r"^ (In|Out):[ ]{1,3}([^\n]*(?:\n {5}[^\n]*)*)", re.M)
_RECIPIENT = re.compile(r"RCPT TO:\s{0,5}<([^<>\n]{1,320})>", re.I)
_MAX_STEPS = 5_000


def read(message: Message) -> Report | None:
    """Return a finding for each recipient that was refused; None where only the client or its sender was."""
    text = message.text()
    if not text.lstrip().startswith("Transcript of session follows.") or "\n Out: " not in text:
        return None
    refused = {one.recipient: one for one in _refusals(_steps(text))}
    if not refused:
        return None
    return Report(Kind.BOUNCE, READER.name, tuple(refused.values()), reporting_mta=reporting_host(message))


def _steps(text: str) -> Iterator[tuple[str, str]]:
    """Yield each command with the whole answer to it; the answer to the end of the data comes with `DATA` again."""
    command = ""
    said: list[str] = []
    for who, words in _STEP.findall(text)[:_MAX_STEPS]:
        line = " ".join(words.split())
        if who == "In":
            command, said = line, []
            continue
        said.append(line)
        if line[3:4] != "-":
            yield command, " ".join(said)
            said = []


def _refusals(steps: Iterator[tuple[str, str]]) -> Iterator[Finding]:
    taken: list[str] = []
    for command, answer in steps:
        verb = command[:4].upper()
        named = _RECIPIENT.match(command)
        address = bare(named.group(1)) if named else None
        if verb == "MAIL":
            taken = []
        elif address and "@" in address:
            if answer.startswith(("4", "5")):
                yield _finding(address, answer, "RCPT")
            else:
                taken.append(address)
        elif verb in ("DATA", "BDAT") and answer.startswith(("4", "5")):
            yield from [_finding(one, answer, "DATA") for one in taken]


def _finding(address: str, answer: str, command: str) -> Finding:
    return Finding(
        address,
        final_recipient=address,
        status=status_code(answer),
        reply_code=reply_code(answer),
        diagnostic=answer,
        diagnostic_type="smtp",
        command=command,
    )


READER = Reader("postfix_session", Rank.SIGNED_FORMAT, read)
