"""flufl.bounce, the scanner of GNU Mailman: a second opinion on text that nobody else could read.

Tell-tale: none of its own; asked only for mail of a mail system or with words of failure, because it is slow. Each of
its detectors is fenced: one raises on every single-part mail without From. Its log is silenced here.
"""

import logging
from email import message_from_bytes
from email.message import Message as Legacy

from flufl.bounce._interfaces import BounceDetector
from flufl.bounce._scan import _DETECTORS

from bounced.model import Action, Finding, Kind, Report
from bounced.readers import Rank, Reader
from bounced.readers._message import Message
from bounced.readers._paragraphs import about
from bounced.readers._replies import reply_code, reply_in, status_code
from bounced.readers._signs import is_report
from bounced.readers.free_text import reporting_host

_BOUND = 32_768  # octets that the scanner is given
_RAISED = (LookupError, ValueError, TypeError, AttributeError, AssertionError, RecursionError, OverflowError)
_NOBODY: frozenset[bytes] = frozenset()

logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)


def read(message: Message) -> Report | None:
    """Return what the first detector that names anybody says; None if none does."""
    if not is_report(message):
        return None
    legacy = message_from_bytes(message.octets[:_BOUND])
    for detector in _DETECTORS:
        delayed, failed = _fenced(detector, legacy)
        findings = [*_findings(failed, Action.FAILED, message), *_findings(delayed, Action.DELAYED, message)]
        if findings:
            kind = Kind.BOUNCE if failed else Kind.DELAYED
            return Report(kind, READER.name, tuple(findings), reporting_mta=reporting_host(message))
    return None


def _fenced(detector: type[BounceDetector], legacy: Legacy) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """Return the addresses that wait and those that failed; nobody where the detector raises."""
    try:
        delayed, failed = detector().process(legacy)
    except _RAISED:
        return _NOBODY, _NOBODY
    return frozenset(delayed), frozenset(failed)


def _findings(addresses: frozenset[bytes], action: Action, message: Message) -> list[Finding]:
    return [_finding(a.decode("utf-8", "replace"), action, message) for a in sorted(addresses) if b"@" in a]


def _finding(address: str, action: Action, message: Message) -> Finding:
    text = about(message.text(), address) or ""
    reply = reply_in(text)
    return Finding(
        recipient=address,
        final_recipient=address,
        action=action,
        status=status_code(reply or text),
        reply_code=reply_code(reply) if reply else None,
        diagnostic=reply,
        text=text or None,
    )


READER = Reader("flufl", Rank.LIBRARY, read)
