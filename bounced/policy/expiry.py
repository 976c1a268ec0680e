"""Suppressions that have run out."""

from collections.abc import Iterable
from datetime import datetime

from bounced.model import Change, Move, Suppression


def expire(suppressions: Iterable[Suppression], now: datetime) -> list[Change]:
    """Return the journal line that ends each entry whose time is over; entries that still hold give none."""
    return [_ended(entry, now) for entry in suppressions if not entry.holds(now)]


def _ended(entry: Suppression, now: datetime) -> Change:
    return Change(
        address=entry.address,
        scope=entry.scope,
        move=Move.EXPIRE,
        at=now,
        category=entry.category,
        reason=entry.reason,
        why=f"{entry.reason} was suppressed until {entry.until:%Y-%m-%d}; mail may be tried again",
        event_id=entry.event_id,
    )
