"""When a wave opens and an alarm is raised, and what is made of a wave that is over. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bounced.config import Policy
from bounced.model import DEAD, FAULT_OF, Alarm, Wave, WaveState
from bounced.policy.holding import Series
from bounced.policy.tide import Height, Tide, begin_of, breadth, quarter_of

#: From so many times as many providers as usual on, the list is to blame rather than one provider.
_BROAD = 3.0
#: Of so many addresses one must have shown life for a wave to be an outage, or been refused again for it not to be.
_ALIVE, _AGAIN = 20, 4
#: With so few addresses known to live, it tells nothing that others are unknown.
_KEPT = 200


@dataclass(frozen=True, slots=True)
class Level:
    """One provider and reason as a batch finds it: its counts, and the quarters to which the batch added.

    `by_hour` tells how many providers refused somebody for that reason in each hour since 1970.
    """

    series: Series
    amounts: Mapping[int, int]
    touched: Sequence[int]
    by_hour: Mapping[int, int]

    def tide(self, waves: Sequence[Wave]) -> Tide:
        """Return the counts, with the hours of past waves put apart."""
        mine = [w for w in waves if (w.provider, w.reason) == self.series]
        spans = [(quarter_of(w.since), quarter_of(w.closed_at or w.high_at)) for w in mine]
        return Tide(self.amounts, spans)


def is_high(level: Level, settings: Policy) -> bool:
    """True if a wave may open, so that it is worth asking how many providers are concerned."""
    if level.series[1] not in DEAD or not settings.waves.enabled:
        return False
    tide = Tide(level.amounts)
    return any(
        max(tide.within(q + ahead, window.hours) for q in level.touched for ahead in (0, 3)) > window.at_least
        for window in settings.waves.windows
    )


def rising(level: Level, waves: Sequence[Wave], settings: Policy, now: datetime) -> Wave | None:
    """Return the wave that opens, or the open one where it is still high; None if there is nothing to write."""
    mine = [wave for wave in waves if (wave.provider, wave.reason) == level.series]
    tide = level.tide(waves)
    going = next((wave for wave in mine if wave.closed_at is None), None)
    if going is not None:
        height = tide.height(level.touched, going.hours, settings.waves.history_days)
        return replace(going, high_at=now) if 2 * height.amount >= going.ceiling else None
    for window in settings.waves.windows:
        height = tide.height(level.touched, window.hours, settings.waves.history_days)
        first = quarter_of(begin_of(height.end) - timedelta(hours=window.hours))
        broad = breadth(level.by_hour, first, height.end)
        ceiling = height.ceiling(window.at_least, settings.waves.times) * max(1.0, broad)
        if height.amount > ceiling and not any(wave.spans(begin_of(height.end)) for wave in mine):
            return _opened(level, tide, height, settings, _Measured(ceiling, broad, now, mine))
    return None


@dataclass(frozen=True, slots=True)
class _Measured:
    ceiling: float
    breadth: float
    now: datetime
    before: Sequence[Wave]


def _opened(level: Level, tide: Tide, height: Height, settings: Policy, found: _Measured) -> Wave:
    provider, reason = level.series
    since = tide.rise(height, settings.waves.join_hours, settings.waves.history_days)
    ended = [wave.closed_at + timedelta(microseconds=1) for wave in found.before if wave.closed_at]
    span = f"{height.hours:g} h" if height.hours != 1 else "an hour"
    why = f"{height.amount} addresses in {span}, where {height.usual:g} are usual and {found.ceiling:.0f} were allowed"
    return Wave(
        id=0,
        provider=provider,
        reason=reason,
        state=WaveState.OPEN,
        since=max([since, *(at for at in ended if at <= begin_of(height.end))]),
        opened_at=found.now,
        high_at=found.now,
        closed_at=None,
        hours=height.hours,
        amount=height.amount,
        ceiling=found.ceiling,
        breadth=round(found.breadth, 2),
        why=why,
    )


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What is known of the addresses of a wave that is over.

    `held` addresses, of which `again` were refused again half a day later, and `alive` have shown life at any time.
    `known_alive` addresses of the installation have.
    """

    held: int
    again: int
    alive: int
    known_alive: int
    breadth: float


def is_over(wave: Wave, settings: Policy, now: datetime) -> bool:
    """True if a wave has been quiet for long enough, or has lasted for too long."""
    quiet = now - wave.high_at >= timedelta(hours=settings.waves.quiet_hours)
    return wave.closed_at is None and (quiet or _too_long(wave, settings, now))


def closed(wave: Wave, found: Outcomes, settings: Policy, now: datetime) -> Wave:
    """Return the wave at its end: released, or asking a person. What a person decided before stands."""
    ended = replace(wave, closed_at=now, breadth=round(max(wave.breadth, found.breadth), 2))
    if wave.state is not WaveState.OPEN:
        return ended
    if settings.waves.on_close != "judge":
        state = WaveState.ASKING if settings.waves.on_close == "ask" else WaveState.RELEASED
        return replace(ended, state=state)
    if _too_long(wave, settings, now):
        return _asks(ended, "it lasted too long for an outage")
    if found.alive * _ALIVE >= found.held > 0:
        return _released(ended, f"{found.alive} of {found.held} addresses have shown life")
    if ended.breadth > _BROAD:
        return _asks(
            ended, f"{ended.breadth:g} times as many providers as usual saw dead addresses, as with a bad list"
        )
    if found.again * _AGAIN >= found.held > 0:
        return _asks(ended, f"{found.again} of {found.held} addresses were refused again half a day later")
    if found.alive == 0 and found.known_alive >= _KEPT:
        return _asks(ended, "none of its addresses has ever shown life")
    return _released(ended, "no other provider had more dead addresses than usual")


def _too_long(wave: Wave, settings: Policy, now: datetime) -> bool:
    return now - wave.opened_at >= timedelta(hours=settings.waves.longest_hours)


def _asks(wave: Wave, because: str) -> Wave:
    return replace(wave, state=WaveState.ASKING, why=f"{wave.why}; asks, since {because}")


def _released(wave: Wave, because: str) -> Wave:
    return replace(wave, state=WaveState.RELEASED, why=f"{wave.why}; released, since {because}")


def alarmed(level: Level, standing: Sequence[Alarm], settings: Policy, now: datetime) -> Alarm | None:
    """Return the alarm that is raised, or the standing one where refusals are still many; None if all is well."""
    provider, reason = level.series
    if reason in DEAD or not settings.alarms.enabled:
        return None
    height = Tide(level.amounts).height(level.touched, settings.alarms.hours, settings.waves.history_days)
    there = next((alarm for alarm in standing if (alarm.provider, alarm.reason) == level.series), None)
    if there is not None:
        return replace(there, high_at=now) if 2 * height.amount >= there.ceiling else None
    ceiling = height.ceiling(settings.alarms.at_least, settings.alarms.times)
    if height.amount < ceiling:
        return None
    hours, fault = settings.alarms.hours, FAULT_OF[reason]
    return Alarm(0, provider, reason, fault, now, now, None, hours, height.amount, ceiling)


def is_past(alarm: Alarm, settings: Policy, now: datetime) -> bool:
    """True if an alarm has been quiet for long enough."""
    return now - alarm.high_at >= timedelta(hours=settings.alarms.quiet_hours)
