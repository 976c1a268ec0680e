"""What is kept: events, the suppression journal and its state, notifications and their way out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any

from bounced.model.report import Place, Tags
from bounced.model.watch import SignOfLife
from bounced.model.words import Action, Category, Disposition, Fault, Kind, Reason, Trust


@dataclass(frozen=True, slots=True)
class Event:
    """One recorded verdict. `id` follows from `key`, so the same evidence never makes a second one."""

    id: str
    key: str
    at: datetime
    kind: Kind
    category: Category | None
    reason: Reason | None
    fault: Fault
    trust: Trust
    address: str | None
    place: Place
    digest: str
    reader: str
    rule: str
    reported_at: datetime | None = None
    final_recipient: str | None = None
    provider: str | None = None
    status: str | None = None
    reply_code: str | None = None
    action: Action | None = None
    diagnostic: str | None = None
    reporting_mta: str | None = None
    remote_mta: str | None = None
    feedback_type: str | None = None
    subtype: str | None = None
    message_id: str | None = None
    subject: str | None = None
    tags: Tags = field(default_factory=Tags)
    matched: str | None = None
    basis: tuple[str, ...] = ()
    disagreed: tuple[str, ...] = ()
    identified_by: str = ""
    trust_why: str = ""
    decision: str = ""  # what the policy did about it, in words
    superseded_by: str | None = None  # the event that says it better; then this one counts no more

    def decided(self, decision: str) -> "Event":
        """Return the event with what the policy did about it; `replace` would take as long as the policy."""
        values = _VALUES(self)
        return Event(*(*values[:_DECISION], decision, *values[_DECISION + 1 :]))

    def draft(self) -> tuple[Any, ...]:
        """Return the values of its fields: as it travels between processes, and before it has its time."""
        return _VALUES(self)

    @classmethod
    def of_draft(cls, draft: tuple[Any, ...], at: datetime) -> "Event":
        """Return the event that was handled at that time."""
        return cls(*(*draft[:_AT], at, *draft[_AT + 1 :]))


_NAMES = [field.name for field in fields(Event)]
_AT, _DECISION = _NAMES.index("at"), _NAMES.index("decision")
_VALUES: Callable[[Event], tuple[Any, ...]] = attrgetter(*_NAMES)


class Move(StrEnum):
    """What a line of the suppression journal does to the state."""

    SUPPRESS = "suppress"
    RELEASE = "release"
    EXPIRE = "expire"
    DISPUTE = "dispute"  # the entry stands, but something speaks for the address


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the append-only suppression journal.

    `since` is told where the address was out of use before the line was written, as an imported list may say.
    """

    address: str
    scope: str
    move: Move
    at: datetime
    category: str
    reason: str
    why: str
    until: datetime | None = None
    event_id: str | None = None
    actor: str = "bounced"
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address not to mail in a scope: the present state that the journal adds up to."""

    address: str
    scope: str
    category: str
    reason: str
    since: datetime
    until: datetime | None
    event_id: str | None
    why: str
    actor: str = "bounced"
    disputed: datetime | None = None  # since when positive evidence contradicts it

    def holds(self, now: datetime) -> bool:
        """True if it has not run out."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class History:
    """What is known of one address before a batch: its events, newest last, its entries, its journal, signs of life."""

    address: str
    events: tuple[Event, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    journal: tuple[Change, ...] = ()
    signs: tuple[SignOfLife, ...] = ()


@dataclass(frozen=True, slots=True)
class Notification:
    """Something to tell the endpoints. `id` becomes the `webhook-id`, the same at every attempt."""

    id: str
    type: str
    at: datetime
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one raw message; `detail` says why, for the log and the person."""

    place: Place
    disposition: Disposition
    detail: str = ""
    events: tuple[str, ...] = ()


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    OPEN = "open"
    DONE = "done"
    DEAD = "dead"  # given up; a person may open it again


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notification on its way to one endpoint. `attempts` counts those already made."""

    id: int
    endpoint: str
    notification: Notification
    state: DeliveryState
    attempts: int
    next_at: datetime
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST of a delivery and what follows from it: `next_at` matters only while the state stays open."""

    at: datetime
    duration_ms: int
    state: DeliveryState
    next_at: datetime | None = None
    status_code: int | None = None
    error: str | None = None
    response: str | None = None  # the beginning of the answer's body
