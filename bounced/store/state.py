"""What the suppression journal adds up to. Pure."""

from collections.abc import Mapping, Sequence

from bounced.model import Change, Move, Suppression

Key = tuple[str, str]


def add_up(before: Mapping[Key, Suppression], changes: Sequence[Change]) -> dict[Key, Suppression | None]:
    """Return each address and scope that `changes` name with its entry afterwards; None where none is left."""
    after: dict[Key, Suppression | None] = {}
    for change in changes:
        key = change.address, change.scope
        after[key] = _entry(after.get(key, before.get(key)), change)
    return after


def _entry(there: Suppression | None, change: Change) -> Suppression | None:
    """Return the entry after one line; `since` stays where the address was out of use already."""
    if change.move is not Move.SUPPRESS:
        return None
    since = min(there.since, change.at) if there and there.holds(change.at) else change.at
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
