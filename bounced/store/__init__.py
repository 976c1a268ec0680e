"""Everything that is kept: tables, queries, migrations, on SQLite or PostgreSQL. Alone imports SQLAlchemy."""

from collections.abc import Mapping
from typing import Self

from bounced.config import Database as Settings
from bounced.store.canaries import Canaries
from bounced.store.events import EventQuery, Events, cursor_of
from bounced.store.evidence import SignsOfLife
from bounced.store.hashing import Hashing
from bounced.store.lookup import Lookup
from bounced.store.mailboxes import Mailboxes
from bounced.store.migrate import Migrations
from bounced.store.outbox import DeliveryQuery, Outbox
from bounced.store.privacy import Erased, Erasure, Forgotten, Privacy, Retention
from bounced.store.raw import RawEvidence
from bounced.store.reports import Reports
from bounced.store.review import ReviewQueue
from bounced.store.sent import SentCounts, SentMails
from bounced.store.sent_counts import MAILED_DAYS, Mailed, SentAmounts
from bounced.store.sessions import Login, Sessions
from bounced.store.suppressions import EVERYWHERE, SuppressionQuery, Suppressions, standing
from bounced.store.tokens import Token, Tokens, TokenScope
from bounced.store.transfer import Taken, Terms, Transfers
from bounced.store.undo import Amount, Undo, UndoQuery, Word
from bounced.store.upkeep import Counts, Pruned, Upkeep
from bounced.store.waves import Waves

__all__ = [
    "EVERYWHERE",
    "MAILED_DAYS",
    "Amount",
    "Counts",
    "DeliveryQuery",
    "Erased",
    "Erasure",
    "EventQuery",
    "Forgotten",
    "Login",
    "Mailed",
    "Pruned",
    "Retention",
    "SentCounts",
    "Store",
    "SuppressionQuery",
    "Taken",
    "Terms",
    "Token",
    "TokenScope",
    "UndoQuery",
    "Word",
    "cursor_of",
    "standing",
]


class Store(
    Lookup,
    Undo,
    Suppressions,
    Events,
    Mailboxes,
    Outbox,
    SentMails,
    SentAmounts,
    Tokens,
    Sessions,
    RawEvidence,
    Reports,
    Privacy,
    Migrations,
    Upkeep,
    SignsOfLife,
    Hashing,
    Waves,
    Canaries,
    Transfers,
    ReviewQueue,
):
    """The database of one installation; safe to share between threads. `webhooks` may be exchanged at any time.

    Every method raises StoreDown where the database is unreachable, locked, full or not migrated.
    """

    @classmethod
    def open(cls, settings: Settings, webhooks: Mapping[str, tuple[str, ...]] | None = None) -> Self:
        """Return the store, not connected yet. `webhooks` maps each endpoint to the types it wants.

        Raises ConfigError for a URL that names neither SQLite nor PostgreSQL.
        """
        store = cls(settings)
        store.webhooks = dict(webhooks or {})
        return store
