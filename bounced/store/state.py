"""What the suppression journal adds up to. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bounced.model import Change, Move, Suppression

Key = tuple[str, str]


def add_up(
    before: Mapping[Key, Suppression], changes: Sequence[Change]
) -> tuple[dict[Key, Suppression | None], list[Change]]:
    """Return each address and scope that changed with its entry afterwards, None where none is left, and the lines.

    The lines are the changes less those that expire what has not run out, or expire or dispute what is not there.
    """
    after: dict[Key, Suppression | None] = {}
    lines = []
    for change in changes:
        key = change.address, change.scope
        there = after.get(key, before.get(key))
        if change.move is Move.EXPIRE and (there is None or there.holds(change.at)):
            continue
        if change.move is Move.DISPUTE and there is None:
            continue
        after[key] = _entry(there, change)
        lines.append(change)
    return after, lines


def _entry(there: Suppression | None, change: Change) -> Suppression | None:
    """Return the entry after one line; `since` stays where the address was out of use already."""
    if change.move is Move.DISPUTE:
        return there and replace(there, disputed=there.disputed or change.at)
    if change.move is not Move.SUPPRESS:
        return None
    start = change.since or change.at
    since = min(there.since, start) if there and there.holds(change.at) else start
    return Suppression(
        address=change.address,
        scope=change.scope,
        category=change.category,
        reason=change.reason,
        since=since,
        until=change.until,
        event_id=change.event_id,
        why=change.why,
        actor=change.actor,
    )
