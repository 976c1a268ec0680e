"""Events and a table to try the policy on: what the ledger would keep of one address between batches."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bounced.config import Policy
from bounced.model import (
    FAULT_OF,
    Category,
    Change,
    Event,
    History,
    Kind,
    Move,
    Place,
    Reason,
    SignOfLife,
    Suppression,
    Trust,
    Wave,
)
from bounced.policy import decide

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ANN = "ann@example.org"


def event(reason: Reason | None = Reason.MAILBOX_UNKNOWN, day: float = 0, **fields: object) -> Event:
    """Return a bounce for Ann, reported `day` days after the start and read on the day that `read` says."""
    read = START + timedelta(days=float(fields.pop("read", day)))  # type: ignore[arg-type]
    hard = {Reason.MAILBOX_UNKNOWN, Reason.ADDRESS_CHANGED, Reason.MAILBOX_DISABLED, Reason.MAILBOX_INACTIVE}
    values: dict[str, object] = {
        "at": read,
        "kind": Kind.BOUNCE,
        "category": Category.HARD if reason in hard | {Reason.DOMAIN_MISSING} else Category.SOFT,
        "reason": reason,
        "fault": FAULT_OF[reason or Reason.OTHER],
        "trust": Trust.MATCHED,
        "address": ANN,
        "place": Place("returns", "INBOX", 1, 1),
        "digest": "0" * 64,
        "reader": "rfc3464",
        "rule": "test.rule",
        "reported_at": START + timedelta(days=day),
        **fields,
    }
    key = hashlib.sha256(repr(sorted((k, str(v)) for k, v in values.items() if k != "at")).encode()).hexdigest()
    return Event(id="ev_" + key[:32], key=key, **values)  # type: ignore[arg-type]


def complaint(reason: Reason = Reason.ABUSE, day: float = 0, **fields: object) -> Event:
    """Return a complaint of Ann's."""
    return event(reason, day, **{"kind": Kind.COMPLAINT, "category": Category.COMPLAINT, **fields})


def delivered(day: float = 0, **fields: object) -> Event:
    """Return a report that mail reached Ann."""
    return event(None, day, **{"kind": Kind.DELIVERED, "category": None, **fields})


@dataclass
class Table:
    """The memory of a ledger: events once each, the journal, and the entries it adds up to."""

    settings: Policy = field(default_factory=Policy)
    signed_paths: bool = False
    events: list[Event] = field(default_factory=list)
    journal: list[Change] = field(default_factory=list)
    entries: dict[tuple[str, str], Suppression] = field(default_factory=dict)
    signs: list[SignOfLife] = field(default_factory=list)
    waves: tuple[Wave, ...] = ()

    def take(self, *batch: Event, day: float | None = None) -> list[Event]:
        """Hand in a batch, on the day of its newest event unless `day` says another; return what was decided."""
        now = max((e.at for e in batch), default=START) if day is None else START + timedelta(days=day)
        known = {e.id for e in self.events}
        new = [e for e in {e.id: e for e in batch}.values() if e.id not in known]
        addresses = {e.address for e in new if e.address}
        histories = {a: self.history(a) for a in addresses}
        events, changes = decide(new, histories, self.settings, now, self.waves, signed_paths=self.signed_paths)
        self.events.extend(events)
        self.write(changes)
        return events

    def look(self, day: float) -> None:
        """Look at Ann again on a day, without anything new of her."""
        now = START + timedelta(days=day)
        self.write(decide((), {ANN: self.history(ANN)}, self.settings, now, self.waves)[1])

    def history(self, address: str) -> History:
        """Return what is known of the address."""
        return History(
            address,
            tuple(e for e in self.events if e.address == address),
            tuple(e for e in self.entries.values() if e.address == address),
            tuple(c for c in self.journal if c.address == address),
            tuple(sign for sign in self.signs if sign.address == address),
        )

    def write(self, changes: Sequence[Change]) -> None:
        """Append to the journal and bring the entries up to date."""
        for change in changes:
            self.journal.append(change)
            key = change.address, change.scope
            if change.move is Move.DISPUTE:
                if key in self.entries:
                    self.entries[key] = replace(self.entries[key], disputed=change.at)
                continue
            self.entries.pop(key, None)
            if change.move is Move.SUPPRESS:
                self.entries[key] = Suppression(
                    address=change.address,
                    scope=change.scope,
                    category=change.category,
                    reason=change.reason,
                    since=change.at,
                    until=change.until,
                    event_id=change.event_id,
                    why=change.why,
                    actor=change.actor,
                )

    def release(self, day: float, scope: str = "*", who: str = "eve") -> None:
        """A person releases Ann."""
        entry = self.entries[ANN, scope]
        at = START + timedelta(days=day)
        self.write([Change(ANN, scope, Move.RELEASE, at, entry.category, entry.reason, "asked by phone", actor=who)])

    def state(self, day: float = 1000) -> set[tuple[str, str, str, str, datetime | None]]:
        """Return what the table says, without when and why."""
        now = START + timedelta(days=day)
        return {(e.address, e.scope, e.category, e.reason, e.until) for e in self.entries.values() if e.holds(now)}

    def says(self, day: float = 0) -> dict[str, str]:
        """Return the reason that Ann is suppressed for by scope, on that day."""
        now = START + timedelta(days=day)
        return {e.scope: e.reason for e in self.entries.values() if e.address == ANN and e.holds(now)}

    def until(self, scope: str = "*") -> datetime | None:
        """Return when Ann's suppression ends."""
        return self.entries[ANN, scope].until

    def read_late(self, event: Event, day: float) -> Event:
        """Return the event as if it had been read on another day than it was reported."""
        return replace(event, at=START + timedelta(days=day))
