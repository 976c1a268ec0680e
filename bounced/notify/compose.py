"""Events and changes -> what the endpoints are told. Pure; the same event or change always makes the same id.

Body of every webhook: `{"type", "timestamp", "data"}`. Fields that are not known are null; times are RFC 3339 in UTC;
text of strangers is one line, bounded, without control characters. The raw mail is never part of it.

`bounce.hard`, `bounce.soft`, `complaint.received`, `unsubscribe.requested`:
    event_id, address, final_recipient, category, reason, fault, trust, trust_why, action, status, reply_code,
    diagnostic, provider, reporting_mta, remote_mta, feedback_type, message_id, subject, reported_at, read_at, reader,
    rule, decision (what the policy did about it, in words), tags {campaign, list, stream, categories}, mailbox
`suppression.created` (also sent when an entry gets another cause or end: it tells the entry as it is now),
`suppression.released`, `suppression.expired`:
    address, scope, category, reason, why, until (null: no end), event_id, actor, at
`wave.opened`, `wave.closed`, `alarm.raised`, `alarm.cleared`:
    see notify/watch.py; for the alarm of the canary notify/canary.py
`message.quarantined`:
    mailbox, folder, uidvalidity, uid, why
`webhook.test`:
    endpoint, message
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from bounced.model import HELD, Category, Change, Event, Kind, Move, Notification
from bounced.notify.plain import plain, plain_or_none

_OF_CATEGORY = MappingProxyType(
    {
        Category.HARD: "bounce.hard",
        Category.SOFT: "bounce.soft",
        Category.COMPLAINT: "complaint.received",
    }
)
_OF_MOVE = MappingProxyType(
    {
        Move.SUPPRESS: "suppression.created",
        Move.RELEASE: "suppression.released",
        Move.EXPIRE: "suppression.expired",
    }
)
#: Every type that an endpoint may ask for.
TYPES = (
    *_OF_CATEGORY.values(),
    "unsubscribe.requested",
    *_OF_MOVE.values(),
    "wave.opened",
    "wave.closed",
    "alarm.raised",
    "alarm.cleared",
    "message.quarantined",
)


def compose(events: Sequence[Event], changes: Sequence[Change], now: datetime) -> list[Notification]:
    """Return what is to be told of new events and changes of the suppression table, events first.

    Events that are no failure, complaint or wish to leave are not told; nor is a failure that a wave holds: whoever
    acts on `bounce.hard` would drop the addresses that the wave protects.
    """
    told = [(type_of(event), event) for event in events if not event.decision.startswith(HELD)]
    of_events = [Notification(identity(t, e.id), t, now, event_data(e)) for t, e in told if t is not None]
    return of_events + [_of_change(change, now) for change in changes if change.move in _OF_MOVE]


def type_of(event: Event) -> str | None:
    """Return the type of the notification that tells of `event`; None where nobody is told."""
    if event.kind is Kind.UNSUBSCRIBE:
        return "unsubscribe.requested"
    return _OF_CATEGORY.get(event.category) if event.category is not None else None


def identity(*parts: str) -> str:
    """Return the `webhook-id` that follows from `parts`: `msg_` and 32 hex digits."""
    return "msg_" + hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def moment(time: datetime | None) -> str | None:
    """Return the time as RFC 3339 in UTC, `2026-11-01T12:00:00Z`."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z") if time else None


def event_data(event: Event) -> Mapping[str, object]:
    """Return the `data` that tells of an event."""
    return {
        "event_id": event.id,
        "address": event.address,
        "final_recipient": plain_or_none(event.final_recipient, 320),
        "category": event.category and str(event.category),
        "reason": event.reason and str(event.reason),
        "fault": str(event.fault),
        "trust": str(event.trust),
        "trust_why": plain(event.trust_why),
        "action": event.action and str(event.action),
        "status": plain_or_none(event.status, 20),
        "reply_code": plain_or_none(event.reply_code, 10),
        "diagnostic": plain_or_none(event.diagnostic),
        "provider": plain_or_none(event.provider, 100),
        "reporting_mta": plain_or_none(event.reporting_mta, 255),
        "remote_mta": plain_or_none(event.remote_mta, 255),
        "feedback_type": plain_or_none(event.feedback_type, 50),
        "message_id": plain_or_none(event.message_id, 255),
        "subject": plain_or_none(event.subject, 200),
        "reported_at": moment(event.reported_at),
        "read_at": moment(event.at),
        "reader": event.reader,
        "rule": event.rule,
        "decision": plain(event.decision),
        "tags": _tags(event),
        "mailbox": event.place.mailbox,
    }


def _tags(event: Event) -> Mapping[str, object]:
    tags = event.tags
    return {
        "campaign": plain_or_none(tags.campaign, 200),
        "list": plain_or_none(tags.list, 200),
        "stream": plain_or_none(tags.stream, 200),
        "categories": [plain(category, 200) for category in tags.categories[:20]],
    }


def _of_change(change: Change, now: datetime) -> Notification:
    type_ = _OF_MOVE[change.move]
    cause = change.event_id or f"{change.actor} {moment(change.at)}"
    if change.move is not Move.SUPPRESS:
        cause = f"{cause} {moment(change.at)}"
    id_ = identity(type_, change.address, change.scope, cause, moment(change.until) or "", change.reason)
    return Notification(id_, type_, now, _change_data(change))


def _change_data(change: Change) -> Mapping[str, object]:
    return {
        "address": change.address,
        "scope": plain(change.scope, 200),
        "category": plain(change.category, 50),
        "reason": plain(change.reason, 200),
        "why": plain(change.why),
        "until": moment(change.until),
        "event_id": change.event_id,
        "actor": plain(change.actor, 100),
        "at": moment(change.at),
    }
