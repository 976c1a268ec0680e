"""A migrated store on either database, and rows to put into it."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bounced.config import Database
from bounced.model import (
    Category,
    Change,
    Event,
    Fault,
    Kind,
    Move,
    Notification,
    Place,
    Reason,
    Trust,
)
from bounced.store import Store

#: Which endpoints there are in these tests, and what they want.
WEBHOOKS = {"all": ("*",), "bounces": ("bounce.*",), "hard": ("bounce.hard", "complaint.received")}


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def open_store(database_url: str) -> Iterator[Callable[..., Store]]:
    """Return what opens one more store on the database of this test; all are closed at its end."""
    opened: list[Store] = []

    def open_(**settings: Any) -> Store:
        opened.append(Store.open(Database(**{"url": database_url, "busy_timeout": 5, **settings}), WEBHOOKS))
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[..., Store]) -> Store:
    found = open_store()
    found.upgrade()
    return found


def place(uid: int, **more: Any) -> Place:
    return Place(**({"mailbox": "bounces", "folder": "INBOX", "uidvalidity": 7, "uid": uid} | more))


def digest(number: int) -> str:
    return hashlib.sha256(b"%d" % number).hexdigest()


def event(number: int, at: datetime, **more: Any) -> Event:
    """Return an event; its address, place and key follow from `number` unless given."""
    key = hashlib.sha256(b"event %d" % number).hexdigest()
    row: dict[str, Any] = {
        "id": "ev_" + key[:32],
        "key": key,
        "at": at,
        "kind": Kind.BOUNCE,
        "category": Category.HARD,
        "reason": Reason.MAILBOX_UNKNOWN,
        "fault": Fault.RECIPIENT,
        "trust": Trust.MATCHED,
        "address": f"user{number}@example.org",
        "place": place(number),
        "digest": digest(number),
        "reader": "rfc3464",
        "rule": "status.5.1.1",
    }
    return Event(**(row | more))


def change(address: str, at: datetime, move: Move = Move.SUPPRESS, **more: Any) -> Change:
    row: dict[str, Any] = {"scope": "*", "category": "hard", "reason": "mailbox_unknown", "why": "dead"}
    return Change(address=address, at=at, move=move, **(row | more))


def notification(number: int, at: datetime, type_: str = "bounce.hard") -> Notification:
    return Notification(f"msg_{number}", type_, at, {"address": f"user{number}@example.org", "n": number})
