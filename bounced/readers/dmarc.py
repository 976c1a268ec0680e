"""DMARC and TLS reports that are no feedback reports: aggregates, and failure reports in prose. Nobody's mail failed.

Tell-tale: an attached file named as RFC 7489 section 7.2.1.1 or RFC 8460 section 5.1 wants it, their subjects, or
the words of a failure report that lost its machine part.
"""

import re

from bounced.model import Kind, Report
from bounced.readers import Rank, Reader
from bounced.readers._message import MACHINE, Message, Part

_AGGREGATE_SUBJECT = re.compile(r"\breport[- ]domain:\s*\S+.*\bsubmitter:", re.I)
_FAILURE_SUBJECT = re.compile(
    r"\bdmarc\b.{0,20}\b(?:forensic|failure|ruf|fail)\b|\b(?:forensic|failure) report\b.{0,40}\bdmarc\b", re.I
)
_FAILURE_TEXT = re.compile(r"\bdmarc\b", re.I)
_FILE = re.compile(
    r"[^\s!\"/;]{1,255}![^\s!\"/;]{1,255}!\d{6,14}!\d{6,14}(?:![^\s\"/;]{1,64})?\.(?:xml|zip|json)(?:\.gz)?", re.I
)
_SUBJECT = 400  # characters of the subject that are looked at
_PACKED = frozenset(
    {
        "application/zip",
        "application/gzip",
        "application/x-gzip",
        "application/x-zip",
        "application/x-zip-compressed",
        "application/octet-stream",
        "application/xml",
        "text/xml",
        "application/tlsrpt+gzip",
        "application/tlsrpt+json",
    }
)


def read(message: Message) -> Report | None:
    """Return `other` of subtype `dmarc` or `auth-failure`; what is packed is never unpacked."""
    subject = message.subject[:_SUBJECT]
    subject = subject if "report" in subject.lower() else ""
    packed = not message.types.isdisjoint(_PACKED)
    if not (subject or packed):
        return None
    if _AGGREGATE_SUBJECT.search(subject) or (packed and any(map(_is_aggregate, message.parts))):
        return Report(Kind.OTHER, READER.name, subtype="dmarc")
    prose = _FAILURE_SUBJECT.search(subject) and message.types.isdisjoint(MACHINE)
    if prose and _FAILURE_TEXT.search(message.text()[:2_000]):
        return Report(Kind.OTHER, READER.name, subtype="auth-failure")
    return None


def _is_aggregate(part: Part) -> bool:
    if part.returned or part.content_type not in _PACKED:
        return False
    if part.content_type.startswith("application/tlsrpt"):
        return True
    named = (part.header("Content-Disposition") or "") + " " + (part.header("Content-Type") or "")
    return bool(_FILE.search(named[:1_000]))


READER = Reader("dmarc", Rank.FEEDBACK, read)
