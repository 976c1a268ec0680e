"""One question, one answer: may this recipient be mailed, and if not, in which words is it refused."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

import structlog

from bounced.address import normalise
from bounced.errors import StoreDown
from bounced.model import Reason, Suppression

log = structlog.get_logger("bounced.lookups")

#: RFC 3463 and the registry of RFC 5248: what the status says is what the table knows; 5.7.1 where policy refuses.
_STATUS: Final[Mapping[str, str]] = {
    Reason.MAILBOX_UNKNOWN: "5.1.1",
    Reason.DOMAIN_MISSING: "5.1.2",
    Reason.ADDRESS_CHANGED: "5.1.6",
    Reason.MAILBOX_DISABLED: "5.2.1",
    Reason.MAILBOX_INACTIVE: "5.2.1",
    Reason.MAILBOX_FULL: "5.2.2",
}
_POLICY: Final = "5.7.1"

Ask = Callable[[str, str], Suppression | None]


class Found(StrEnum):
    """How a question ended."""

    SUPPRESSED = "suppressed"
    FREE = "free"
    LATER = "later"


class Answer(NamedTuple):
    """`text` is what the sender is told: enhanced status and words, printable ASCII on one line."""

    found: Found
    text: str = ""


FREE: Final = Answer(Found.FREE)
LATER: Final = Answer(Found.LATER, "the suppression list cannot be asked now")


class Gate:
    """Asks the table; safe for any thread. `fail_open` lets everybody pass while the database is down."""

    def __init__(self, ask: Ask, fail_open: bool = False) -> None:
        self._ask, self._fail_open = ask, fail_open
        self._problem = ""

    def answer(self, recipient: bytes, scope: str) -> Answer:
        """Return the answer for an address as a mail server writes it; FREE for what is no whole address."""
        address = whole_address(recipient)
        if address is None:
            return FREE
        try:
            entry = self._ask(address, scope)
        except StoreDown as exc:
            self._down(str(exc))
            return FREE if self._fail_open else LATER
        if self._problem:
            self._up()
        return Answer(Found.SUPPRESSED, refusal(entry)) if entry else FREE

    def _down(self, why: str) -> None:
        if not self._problem:
            log.warning("look-ups cannot be answered", why=why, everybody_passes=self._fail_open)
        self._problem = why

    def _up(self) -> None:
        self._problem = ""
        log.info("look-ups are answered again")


def whole_address(text: bytes) -> str | None:
    """Return the normal form of a whole address; None for a domain, `user@`, or anything else a table is asked for.

    Postfix asks in the internal form of RFC 5321: a local part with spaces comes without its quotes.
    """
    try:
        words = text.decode()
    except UnicodeDecodeError:
        return None
    local, at, domain = words.rpartition("@")
    if not at or not local or not domain:
        return None
    return normalise(words) or normalise(f'"{local}"@{domain}')


def refusal(entry: Suppression) -> str:
    """Return enhanced status and words: since when, why, and until when if that is known. No address, no diagnostic.

    >>> from datetime import UTC, datetime
    >>> since = datetime(2026, 11, 21, tzinfo=UTC)
    >>> refusal(Suppression("a@b.example", "*", "hard", "mailbox_unknown", since, None, None, ""))
    '5.1.1 on the suppression list since 2026-11-21: mailbox_unknown'
    """
    until = f" until {entry.until:%Y-%m-%d}" if entry.until else ""
    reason = "".join(c if "!" <= c <= "~" else "_" for c in entry.reason[:60])
    return f"{_STATUS.get(entry.reason, _POLICY)} on the suppression list since {entry.since:%Y-%m-%d}{until}: {reason}"
