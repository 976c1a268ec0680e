"""The part of the pipeline that cares for the canary: its bounce is taken out of the events, its absence is an alarm.

It works inside transactions of the ledger, so that of several daemons on one database one sends and one raises.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from bounced.model import Canary, CanaryAlarm, Disposition, Judged, Kind, Notification, Place, lost
from bounced.recording import disposition_of

#: The detail of a message that is a canary's bounce.
CANARY = "canary"
#: How long after a canary that the mail server did not take another one is tried.
_AGAIN = timedelta(minutes=10)
#: What is written down until the mail server has taken a canary: a crash in between is no lost canary.
_ON_ITS_WAY = "it was being handed to the mail server"


class Aviary(Protocol):
    """What is asked of a transaction of the ledger."""

    def canaries(self, now: datetime) -> Sequence[Canary]:
        """Return the latest canaries, of all and of those due by now or come back, newest first."""

    def fly(self, new: Canary) -> None:
        """Write down a canary that is about to be sent."""

    def land(self, tokens: dict[str, str], at: datetime) -> Sequence[Canary]:
        """Write down which canaries came back; return those that had not before."""

    def canary_alarm(self) -> CanaryAlarm | None:
        """Return the alarm that stands; None if all is well."""

    def write_canary_alarm(self, changed: CanaryAlarm) -> CanaryAlarm:
        """Insert an alarm, or bring the one of its number up to date; return it with its number."""

    def announce(self, notifications: Sequence[Notification]) -> None:
        """Write outbox rows."""


Begin = Callable[[], AbstractContextManager[Aviary]]
Tell = Callable[[CanaryAlarm, datetime], Notification]


@dataclass(frozen=True, slots=True)
class Cage:
    """Whose reports are the canary's, and how its alarm is told."""

    recipient: str
    tell: Tell

    def owns(self, judged: Judged) -> bool:
        """True for a report on the canary alone: it is nobody's bounce, whether it bears the token or not."""
        names = {identity.recipient for _, identity in judged.verdicts}
        return names == {self.recipient} and disposition_of(judged) is not Disposition.LEFT

    def receive(self, tx: Aviary, reports: Sequence[Judged], now: datetime) -> list[Notification]:
        """Write down which canaries these bring back; return what is to be told. A mere delay brings none back."""
        told = {
            identity.token: f"{verdict.category or judged.report.kind} {verdict.reason or ''}".strip()
            for judged in reports
            for verdict, identity in judged.verdicts
            if identity.token and judged.report.kind is Kind.BOUNCE
        }
        if not told or not tx.land(told, now):
            return []
        return self.cleared(tx, now)

    def cleared(self, tx: Aviary, now: datetime) -> list[Notification]:
        """Clear the alarm if canaries come back again; return what is to be told."""
        alarm = tx.canary_alarm()
        if alarm is None or lost(tx.canaries(now), now):
            return []
        return [self.tell(tx.write_canary_alarm(replace(alarm, cleared_at=now)), now)]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a canary is sent, and how long its bounce may take."""

    every: timedelta
    wait: timedelta


def due(canaries: Sequence[Canary], rhythm: Rhythm, now: datetime) -> timedelta:
    """Return in how long the next canary is to be sent; nothing or less if it is due."""
    if not canaries:
        return timedelta(0)
    newest = canaries[0]
    return newest.sent_at + (min(_AGAIN, rhythm.every) if newest.problem else rhythm.every) - now


def claim(begin: Begin, new: Canary, rhythm: Rhythm | None) -> bool:
    """Write down that `new` is being sent; False if another daemon was faster. Without a rhythm it is sent anyway."""
    with begin() as tx:
        if rhythm and due(tx.canaries(new.sent_at), rhythm, new.sent_at) > timedelta(0):
            return False
        tx.fly(replace(new, problem=_ON_ITS_WAY))
    return True


def watch(begin: Begin, cage: Cage, now: datetime) -> CanaryAlarm | None:
    """Raise the alarm for a canary that is missed, and tell of it; return the one raised now, if any."""
    with begin() as tx:
        missed = lost(tx.canaries(now), now)
        if missed is None:
            tx.announce(cage.cleared(tx, now))
            return None
        if tx.canary_alarm() is not None:
            return None
        raised = tx.write_canary_alarm(CanaryAlarm(0, now, None, missed.recipient, _why(missed)))
        tx.announce([cage.tell(raised, now)])
    return raised


def dismiss(begin: Begin, tell: Tell, now: datetime) -> None:
    """Clear the alarm where no canary is sent any more, and tell of it."""
    with begin() as tx:
        alarm = tx.canary_alarm()
        if alarm is not None:
            tx.announce([tell(tx.write_canary_alarm(replace(alarm, cleared_at=now)), now)])


def _why(missed: Canary) -> str:
    if missed.problem:
        return f"the canary could not be sent: {missed.problem}"
    hours = (missed.due_at - missed.sent_at) / timedelta(hours=1)
    return f"the canary of {missed.sent_at:%Y-%m-%d %H:%M} UTC did not bounce back with its token within {hours:g} h"


def owned(cage: Cage | None, reports: Sequence[Judged]) -> dict[Place, Judged]:
    """Return those reports that are the canary's, by place."""
    return {judged.place: judged for judged in reports if cage and cage.owns(judged)}
