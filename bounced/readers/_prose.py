"""How a dialect of plain text is read: what it says to the sender, cut into the lines of each recipient."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bounced.model import Action, Finding, Kind, Report
from bounced.readers._addresses import bare
from bounced.readers._mentions import MAX_BLOCK, OWN_LINE, Mention
from bounced.readers._message import Message
from bounced.readers.free_text import finding_of, reporting_host

MAX_LINES = 20_000


@dataclass(frozen=True, slots=True)
class Prose:
    """A dialect: its name, by what it is known, and which line begins a recipient (group 1 holds the address).

    `begins` and `ends`, where given, bound the section in which such lines count.
    """

    name: str
    known: Callable[[Message], bool]
    recipient: re.Pattern[str]
    begins: re.Pattern[str] | None = None
    ends: re.Pattern[str] | None = None
    waits: re.Pattern[str] | None = None

    def read(self, message: Message) -> Report | None:
        """Return a finding for each recipient; None if it is not this dialect, or names nobody."""
        if not self.known(message):
            return None
        text = message.text()
        waits = self.waits is not None and self.waits.search(text) is not None
        action = Action.DELAYED if waits else Action.FAILED
        findings = tuple(finding_of(one, text, action) for one in self._recipients(text))
        if not findings:
            return None
        kind = Kind.DELAYED if waits else Kind.BOUNCE
        return Report(kind, self.name, _once(findings), reporting_mta=reporting_host(message))

    def _recipients(self, text: str) -> list[Mention]:
        lines = self._section(text).split("\n")[:MAX_LINES]
        begun = [(at, address) for at, line in enumerate(lines) if (address := self._address(line))]
        ends = [at for at, _ in begun[1:]] + [len(lines)]
        return [
            Mention(address, "\n".join(lines[at : min(end, at + MAX_BLOCK)]), OWN_LINE)
            for (at, address), end in zip(begun, ends, strict=False)
        ]

    def _address(self, line: str) -> str | None:
        match = self.recipient.match(line)
        address = bare(match.group(1)) if match else None
        return address if address and "@" in address else None

    def _section(self, text: str) -> str:
        begin = self.begins.search(text) if self.begins else None
        start = begin.end() if begin else 0
        end = self.ends.search(text, start) if self.ends else None
        return text[start : end.start() if end else len(text)]


def _once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings, each address once: the first that says why."""
    best: dict[str, Finding] = {}
    for one in findings:
        key = (one.recipient or "").lower()
        if key not in best or (best[key].diagnostic is None and one.diagnostic is not None):
            best[key] = one
    return tuple(best.values())
