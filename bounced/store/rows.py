"""Nouns -> rows and back."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from bounced.address import domain_of
from bounced.model import (
    Action,
    Attempt,
    Category,
    Change,
    Delivery,
    DeliveryState,
    Event,
    Fault,
    Kind,
    Move,
    Notification,
    Place,
    Reason,
    Suppression,
    Tags,
    Trust,
)
from bounced.store.columns import clean
from bounced.store.tables import LINE, NAME

#: The fields of an event that are columns of the same name and need no turning.
_PLAIN = (
    *("id", "key", "at", "address", "digest", "reader", "rule", "reported_at", "final_recipient", "provider"),
    *("status", "reply_code", "diagnostic", "reporting_mta", "remote_mta", "feedback_type", "subtype"),
    *("message_id", "subject", "matched", "identified_by", "trust_why", "decision", "superseded_by"),
)
_LINES = ("basis", "disagreed")
_CHANGE = ["address", "scope", "move", "at", "category", "reason", "why", "until", "event_id", "actor", "since"]
_SUPPRESSION = ["address", "scope", "category", "reason", "since", "until", "event_id", "why", "actor", "disputed"]


def of_event(event: Event) -> dict[str, Any]:
    """Return the row of an event."""
    row = {name: getattr(event, name) for name in (*_PLAIN, *_LINES, "kind", "category", "reason", "fault", "trust")}
    tags = event.tags
    row |= {"action": event.action, "campaign": tags.campaign, "list": tags.list, "stream": tags.stream}
    row |= {"categories": tags.categories, "domain": domain_of(event.address or "") or None}
    return row | of_place(event.place)


def to_event(row: Row[Any]) -> Event:
    """Return the event in a row of all its columns."""
    found = row._mapping
    plain: dict[str, Any] = {name: found[name] for name in _PLAIN}
    lines: dict[str, Any] = {name: tuple(found[name]) for name in _LINES}
    return Event(
        **plain,
        **lines,
        kind=Kind(found["kind"]),
        category=Category(found["category"]) if found["category"] else None,
        reason=Reason(found["reason"]) if found["reason"] else None,
        fault=Fault(found["fault"]),
        trust=Trust(found["trust"]),
        action=Action(found["action"]) if found["action"] else None,
        place=to_place(found),
        tags=Tags(found["campaign"], found["list"], tuple(found["categories"]), found["stream"]),
    )


def of_place(place: Place) -> dict[str, Any]:
    """Return the four columns that say where a message lies."""
    return {"mailbox": place.mailbox, "folder": place.folder, "uidvalidity": place.uidvalidity, "uid": place.uid}


def cleaned(place: Place) -> Place:
    """Return the place as the database gives it back."""
    return Place(clean(place.mailbox, NAME), clean(place.folder, LINE), place.uidvalidity, place.uid)


def to_place(row: Mapping[Any, Any]) -> Place:
    """Return the place in a row."""
    return Place(row["mailbox"], row["folder"], row["uidvalidity"], row["uid"])


def of_change(change: Change) -> dict[str, Any]:
    """Return the journal row of a change."""
    return {name: getattr(change, name) for name in _CHANGE}


def to_change(row: Row[Any]) -> Change:
    """Return the change in a journal row."""
    found = row._mapping
    return Change(**{name: found[name] for name in _CHANGE if name != "move"}, move=Move(found["move"]))


def of_suppression(entry: Suppression) -> dict[str, Any]:
    """Return the row of an entry."""
    return {name: getattr(entry, name) for name in _SUPPRESSION}


def to_suppression(row: Sequence[Any]) -> Suppression:
    """Return the entry in a row of the table, whose columns stand in the order of the fields."""
    return Suppression(*row)


def to_notification(row: Mapping[Any, Any]) -> Notification:
    """Return the notification in a row of delivery and notification joined."""
    return Notification(row["notification_id"], row["type"], row["notified_at"], row["data"])


def to_delivery(row: Row[Any]) -> Delivery:
    """Return the delivery in a row of delivery and notification joined."""
    found = row._mapping
    return Delivery(
        id=found["id"],
        endpoint=found["endpoint"],
        notification=to_notification(found),
        state=DeliveryState(found["state"]),
        attempts=found["attempts"],
        next_at=found["next_at"],
        last_error=found["last_error"],
    )


def to_attempt(row: Row[Any]) -> Attempt:
    """Return the attempt in a row."""
    return Attempt(
        at=row.at,
        duration_ms=row.duration_ms,
        state=DeliveryState(row.state),
        next_at=row.next_at,
        status_code=row.status_code,
        error=row.error,
        response=row.response,
    )
