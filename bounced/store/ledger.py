"""The transaction in which a batch takes effect: events, journal, outbox and message ledger, all or nothing.

Every method costs the same few statements for one row and for a thousand.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, literal_column, select

from bounced.model import Change, DeliveryState, Disposition, Event, History, Notification, Outcome, Place, Suppression
from bounced.store import rows
from bounced.store.bulk import Writer
from bounced.store.canaries import Aviary
from bounced.store.columns import among, clean
from bounced.store.evidence import Testimony
from bounced.store.histories import histories_of
from bounced.store.pseudonyms import Pseudonyms, Seal
from bounced.store.raw import Keeping
from bounced.store.rollups import recorded
from bounced.store.sent import Recall
from bounced.store.state import Key, add_up
from bounced.store.statements import Upsert, at_places, kept_if, many, taking_place, upserting
from bounced.store.tables import (
    LINE,
    delivery,
    event,
    journal,
    message,
    notification,
    suppression,
    suppression_count,
)
from bounced.store.waves import Watching


class Batch(Keeping, Testimony, Watching, Recall, Aviary):
    """One open transaction of the ledger; `pipeline.Transaction` says what each method promises."""

    def __init__(
        self, connection: Connection, webhooks: Mapping[str, tuple[str, ...]], seal: Seal | None = None
    ) -> None:
        self._connection = connection
        self._webhooks = webhooks
        self._seal = seal

    def known(self, messages: Sequence[tuple[Place, str]]) -> Mapping[Place, Disposition]:
        """Return what became of those messages that were settled before, by place or by digest.

        What a person put back that was set aside unread is new: rules, limits or keys may have changed since.
        """
        settled = message.c.disposition != Disposition.RETRY
        told = message.c.disposition.not_in((Disposition.QUARANTINE, Disposition.BACKSCATTER))
        by_digest = dict(
            self._connection.execute(
                select(message.c.digest, message.c.disposition)
                .where(self._among(message.c.digest, {digest for _, digest in messages}), settled, told)
                .order_by(message.c.at)
            ).all()
        )
        by_place = {
            rows.to_place(row._mapping): row.disposition
            for these in at_places(self._connection.dialect, message, [place for place, _ in messages])
            for row in self._connection.execute(select(message).where(these, settled))
        }
        found = {place: by_place.get(rows.cleaned(place)) or by_digest.get(digest) for place, digest in messages}
        return {place: Disposition(disposition) for place, disposition in found.items() if disposition}

    def fresh(self, events: Sequence[Event]) -> list[Event]:
        """Return the events whose key is not recorded yet, each key once, in order; as they are to be recorded.

        Where no addresses are kept they bear none from here on.
        """
        events = [self._seal.event(each) for each in events] if self._seal else events
        first: dict[str, Event] = {}
        for each in events:
            first.setdefault(clean(each.key, LINE), each)
        recorded = set(self._connection.scalars(select(event.c.key).where(self._among(event.c.key, first))))
        return [each for key, each in first.items() if key not in recorded]

    def histories(self, addresses: Sequence[str], now: datetime) -> Mapping[str, History]:
        """Return what is known of each address; an address never heard of has an empty history."""
        return histories_of(self._connection, addresses, now, self._seal)

    def record(self, events: Sequence[Event]) -> None:
        """Insert events that `fresh` returned."""
        events = [self._seal.event(each) for each in events] if self._seal else events
        _EVENTS.write(self._connection, map(rows.of_event, events))
        recorded(self._connection, events, datetime.now(UTC))

    def journal(self, changes: Sequence[Change]) -> None:
        """Append to the suppression journal and bring its state up to date.

        An expiry that was overtaken, by another daemon's or by a new reason to suppress, is left out.
        """
        if not changes:
            return
        changes = [self._seal.change(each) for each in changes] if self._seal else changes
        before = self._entries({change.address for change in changes})
        after, lines = add_up(before, changes)
        _LINES.write(self._connection, map(rows.of_change, lines))
        gone = ({"gone": key[0], "there": key[1]} for key, entry in after.items() if entry is None and key in before)
        these = and_(suppression.c.address == bindparam("gone"), suppression.c.scope == bindparam("there"))
        many(self._connection, delete(suppression).where(these), gone)
        _ENTRIES.write(self._connection, (rows.of_suppression(entry) for entry in after.values() if entry))
        self._count(before, after)

    def announce(self, notifications: Sequence[Notification]) -> None:
        """Write outbox rows and one delivery for each endpoint that wants the type.

        A notification whose id is known already changes nothing.
        """
        sealed = map(self._sealed, reversed(notifications))
        first = {clean(n.id, LINE): n for n in sealed}
        told = set(self._connection.scalars(select(notification.c.id).where(self._among(notification.c.id, first))))
        new = [first[key] for key in reversed(first) if key not in told]
        texts = ({"id": n.id, "type": n.type, "at": n.at, "data": n.data} for n in new)
        _NOTIFICATIONS.write(self._connection, texts)
        deliveries = (
            {"notification_id": n.id, "endpoint": name, "state": DeliveryState.OPEN, "attempts": 0}
            | {"at": n.at, "next_at": n.at}
            for n in new
            for name, types in self._webhooks.items()
            if wanted(n.type, types)
        )
        _DELIVERIES.write(self._connection, deliveries)

    def settle(self, outcomes: Sequence[tuple[Outcome, str]]) -> None:
        """Write outcome and digest of each message to the message ledger, not yet acked.

        What was settled keeps its disposition: another daemon may have come to an end with it meanwhile.
        """
        now = datetime.now(UTC)
        written = [
            rows.of_place(outcome.place)
            | {"digest": digest, "disposition": outcome.disposition, "detail": self._words(outcome.detail)}
            | {"strikes": 0, "last_error": None, "at": now, "acked_at": None}
            for outcome, digest in {outcome.place: (outcome, digest) for outcome, digest in outcomes}.values()
        ]
        _MESSAGES.write(self._connection, written)

    def strike(self, place: Place, digest: str, why: str, now: datetime) -> int:
        """Store one more strike against a message and return how many it has."""
        why = self._words(why)
        row = rows.of_place(place) | {"digest": digest, "disposition": Disposition.RETRY, "detail": why}
        once = upserting(self._connection, message).values(row | {"strikes": 1, "last_error": why, "at": now})
        again = once.on_conflict_do_update(
            index_elements=list(message.primary_key),
            set_={"strikes": message.c.strikes + 1, "last_error": why, "digest": digest},
        )
        strikes: int = self._connection.execute(again.returning(message.c.strikes)).scalar_one()
        return strikes

    def _sealed(self, news: Notification) -> Notification:
        """Return the notification as it may be kept; the id follows from the address, if its data has one."""
        if self._seal is None:
            return news
        names = "@" in str(news.data.get("address") or "")
        id_ = self._seal.notification_id(news.id) if names else news.id
        return Notification(id_, news.type, news.at, self._seal.data(news.data))

    def _words(self, words: str) -> str:
        return self._seal.text(words) if self._seal else words

    def _among(self, column: ColumnElement[Any], values: Collection[str]) -> ColumnElement[bool]:
        return among(self._connection.dialect, column, values)

    def _count(self, before: Mapping[Key, Suppression], after: Mapping[Key, Suppression | None]) -> None:
        """Bring the numbers of entries up to date."""
        more = Counter(entry.category for entry in after.values() if entry)
        more.subtract(before[key].category for key in after if key in before)
        add = upserting(self._connection, suppression_count)
        sum_ = suppression_count.c.amount + add.excluded.amount
        add = add.on_conflict_do_update(index_elements=[suppression_count.c.category], set_={"amount": sum_})
        many(self._connection, add, ({"category": name, "amount": n} for name, n in sorted(more.items()) if n))

    def _entries(self, addresses: Collection[str]) -> dict[Key, Suppression]:
        """Return the present entries of these addresses."""
        found = self._connection.execute(select(suppression).where(self._among(suppression.c.address, addresses)))
        return {(entry.address, entry.scope): entry for entry in map(rows.to_suppression, found)}


def _settled(once: Upsert) -> Upsert:
    """Let what was settled keep its disposition, and what had strikes its last error."""
    settled = message.c.disposition != literal_column("'retry'")
    kept = {n: kept_if(settled, message.c[n], once.excluded[n]) for n in ("disposition", "detail", "at")}
    taken = {"acked_at": once.excluded.acked_at, "digest": once.excluded.digest} | kept
    return once.on_conflict_do_update(index_elements=list(message.primary_key), set_=taken)


_EVENTS, _NOTIFICATIONS = Writer(event), Writer(notification)
_LINES = Writer(journal, [column.name for column in journal.c if column.name != "seq"])
_ENTRIES = Writer(suppression, conflict=taking_place)
_DELIVERIES = Writer(delivery, ("notification_id", "endpoint", "at", "state", "attempts", "next_at"))
_MESSAGES = Writer(message, conflict=_settled)


def wanted(type_: str, types: Collection[str]) -> bool:
    """Return whether an endpoint that wants `types` wants this one: `*`, `bounce.*`, or the type itself."""
    family = type_.partition(".")[0]
    return not {"*", f"{family}.*", type_}.isdisjoint(types)


class LedgerOf(Pseudonyms):
    """Lends transactions of the ledger, and shows what a batch would find."""

    webhooks: Mapping[str, tuple[str, ...]]

    @contextmanager
    def begin(self) -> Iterator[Batch]:
        """Begin a transaction that no other writer of the ledger overlaps, on any host. Raises StoreDown."""
        with self._write(alone=True) as connection:
            yield Batch(connection, self.webhooks, self.seal)

    def histories(self, addresses: Sequence[str], now: datetime) -> Mapping[str, History]:
        """Return what a transaction's `histories` would, for those who only look: no writer waits for it."""
        with self._read() as connection:
            return histories_of(connection, addresses, now, self.seal)
