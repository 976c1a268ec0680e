"""How much is too much: refusals by provider and reason in time, against what is usual there. Pure."""

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bounced.config import Policy
from bounced.model import DEAD, Category, Event, Fault, History, Kind, Tally, Trust
from bounced.policy.evidence import Evidence, happened, weigh
from bounced.policy.holding import Series, is_dead, provider_of

_SECONDS = 900
_HOUR = timedelta(hours=1)
#: So many freak spans of the past do not raise what is usual: the third-busiest is it.
_RANK = 3
_OWN_FAULTS = frozenset({Fault.SENDER, Fault.MESSAGE})


def quarter_of(at: datetime) -> int:
    """Return the quarter of an hour since 1970 (UTC) in which `at` lies."""
    return int(at.timestamp() // _SECONDS)


def begin_of(quarter: int) -> datetime:
    """Return when a quarter begins."""
    return datetime.fromtimestamp(quarter * _SECONDS, UTC)


def is_refusal(event: Event) -> bool:
    """True if our address, our mail or our settings were refused: what alarms are made of."""
    failed = event.kind is Kind.BOUNCE and event.category in (Category.HARD, Category.SOFT)
    return failed and event.fault in _OWN_FAULTS and event.reason not in DEAD


def tally(
    events: Iterable[Event], histories: Mapping[str, History], settings: Policy, signed_paths: bool
) -> list[Tally]:
    """Return how many addresses new events add to the counts, each once an hour; claims add none where paths are
    signed, so that nobody can raise a wave by writing to a return path.
    """
    seen: dict[tuple[str | None, Series], list[datetime]] = {}
    amounts: dict[tuple[Series, int], int] = {}
    for event in events:
        if event.reason is None or not _counts(event, settings, signed_paths):
            continue
        series, at = (provider_of(event), event.reason), happened(event)
        history = histories.get(event.address or "", History(""))
        known = seen.setdefault((event.address, series), _times(history.events, series))
        if event.address is None or all(abs(at - other) >= _HOUR for other in known):
            key = series, quarter_of(at)
            amounts[key] = amounts.get(key, 0) + 1
        known.append(at)
    return [Tally(*series, quarter, amount) for (series, quarter), amount in sorted(amounts.items())]


def _counts(event: Event, settings: Policy, signed_paths: bool) -> bool:
    if is_refusal(event):
        return not (signed_paths and event.trust is Trust.CLAIMED)
    return is_dead(event) and isinstance(weigh(event, settings, signed_paths), Evidence)


def _times(events: Sequence[Event], series: Series) -> list[datetime]:
    return [happened(e) for e in events if e.reason is series[1] and provider_of(e) == series[0]]


@dataclass(frozen=True, slots=True)
class Height:
    """The most that one span of so many hours held: it ended with the quarter `end`, and `usual` is the measure."""

    amount: int
    end: int
    hours: float
    usual: float

    def ceiling(self, at_least: float, times: float) -> float:
        """Return how much would have been allowed."""
        return max(at_least, times * self.usual)


@dataclass(frozen=True, slots=True)
class Tide:
    """The counts of one provider and reason by quarter, less those hours that are known to be out of the way."""

    amounts: Mapping[int, int]
    apart: Collection[tuple[int, int]] = ()

    def within(self, end: int, hours: float) -> int:
        """Return how many there were in the hours that end with a quarter."""
        return sum(self.amounts.get(quarter, 0) for quarter in range(end - _quarters(hours) + 1, end + 1))

    def height(self, touched: Sequence[int], hours: float, past_days: int) -> Height:
        """Return the most that any span held which reaches into one of the quarters touched."""
        last = max(touched) + _quarters(hours)
        ends = [quarter for quarter in self.amounts if min(touched) <= quarter < last] or [max(touched)]
        end = max(ends, key=lambda quarter: (self.within(quarter, hours), quarter))
        return Height(self.within(end, hours), end, hours, self.usual(end, hours, past_days))

    def usual(self, end: int, hours: float, past_days: int) -> float:
        """Return the third-busiest such span of the days before, leaving out the last of them: a wave may rise
        slowly. 0 where there was no such time.
        """
        cut, width = end - 4 * 24, _quarters(hours)
        spans: dict[int, int] = {}
        for quarter, amount in self.amounts.items():
            if end - 96 * past_days <= quarter <= cut and not any(a <= quarter <= b for a, b in self.apart):
                span = (cut - quarter) // width
                spans[span] = spans.get(span, 0) + amount
        busiest = heapq.nlargest(_RANK, spans.values())
        return busiest[-1] if len(busiest) == _RANK else 0

    def rise(self, height: Height, hours: float, past_days: int) -> datetime:
        """Return when it began to rise: before the span that was too high, hour by hour while more than usual came."""
        first = height.end - _quarters(height.hours) + 1
        usual = self.usual(height.end, 1, past_days)
        earliest = first - _quarters(hours)
        while first > earliest and self.within(first - 1, 1) > usual:
            first -= 4
        return begin_of(max(first, earliest))


def breadth(by_hour: Mapping[int, int], first: int, last: int) -> float:
    """Return how many times as many providers as usual refused somebody in an hour between two quarters.

    `by_hour` tells how many did in each hour since 1970. Twenty are usual everywhere, or the third-most of the past.
    """
    now = max((n for hour, n in by_hour.items() if first // 4 <= hour <= last // 4), default=0)
    past = heapq.nlargest(_RANK, (n for hour, n in by_hour.items() if hour < first // 4 - 24))
    usual = past[-1] if len(past) == _RANK else 0
    return now / max(usual, 20)


def _quarters(hours: float) -> int:
    return max(1, round(4 * hours))
