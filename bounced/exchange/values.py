"""Single values of foreign files: times in the forms that mail services write, flags, causes."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from bounced.exchange.entry import Wrong
from bounced.model import Category, Reason

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"-?\d{1,17}(?:\.\d{1,9})?")
_FRACTION = re.compile(r"(\.\d{6})\d+")
#: Go prints `2026-10-09 08:00:00.12 +0000 UTC`.
_GO = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(\.\d+)? ([+-]\d{4})(?: \S{1,8})?")
#: Seconds since 1970 lie below for the next thousand years; beyond are milliseconds.
_MILLISECONDS = 100_000_000_000

_FULL = re.compile(
    r"\b[45]\.2\.2\b|over ?quota|(?:mailbox|inbox|quota|storage).{0,30}(?:full|exceed)|insufficient.{0,20}storage", re.I
)
_CAUSES = (
    (Reason.MAILBOX_UNKNOWN, re.compile(r"\b5\.1\.1\b|\b(?:user|mailbox|recipient|address).{0,30}(?:unknown|not found|"
                                        r"does(?:n't| not) exist)|no such|(?:unknown|invalid|bad).{0,12}"
                                        r"(?:user|mailbox|recipient|address)", re.I)),
    (Reason.DOMAIN_MISSING, re.compile(r"\b5\.(?:1\.2|1\.10|4\.4)\b|bad domain|(?:domain|host).{0,20}(?:not found|"
                                       r"unknown|does(?:n't| not) exist)|unrouteable", re.I)),
    (Reason.MAILBOX_DISABLED, re.compile(r"\b5\.2\.1\b|(?:account|mailbox|user).{0,20}(?:disabled|suspended)", re.I)),
    (Reason.MAILBOX_INACTIVE, re.compile(r"inactive", re.I)),
    (Reason.ADDRESS_CHANGED, re.compile(r"\b5\.1\.6\b|has moved", re.I)),
)  # fmt: skip


def moment(text: str) -> datetime | None:
    """Return the time in UTC; None for the empty text, and for the zero that stands for no time. Raises Wrong.

    Seconds or milliseconds since 1970, ISO 8601 with any number of digits, SQL and Go times, RFC 5322 dates. A time
    without zone counts as UTC.
    """
    if not text or text in ("0", "0000-00-00 00:00:00", "null"):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = _odd(text)
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError:
        raise Wrong(f"no time: {text[:40]!r}") from None


def _odd(text: str) -> datetime:
    try:
        if _NUMBER.fullmatch(text):
            number = float(text)
            return _EPOCH + timedelta(seconds=number / 1000 if abs(number) > _MILLISECONDS else number)
        if go := _GO.fullmatch(text):
            return datetime.fromisoformat(f"{go[1]}{(go[2] or '.0')[:7]:0<7}{go[3]}")
        if text[:4].isdecimal():
            return datetime.fromisoformat(_FRACTION.sub(r"\1", text))
        return parsedate_to_datetime(text)
    except (ValueError, OverflowError, TypeError, IndexError):
        raise Wrong(f"no time: {text[:40]!r}") from None


def flag(text: str) -> bool:
    """Return whether a flag is set: 1, true, yes, on, in any case."""
    return text.strip().lower() in ("1", "true", "yes", "y", "on", "t")


def says_full(text: str) -> bool:
    """True if the words, or the status, of a failure speak of a full mailbox."""
    return bool(_FULL.search(text[:2_000]))


def cause(text: str) -> Reason:
    """Return the reason that the words, or the status, of a failure of a dead address name; `unknown` if none."""
    text = text[:2_000]
    return next((reason for reason, words in _CAUSES if words.search(text)), Reason.UNKNOWN)


def failure(text: str, status: str = "") -> tuple[str, str, bool]:
    """Return category, reason and whether it passes, of an address that another system gave up for these words.

    Soft where the status says 4.x.x or the mailbox was full; else hard.
    """
    if says_full(f"{status} {text}"):
        return Category.SOFT, Reason.MAILBOX_FULL, True
    if re.match(r"4\.\d|4\d\d\b", status):
        return Category.SOFT, Reason.UNKNOWN, True
    return Category.HARD, cause(f"{status} {text}"), False
