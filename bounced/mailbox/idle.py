"""Waiting for mail: IDLE (RFC 2177) as a wake-up call and nothing more, so that it may fail in any way it likes."""

import threading
import time

import structlog

from bounced.errors import MailboxDown
from bounced.mailbox.session import Selected, Session

log = structlog.get_logger(__name__)

RENEW = 25 * 60.0  # seconds: servers hang up on 30 minutes of silence (RFC 2177, section 3)
_PAUSE = 2.0  # seconds after a broken connection, before it is polled again
_BREAKS = 3  # so many in a row, and IDLE is given up for a while
_WHILE = 3_600.0  # seconds


class Waiter:
    """Remembers what the last poll saw, so that what came between poll and wait is not overlooked."""

    def __init__(self) -> None:
        self._seen: dict[str, Selected] = {}
        self._breaks = 0
        self._again = 0.0
        self.broken = False

    def saw(self, folder: str, selected: Selected) -> None:
        """Take note of what a poll was told when it opened the folder."""
        self._seen[folder] = selected

    def wait(self, session: Session, folder: str, seconds: float, stop: threading.Event) -> bool:
        """Return True as soon as there is new mail, or something broke and a poll should find out what.

        `broken` says afterwards that the session must not be used any more.
        """
        end = time.monotonic() + seconds
        self.broken = False
        if not session.can("IDLE") or time.monotonic() < self._again:
            stop.wait(seconds)
            return False
        try:
            woken = self._grown(session, folder) or self._idle(session, end, stop)
        except MailboxDown as exc:
            return self._broke(exc, end, stop)
        self._breaks = 0
        return woken

    def _grown(self, session: Session, folder: str) -> bool:
        """True if mail came since the last poll opened the folder."""
        now, before = session.select(folder, readonly=True), self._seen.get(folder)
        return before is not None and now.next_uid is not None and now.next_uid != before.next_uid

    def _idle(self, session: Session, end: float, stop: threading.Event) -> bool:
        while (left := end - time.monotonic()) > 0 and not stop.is_set():
            if session.idle(min(left, RENEW), stop):
                return True
        return False

    def _broke(self, exc: MailboxDown, end: float, stop: threading.Event) -> bool:
        self.broken = True
        self._breaks += 1
        if self._breaks >= _BREAKS:
            self._again = time.monotonic() + _WHILE
            log.warning("IDLE breaks again and again: polling by the clock for an hour", why=str(exc))
        stop.wait(min(_PAUSE, max(0.0, end - time.monotonic())))
        return not stop.is_set()
