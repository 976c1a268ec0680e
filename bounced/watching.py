"""The part of the pipeline that watches providers: counts refusals, opens and ends waves, raises and clears alarms.

It works inside the transaction of the batch, so that counts, waves and what they hold are committed with the events.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Protocol

from bounced.config import Policy
from bounced.model import Alarm, Change, Event, History, Member, Notification, Reason, Tally, Wave, WaveState
from bounced.policy import (
    Level,
    Outcomes,
    Series,
    alarmed,
    breadth,
    closed,
    is_dead,
    is_high,
    is_over,
    is_past,
    members,
    provider_of,
    quarter_of,
    rising,
    tally,
)

if TYPE_CHECKING:
    from bounced.pipeline import Stages

_AT_ONCE = 500
#: So many addresses of a provider may be committed as dead before its wave is told of.
_UNHEARD = 100


class Watching(Protocol):
    """What the watch needs of a transaction of the ledger."""

    def histories(self, addresses: Sequence[str], now: datetime) -> Mapping[str, History]:
        """Return what is known of each address; an address never heard of has an empty history."""

    def count(self, tallies: Sequence[Tally]) -> None:
        """Add to the counts of refusals."""

    def tallies(self, providers: Collection[str], reasons: Collection[Reason], since: int) -> Sequence[Tally]:
        """Return the counts of these providers for these reasons from the quarter `since` on."""

    def breadth(self, reason: Reason, since: int) -> Mapping[int, int]:
        """Return how many providers refused somebody for this reason in each hour (since 1970) from a quarter on."""

    def waves(self, now: datetime) -> Sequence[Wave]:
        """Return the waves to which known events may belong, oldest first."""

    def write_wave(self, changed: Wave) -> Wave:
        """Insert a wave, or bring the one of its number up to date; return it with its number."""

    def suspects(self, opened: Wave) -> Sequence[str]:
        """Return the addresses that were reported dead since the wave began, those of its provider among them."""

    def hold(self, members: Sequence[Member]) -> None:
        """Write whom the waves hold."""

    def members(self, number: int) -> Sequence[str]:
        """Return the addresses that a wave holds."""

    def outcomes(self, number: int) -> tuple[int, int, int, int]:
        """Return how many addresses a wave holds; how many of them were refused again half a day later, and have
        shown life; and how many addresses have at all.
        """

    def alarms(self) -> Sequence[Alarm]:
        """Return the alarms that stand, oldest first."""

    def write_alarm(self, changed: Alarm) -> Alarm:
        """Insert an alarm, or bring the one of its number up to date; return it with its number."""


@dataclass(frozen=True, slots=True)
class Watch:
    """By what measure it is watched, and how it is told."""

    settings: Policy
    signed_paths: bool
    tell_wave: Callable[[Wave, int, datetime], Notification]
    tell_alarm: Callable[[Alarm, datetime], Notification]

    def held(self, histories: Iterable[History], waves: Sequence[Wave]) -> list[Member]:
        """Return whom the waves hold."""
        return members(histories, waves, self.settings, self.signed_paths)


def runs(
    events: Sequence[Sequence[Event]],
    watch: Watch | None,
    begin: Callable[[], AbstractContextManager["Watching"]],
    now: datetime,
) -> list[slice]:
    """Return which messages, of whose events each, are to be committed together.

    All of them; but where a batch says of many addresses of one provider that they are dead, and no wave is open
    there yet, a hundred of those at once, so that whoever is to be told of a wave hears of it before the next hundred.
    """
    crowds = _crowds(events) if watch and watch.settings.waves.enabled else set()
    if crowds:
        with begin() as tx:
            crowds -= {(wave.provider, wave.reason) for wave in tx.waves(now) if wave.closed_at is None}
    begins, amounts = [0], Counter[Series]()
    for at, mine in enumerate(events) if crowds else ():
        dead = Counter(_series(mine)) & Counter(dict.fromkeys(crowds, len(mine)))
        if amounts and max((amounts + dead).values()) > _UNHEARD:
            begins.append(at)
            amounts.clear()
        amounts += dead
    return [slice(*ends) for ends in pairwise([*begins, len(events)])]


def _crowds(events: Sequence[Sequence[Event]]) -> set[Series]:
    """Return the providers and reasons of which there are more addresses than may go unheard."""
    return {series for series, amount in Counter(_series(chain(*events))).items() if amount > _UNHEARD}


def _series(events: Iterable[Event]) -> Iterator[Series]:
    return ((provider_of(event), event.reason) for event in events if event.reason and is_dead(event))


@dataclass(slots=True)
class Seen:
    """What the watch found in one batch: the waves, the histories of those whom new waves catch, what is told."""

    waves: list[Wave] = field(default_factory=list)
    caught: dict[str, History] = field(default_factory=dict)
    told: list[Notification] = field(default_factory=list)
    opened: list[Wave] = field(default_factory=list)


def look(watch: Watch, tx: "Watching", new: Sequence[Event], histories: Mapping[str, History], now: datetime) -> Seen:
    """Count new events, and open what waves and alarms they raise. To be called before the policy decides."""
    seen = Seen(list(tx.waves(now)))
    tallies = tally(new, histories, watch.settings, watch.signed_paths)
    if not tallies:
        return seen
    tx.count(tallies)
    alarms = tx.alarms()
    for level in _levels(watch, tx, tallies):
        if (alarm := alarmed(level, alarms, watch.settings, now)) is not None:
            written = tx.write_alarm(alarm)
            seen.told += [watch.tell_alarm(written, now)] if not alarm.id else []
        if is_high(level, watch.settings) or _is_open(level, seen.waves):
            _rise(watch, tx, level, seen, now)
    return seen


def _rise(watch: Watch, tx: "Watching", level: Level, seen: Seen, now: datetime) -> None:
    """Open a wave, or note that an open one is still high."""
    if not _is_open(level, seen.waves):
        first = min(level.touched) - 96 * watch.settings.waves.history_days
        level = replace(level, by_hour=tx.breadth(level.series[1], first))
    wave = rising(level, seen.waves, watch.settings, now)
    if wave is None:
        return
    written = tx.write_wave(wave)
    seen.waves = [each for each in seen.waves if each.id != written.id] + [written]
    if not wave.id:
        seen.opened.append(written)
        seen.caught.update(tx.histories(tx.suspects(written), now))


def _is_open(level: Level, waves: Sequence[Wave]) -> bool:
    return any((w.provider, w.reason) == level.series and w.closed_at is None for w in waves)


def _levels(watch: Watch, tx: "Watching", tallies: Sequence[Tally]) -> list[Level]:
    """Return the counts of each provider and reason that a batch touched."""
    touched: dict[tuple[str, Reason], list[int]] = {}
    for each in tallies:
        touched.setdefault((each.provider, each.reason), []).append(each.quarter)
    since = min(each.quarter for each in tallies) - 96 * watch.settings.waves.history_days
    amounts: dict[tuple[str, Reason], dict[int, int]] = {key: {} for key in touched}
    for each in tx.tallies({t.provider for t in tallies}, {t.reason for t in tallies}, since):
        if (each.provider, each.reason) in amounts:
            amounts[each.provider, each.reason][each.quarter] = each.amount
    return [Level(key, amounts[key], touched[key], {}) for key in sorted(touched)]


def keep(watch: Watch, tx: "Watching", new: Sequence[Event], histories: Mapping[str, History], seen: Seen) -> None:
    """Write whom open waves hold, after the policy has decided, and tell of the waves that opened."""
    waves = [wave for wave in seen.waves if wave.closed_at is None]
    if not waves:
        return
    known = {address: list(history.events) for address, history in histories.items()}
    for event in new:
        if event.address:
            known.setdefault(event.address, []).append(event)
    held = watch.held((History(address, tuple(events)) for address, events in known.items()), waves)
    tx.hold(held)
    amounts = {wave.id: sum(each.wave == wave.id for each in held) for wave in seen.opened}
    at = max(wave.opened_at for wave in waves)
    seen.told += [watch.tell_wave(wave, amounts[wave.id], at) for wave in seen.opened]


def settle(stages: "Stages", now: datetime) -> tuple[list[Wave], list[Alarm]]:
    """End the waves and alarms that are over, and return them. To be called every minute or so."""
    watch = stages.watch
    if watch is None:
        return [], []
    with stages.ledger.begin() as tx:
        over = [wave for wave in tx.waves(now) if is_over(wave, watch.settings, now)]
        ended = [tx.write_wave(closed(wave, _outcomes(watch, tx, wave), watch.settings, now)) for wave in over]
        past = [alarm for alarm in tx.alarms() if is_past(alarm, watch.settings, now)]
        cleared = [tx.write_alarm(replace(alarm, cleared_at=now)) for alarm in past]
        tx.announce([watch.tell_wave(wave, tx.outcomes(wave.id)[0], now) for wave in ended])
        tx.announce([watch.tell_alarm(alarm, now) for alarm in cleared])
    return ended, cleared


def _outcomes(watch: Watch, tx: "Watching", wave: Wave) -> Outcomes:
    first, last = quarter_of(wave.since), quarter_of(wave.high_at)
    by_hour = tx.breadth(wave.reason, first - 96 * watch.settings.waves.history_days)
    return Outcomes(*tx.outcomes(wave.id), breadth(by_hour, first, last))


def conclude(wave: Wave, state: WaveState, actor: str, stages: "Stages", now: datetime) -> list[Change]:
    """Commit a person's word on a wave, and what follows for every address it holds; return the changes.

    Confirmed, its reports count, and suppress as they would have; released, they never do. Either may follow the
    other. A wave that still goes on keeps what comes later by the same word.
    """
    told = {WaveState.CONFIRMED: "confirmed", WaveState.RELEASED: "released"}
    changes: list[Change] = []
    with stages.ledger.begin() as tx:
        present = next((each for each in tx.waves(now) if each.id == wave.id), wave)
        decided = tx.write_wave(replace(present, state=state, actor=actor))
        waves = tx.waves(now)
        held = sorted(tx.members(wave.id))
        for n in range(0, len(held), _AT_ONCE):
            _, lines = stages.decide((), tx.histories(held[n : n + _AT_ONCE], now), now, waves)
            changes += [replace(line, why=f"{line.why}; {wave.name} was {told[state]} by {actor}") for line in lines]
        tx.journal(changes)
        tx.announce(stages.compose((), changes, now))
        if stages.watch is not None:
            tx.announce([stages.watch.tell_wave(decided, tx.outcomes(wave.id)[0], now)])
    return changes
