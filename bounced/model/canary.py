"""The canary: a mail to an address known to be dead, whose bounce shows that reports come back; and its alarm."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Canary:
    """One canary. `token` tells the mail it went out with from all others, as an identity's token does.

    `problem` says why it was not handed over to the mail server; None once it was. `said` is what its bounce said.
    """

    token: str
    recipient: str
    sent_at: datetime
    due_at: datetime
    problem: str | None = None
    returned_at: datetime | None = None
    said: str | None = None

    @property
    def took(self) -> timedelta | None:
        """How long its bounce took to come back; None as long as it is out."""
        return self.returned_at - self.sent_at if self.returned_at else None


@dataclass(frozen=True, slots=True)
class CanaryAlarm:
    """No canary came back in time. `id` is 0 until it is stored."""

    id: int
    raised_at: datetime
    cleared_at: datetime | None
    recipient: str
    why: str


def lost(canaries: Sequence[Canary], now: datetime) -> Canary | None:
    """Return the newest canary that is due, if neither it nor any sent after it came back; None if all is well."""
    due = [each for each in canaries if each.due_at <= now and each.returned_at is None]
    newest = max(due, key=lambda each: each.sent_at, default=None)
    if newest is None or any(c.returned_at and c.sent_at >= newest.sent_at for c in canaries):
        return None
    return newest
