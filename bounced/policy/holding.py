"""What a wave holds: which events belong to it, and whose suppression waits for its end."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from bounced.address import domain_of
from bounced.config import Policy
from bounced.model import DEAD, HELD, Category, Event, History, Member, Reason, Wave, WaveState
from bounced.policy.evidence import ALLOWED, Evidence, Nothing, Weight, happened, is_allowed, weigh

Series = tuple[str, Reason]
_UNKNOWN = "unknown"


def provider_of(event: Event) -> str:
    """Return whose mailboxes a report speaks of: the known provider, else the domain of the host that refused,
    else the domain of the address.

    A host of one name below its domain (`mx1.isp.example`) stands for the domain, so that an operator of many small
    domains is one provider.
    """
    if event.provider:
        return event.provider
    host = (event.remote_mta or "").lower().strip(" .")
    parent = host.partition(".")[2]
    if "." in parent and not parent.rpartition(".")[2].isdigit() and ":" not in host:
        return parent
    return domain_of(event.address or "") or _UNKNOWN


def foretold(event: Event, settings: Policy) -> Event:
    """Return the event with what nobody could tell of it once its address is gone: provider, and whether it is
    allowed."""
    provider = provider_of(event)
    allowed = (ALLOWED,) if is_allowed(event, settings) and ALLOWED not in event.basis else ()
    return replace(event, provider=None if provider == _UNKNOWN else provider, basis=event.basis + allowed)


def is_dead(event: Event) -> bool:
    """True if it says that the address is dead: what waves are made of."""
    return event.category is Category.HARD and event.reason in DEAD


class Holding:
    """The waves that are known, asked for the events of one address."""

    def __init__(self, waves: Iterable[Wave], settings: Policy) -> None:
        self._by_series: dict[Series, list[Wave]] = {}
        for wave in waves:
            self._by_series.setdefault((wave.provider, wave.reason), []).append(wave)
        self._again = timedelta(days=settings.waves.again_days)

    def wave_of(self, event: Event) -> Wave | None:
        """Return the wave that an event belongs to, whatever became of it; the first one of several."""
        if not self._by_series or event.reason is None or not is_dead(event):
            return None
        waves = self._by_series.get((provider_of(event), event.reason), ())
        at = happened(event)
        return next((wave for wave in waves if wave.spans(at)), None)

    def weights(self, weights: Mapping[str, Weight], events: Iterable[Event]) -> dict[str, Weight]:
        """Return the weights of the events of one address, by id, those that a wave holds turned into nothing.

        An address that a wave held before, some days ago, has no second benefit of the doubt.
        """
        waves = {event.id: wave for event in events if (wave := self.wave_of(event))}
        if not waves:
            return dict(weights)
        return {id_: self._held(weight, id_, waves) for id_, weight in weights.items()}

    def _held(self, weight: Weight, id_: str, waves: Mapping[str, Wave]) -> Weight:
        wave = waves.get(id_)
        if wave is None or not wave.holds() or not isinstance(weight, Evidence):
            return weight
        before = [w.closed_at for w in waves.values() if w.id != wave.id and w.closed_at and w.holds()]
        if any(closed + self._again <= weight.at for closed in before):
            return weight
        return Nothing(f"{HELD}{wave.id}: {words(wave)}", held=wave.id)


def words(wave: Wave) -> str:
    """Return in a few words what a wave is, and what became of it."""
    stands = {WaveState.ASKING: "; over, a person is asked", WaveState.RELEASED: "; released"}
    return f"far more {wave.reason} at {wave.provider} than usual{stands.get(wave.state, '')}"


def members(
    histories: Iterable[History], waves: Sequence[Wave], settings: Policy, signed_paths: bool = False
) -> list[Member]:
    """Return which addresses the waves hold, by wave and address, from all that is known of each."""
    holding = Holding(waves, settings)
    found: dict[tuple[int, str], Member] = {}
    for history in histories:
        weights = {event.id: weigh(event, settings, signed_paths) for event in history.events}
        events = {event.id: event for event in history.events}
        for id_, weight in holding.weights(weights, history.events).items():
            if isinstance(weight, Nothing) and weight.held:
                key = weight.held, history.address
                found[key] = _with(found.get(key), key, events[id_])
    return list(found.values())


def _with(known: Member | None, key: tuple[int, str], event: Event) -> Member:
    at = happened(event)
    if known is None:
        return Member(*key, at, at, event.id)
    newest = event.id if at >= known.last_at else known.event_id
    return Member(*key, min(at, known.first_at), max(at, known.last_at), newest)
