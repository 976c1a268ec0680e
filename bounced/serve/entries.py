"""The entries that hold for one address, and the lines of the journal that take them back or add one."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from bounced.model import Change, Move, Suppression
from bounced.store import Store

#: Causes that somebody wished for: taking them back takes a reason.
WISHED: Final = frozenset({"complaint", "unsubscribe"})


def entries_of(store: Store, address: str) -> list[Suppression]:
    """Return the entries that hold for an address, in every scope, also those of a person who was forgotten."""
    now = datetime.now(UTC)
    found = [*store.histories([address], now)[address].suppressions, *store.entries_of_the_forgotten(address)]
    return [entry for entry in found if entry.holds(now)]


def releases(held: Iterable[Suppression], why: str, who: str, now: datetime) -> list[Change]:
    """Return the lines that let the entries go."""
    return [
        Change(e.address, e.scope, Move.RELEASE, now, e.category, e.reason, why, None, e.event_id, who) for e in held
    ]
