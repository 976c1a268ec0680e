"""Counting the evidence of one address in the order in which it happened: how much there is, and what it comes to."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, auto

from bounced.config import Threshold

#: No suppression that ends lasts longer: doubling stops here.
_LONGEST_DAYS = 3650.0


class Step(Enum):
    """What one more report did to a count."""

    COUNTED = auto()
    SAME_DAY = auto()
    REACHED = auto()
    PROBATION = auto()
    EXTENDED = auto()
    COVERED = auto()


@dataclass(frozen=True, slots=True)
class Tally:
    """What a count has come to: reports (one a day at most, far enough apart), days, days from first to last."""

    reports: int
    days: int
    span: int
    since: date

    def reaches(self, threshold: Threshold) -> bool:
        """True if nothing is wanting."""
        return (
            self.reports >= threshold.count
            and self.days >= threshold.distinct_days
            and self.span >= threshold.span_days
        )


@dataclass(frozen=True, slots=True)
class Episode:
    """A suppression that a count came to: until when (None: no end), and how many days one report is good for."""

    until: datetime | None
    days: float | None

    def holds(self, at: datetime) -> bool:
        """True if `at` lies before its end."""
        return self.until is None or at < self.until

    def on_probation(self, at: datetime, probation_days: float | None) -> bool:
        """True if `at` lies after its end, and no more than the probation after it."""
        return (
            self.until is not None
            and probation_days is not None
            and self.until <= at < self.until + timedelta(days=probation_days)
        )


@dataclass(slots=True)
class Count:
    """One counter of one address. Reports must be added in the order in which they happened.

    The end of a suppression falls on a midnight (UTC), so that ten reports of one day are not ten extensions.
    More reports never end a suppression sooner.
    """

    threshold: Threshold
    episode: Episode | None = None
    tally: Tally | None = None
    _firsts: dict[date, datetime] = field(default_factory=dict)

    def add(self, at: datetime) -> Step:
        """Count one report that happened at `at`."""
        if self.episode is not None and self.episode.holds(at):
            return self._again(at, self.episode)
        if self.episode is not None and self.episode.on_probation(at, self.threshold.probation_days):
            self._suppress(at, 2 * (self.episode.days or 0))
            return Step.PROBATION
        return self._count(at)

    def resume(self, at: datetime, until: datetime) -> None:
        """Take up a suppression of which only the journal still tells."""
        if self.episode is None or (self.episode.until is not None and self.episode.until < until):
            self.episode = Episode(until, max(1, (until - at).days))
            self._firsts.clear()

    def reset(self) -> bool:
        """Forget everything, as a delivery demands; True if there was anything to forget."""
        had = bool(self._firsts) or self.episode is not None
        self.episode = self.tally = None
        self._firsts.clear()
        return had

    def _again(self, at: datetime, episode: Episode) -> Step:
        """Bring the end of a suppression up to its newest report."""
        if episode.until is None or episode.days is None:
            return Step.COVERED
        until = _midnight_after(at, episode.days)
        if until <= episode.until:
            return Step.COVERED
        self.episode = Episode(until, episode.days)
        return Step.EXTENDED

    def _count(self, at: datetime) -> Step:
        oldest = at - timedelta(days=self.threshold.within_days)
        self._firsts = {day: first for day, first in self._firsts.items() if first >= oldest}
        first_today = self._firsts.setdefault(at.date(), at) == at
        self.tally = self._tally(at)
        if not self.tally.reaches(self.threshold):
            return Step.COUNTED if first_today else Step.SAME_DAY
        self._suppress(at, self.threshold.suppress_days)
        return Step.REACHED

    def _tally(self, at: datetime) -> Tally:
        """Return how much there is up to `at`, taking the first report of each day and the one at `at`."""
        gap = timedelta(hours=self.threshold.apart_hours)
        taken: list[datetime] = []
        for day, first in self._firsts.items():
            if day < at.date() and first <= at - gap and (not taken or first - taken[-1] >= gap):
                taken.append(first)
        since = next(iter(self._firsts))
        return Tally(len(taken) + 1, len(self._firsts), (at.date() - since).days, since)

    def _suppress(self, at: datetime, days: float | None) -> None:
        days = None if days is None else min(days, _LONGEST_DAYS)
        self.episode = Episode(None if days is None else _midnight_after(at, days), days)
        self._firsts.clear()


def _midnight_after(at: datetime, days: float) -> datetime:
    """Return the first midnight (UTC) that is not before `days` after `at`."""
    end = at + timedelta(days=days)
    midnight = datetime.combine(end.date(), time(), UTC)
    return midnight if midnight >= end else midnight + timedelta(days=1)
