"""What is watched beside single addresses: signs that an address lives, waves of one provider's failures, alarms."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bounced.model.words import Fault, Reason


class Sign(StrEnum):
    """How a sender knows that an address takes mail."""

    DELIVERED = "delivered"
    OPEN = "open"
    CLICK = "click"
    LOGIN = "login"


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """Positive evidence: `address` took mail, or its owner was there, at `at`. `source` says who knows."""

    address: str
    kind: Sign
    at: datetime
    source: str = ""


class WaveState(StrEnum):
    """Where a wave stands. Only of a confirmed one do the reports count."""

    OPEN = "open"
    ASKING = "asking"  # over; a person must say whether its addresses are dead
    RELEASED = "released"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Wave:
    """Far more dead addresses at one provider, for one reason, than is usual there. `id` is 0 until it is stored.

    What happened from `since` until `closed_at` belongs to it. `amount` addresses within `hours` opened it, where
    `ceiling` was the most allowed. `breadth` tells how many times as many other providers as usual saw dead
    addresses in those hours: about 1 in an outage, more when the addresses themselves are bad. `high_at` is when the
    amount was last above half the ceiling. `actor` is who decided in the end.
    """

    id: int
    provider: str
    reason: Reason
    state: WaveState
    since: datetime
    opened_at: datetime
    high_at: datetime
    closed_at: datetime | None
    hours: float
    amount: int
    ceiling: float
    breadth: float
    why: str
    actor: str = "bounced"

    @property
    def name(self) -> str:
        """What the journal calls it, as an actor."""
        return f"wave {self.id}"

    def spans(self, at: datetime) -> bool:
        """True if `at` lies within it."""
        return self.since <= at and (self.closed_at is None or at <= self.closed_at)

    def holds(self) -> bool:
        """True if what belongs to it must not suppress."""
        return self.state is not WaveState.CONFIRMED


@dataclass(frozen=True, slots=True)
class Member:
    """An address that a wave holds, by its newest report. `repeated`: reported again half a day later or more."""

    wave: int
    address: str
    first_at: datetime
    last_at: datetime
    event_id: str

    @property
    def repeated(self) -> bool:
        """True if it was refused again when an outage of hours is over."""
        return self.last_at - self.first_at >= timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something wrong with the sender or its mail at one provider: many refusals for one reason in a short time."""

    id: int
    provider: str
    reason: Reason
    fault: Fault
    raised_at: datetime
    high_at: datetime
    cleared_at: datetime | None
    hours: float
    amount: int
    ceiling: float


@dataclass(frozen=True, slots=True)
class Tally:
    """So many addresses, each counted once an hour, that one provider refused for one reason in a quarter of an hour.

    `quarter` counts quarters of an hour since 1970 (UTC).
    """

    provider: str
    reason: Reason
    quarter: int
    amount: int


#: How the decision on an event begins whose suppression a wave holds; such an event is not told to endpoints.
HELD = "held by wave "
