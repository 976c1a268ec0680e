"""What one event is worth: evidence against an address, proof for it, or nothing, and why."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bounced.address import domain_of
from bounced.config import Policy, Threshold
from bounced.model import DEAD, Action, Category, Event, Fault, Kind, Reason, Trust

#: A report that claims to be older than this is taken to come from a clock that is wrong.
_CREDIBLE_AGE = timedelta(days=5 * 365)
#: The counter that reasons without a threshold of their own share.
SOFT = "soft"
#: Stands in the basis of an event whose address is allowed and will not be kept.
ALLOWED = "policy.allow"
_SILENT = {
    Kind.DELAYED: "not counted: delayed, the mail may still arrive",
    Kind.AUTO_REPLY: "not counted: an automatic reply",
    Kind.OTHER: "not counted: says nothing of a failure",
}
_AT_FAULT = frozenset({Fault.RECIPIENT, Fault.PROVIDER, Fault.NETWORK})


@dataclass(frozen=True, slots=True)
class Evidence:
    """An event that speaks against its address in `scope`, counted with all others of the same `counter`."""

    event: Event
    at: datetime
    scope: str
    category: str
    reason: str
    counter: str
    threshold: Threshold


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that the address takes mail: an event, or a sign of life that the sender knows of (no event)."""

    at: datetime
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """An event that changes nothing, and why. `claimed`: it would, were it more than a claim. `held`: by which wave."""

    why: str
    claimed: bool = False
    held: int = 0


Weight = Evidence | Proof | Nothing


def happened(event: Event) -> datetime:
    """Return when the reporting machine says it happened, or when we read it where that cannot be right."""
    if event.reported_at is None or not event.at - _CREDIBLE_AGE <= event.reported_at <= event.at:
        return event.at
    return event.reported_at


def weigh(event: Event, settings: Policy, signed_paths: bool) -> Weight:
    """Return what `event` is worth under these settings; with `signed_paths`, a mere claim is worth nothing."""
    if event.address is None:
        return Nothing("not counted: names no recipient")
    weight = _weigh(event, settings.of(event.tags.list, event.tags.stream))
    if signed_paths and event.trust is Trust.CLAIMED and not isinstance(weight, Nothing):
        return Nothing("not counted: only claimed, and return paths are signed", isinstance(weight, Evidence))
    return weight


def _weigh(event: Event, settings: Policy) -> Weight:
    if event.kind is Kind.UNSUBSCRIBE:
        return _evidence(event, _list_scope(event, settings), "unsubscribe", Threshold())
    if event.category is Category.COMPLAINT:
        return _complaint(event, settings)
    if _is_delivery(event):
        return Proof(happened(event), event)
    if event.kind in _SILENT:
        return Nothing(_SILENT[event.kind])
    if event.category is None or event.reason is None or event.action is Action.DELAYED:
        return Nothing("not counted: nothing failed for good")
    return _bounce(event, event.reason, settings)


def _complaint(event: Event, settings: Policy) -> Weight:
    cost = settings.reasons.get(event.reason or Reason.OTHER, "never")
    if isinstance(cost, str):
        return Nothing(f"not counted: a complaint of {event.reason or 'unknown kind'} only raises an alarm")
    return _evidence(event, settings.complaint_scope, Category.COMPLAINT, cost)


def _bounce(event: Event, reason: Reason, settings: Policy) -> Weight:
    """Fault stands above reason; what is final for one reason is only a soft failure when it was temporary."""
    if is_allowed(event, settings):
        return Nothing("not counted: no failure suppresses this address, by the configuration (policy.allow)")
    if event.fault not in _AT_FAULT:
        return Nothing(f"not counted: fault {event.fault}")
    cost = settings.reasons.get(reason, SOFT)
    if cost == "never":
        return Nothing(f"not counted: {reason} never suppresses")
    if isinstance(cost, str) or (reason in DEAD and event.category is not Category.HARD):
        return _evidence(event, settings.scope, Category.SOFT, settings.soft, SOFT + settings.apart)
    category = Category.HARD if reason in DEAD else Category.SOFT
    return _evidence(event, settings.scope, category, cost, reason + settings.apart)


def is_allowed(event: Event, settings: Policy) -> bool:
    """True if no failure suppresses the address, or if that was written into an event whose address is not kept."""
    named = settings.allow and {event.address, domain_of(event.address or "")} & set(settings.allow)
    return bool(named) or ALLOWED in event.basis


def _evidence(event: Event, scope: str, category: str, threshold: Threshold, counter: str | None = None) -> Evidence:
    reason = event.reason if event.reason and event.kind is not Kind.UNSUBSCRIBE else category
    return Evidence(event, happened(event), scope, category, reason, counter or category, threshold)


def _is_delivery(event: Event) -> bool:
    """True for RFC 3464 `delivered`; `relayed` and `expanded` prove nothing of the mailbox behind."""
    return event.category is None and (
        event.action is Action.DELIVERED or (event.kind is Kind.DELIVERED and event.action is None)
    )


def _list_scope(event: Event, settings: Policy) -> str:
    """Return the list that was left; a list that calls itself `*` does not reach beyond itself."""
    name = (event.tags.list or "").strip().strip("<>").lower()
    return name if name and name != "*" else settings.unsubscribe_scope
