"""The tables. Their rows are described where the nouns are; how they came to be is in `migrations`."""

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Integer, MetaData, Table, UniqueConstraint, text

from bounced.store.columns import Instant, Json, Words

#: Longest texts kept. What is indexed stays below PostgreSQL's 2,704 octets for an index entry.
NAME, ADDRESS, LINE, PROSE = 64, 320, 500, 4_000

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: SQLite numbers rows by itself only where the key is its INTEGER.
_Number = BigInteger().with_variant(Integer, "sqlite")

#: What may still bear on a decision about an address: failures, complaints, and proof of delivery.
COUNTS = "category IS NOT NULL OR kind = 'delivered'"
#: What a settled message still waits for. The same words in index and query, or SQLite does not see that it fits.
TO_ACK = "acked_at IS NULL AND disposition NOT IN ('left', 'retry')"
TO_RETRY = "disposition = 'retry'"
OPEN = "state = 'open'"
DEAD = "state = 'dead'"


def _where(words: str) -> dict[str, Any]:
    return {"sqlite_where": text(words), "postgresql_where": text(words)}


event = Table(
    "event",
    metadata,
    Column("id", Words(NAME), primary_key=True),
    Column("key", Words(LINE), nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("kind", Words(NAME), nullable=False),
    Column("category", Words(NAME)),
    Column("reason", Words(NAME)),
    Column("fault", Words(NAME), nullable=False),
    Column("trust", Words(NAME), nullable=False),
    Column("address", Words(ADDRESS)),
    Column("mailbox", Words(NAME), nullable=False),
    Column("folder", Words(LINE), nullable=False),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("digest", Words(NAME), nullable=False),
    Column("reader", Words(NAME), nullable=False),
    Column("rule", Words(LINE), nullable=False),
    Column("reported_at", Instant),
    Column("final_recipient", Words(ADDRESS)),
    Column("provider", Words(NAME)),
    Column("status", Words(NAME)),
    Column("reply_code", Words(NAME)),
    Column("action", Words(NAME)),
    Column("diagnostic", Words(PROSE)),
    Column("reporting_mta", Words(LINE)),
    Column("remote_mta", Words(LINE)),
    Column("feedback_type", Words(NAME)),
    Column("subtype", Words(NAME)),
    Column("message_id", Words(LINE)),
    Column("subject", Words(LINE)),
    Column("campaign", Words(LINE)),
    Column("list", Words(LINE)),
    Column("categories", Json, nullable=False),
    Column("stream", Words(LINE)),
    Column("matched", Words(PROSE)),
    Column("basis", Json, nullable=False),
    Column("disagreed", Json, nullable=False),
    Column("identified_by", Words(LINE), nullable=False),
    Column("trust_why", Words(PROSE), nullable=False),
    Column("decision", Words(PROSE), nullable=False),
    Column("superseded_by", Words(NAME)),
    Column("domain", Words(ADDRESS - 1)),
    Index(None, "at"),
    Index(None, "digest"),
    Index(None, "address", "at", **_where("address IS NOT NULL")),
    Index("ix_event_counting", "address", "at", **_where(COUNTS)),
    Index(None, "campaign", "at", **_where("campaign IS NOT NULL")),
    Index(None, "list", "at", **_where("list IS NOT NULL")),
    Index(None, "provider", "at", **_where("provider IS NOT NULL")),
    Index(None, "reason", "at", **_where("reason IS NOT NULL")),
    Index(None, "category", "at", **_where("category IS NOT NULL")),
    Index(None, "domain", "at", **_where("domain IS NOT NULL")),
    Index(None, "fault", "at"),
    Index(None, "kind", "at"),
    Index(None, "mailbox", "at"),
    Index(None, "rule", "at"),
)

#: The sender's categories of each event, one a row; triggers keep it in step with `event.categories`.
event_tag = Table(
    "event_tag",
    metadata,
    Column("tag", Words(LINE), primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("event_id", Words(NAME), primary_key=True),
    sqlite_with_rowid=False,
)

#: Evidence may be erased before the journal that names it: `event_id` is no foreign key.
journal = Table(
    "suppression_journal",
    metadata,
    Column("seq", _Number, Identity(), primary_key=True),
    Column("address", Words(ADDRESS), nullable=False),
    Column("scope", Words(NAME), nullable=False),
    Column("move", Words(NAME), nullable=False),
    Column("at", Instant, nullable=False),
    Column("category", Words(NAME), nullable=False),
    Column("reason", Words(NAME), nullable=False),
    Column("why", Words(PROSE), nullable=False),
    Column("until", Instant),
    Column("event_id", Words(NAME)),
    Column("actor", Words(LINE), nullable=False),
    Column("since", Instant),
    Index(None, "address", "seq"),
    Index(None, "at"),
)

suppression = Table(
    "suppression",
    metadata,
    Column("address", Words(ADDRESS), primary_key=True),
    Column("scope", Words(NAME), primary_key=True),
    Column("category", Words(NAME), nullable=False),
    Column("reason", Words(NAME), nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
    Column("event_id", Words(NAME)),
    Column("why", Words(PROSE), nullable=False),
    Column("actor", Words(LINE), nullable=False),
    Column("disputed", Instant),
    Index(None, "until", **_where("until IS NOT NULL")),
    sqlite_with_rowid=False,
)

#: How many entries there are; counting millions of rows takes seconds.
suppression_count = Table(
    "suppression_count",
    metadata,
    Column("category", Words(NAME), primary_key=True),
    Column("amount", BigInteger, nullable=False),
)

message = Table(
    "message",
    metadata,
    Column("mailbox", Words(NAME), primary_key=True),
    Column("folder", Words(LINE), primary_key=True),
    Column("uidvalidity", BigInteger, primary_key=True, autoincrement=False),
    Column("uid", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", Words(NAME), nullable=False),
    Column("disposition", Words(NAME), nullable=False),
    Column("detail", Words(PROSE), nullable=False),
    Column("strikes", Integer, nullable=False),
    Column("last_error", Words(PROSE)),
    Column("at", Instant, nullable=False),
    Column("acked_at", Instant),
    Index(None, "digest"),
    Index(None, "at"),
    Index("ix_message_to_ack", "mailbox", "folder", "uidvalidity", **_where(TO_ACK)),
    Index("ix_message_to_retry", "mailbox", "folder", "uidvalidity", **_where(TO_RETRY)),
    sqlite_with_rowid=False,
)

position = Table(
    "mailbox_position",
    metadata,
    Column("mailbox", Words(NAME), primary_key=True),
    Column("folder", Words(LINE), primary_key=True),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("next_uid", BigInteger, nullable=False),
)

lease = Table(
    "mailbox_lease",
    metadata,
    Column("mailbox", Words(NAME), primary_key=True),
    Column("owner", Words(LINE), nullable=False),
    Column("until", Instant, nullable=False),
)

notification = Table(
    "notification",
    metadata,
    Column("id", Words(LINE), primary_key=True),
    Column("type", Words(NAME), nullable=False),
    Column("at", Instant, nullable=False),
    Column("data", Json, nullable=False),
    Index(None, "at"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", _Number, Identity(), primary_key=True),
    Column("notification_id", Words(LINE), ForeignKey(notification.c.id, ondelete="CASCADE"), nullable=False),
    Column("endpoint", Words(NAME), nullable=False),
    Column("at", Instant, nullable=False),
    Column("state", Words(NAME), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("last_error", Words(LINE)),
    UniqueConstraint("notification_id", "endpoint"),
    Index("ix_delivery_due", "endpoint", "next_at", **_where(OPEN)),
    Index("ix_delivery_open", "at", **_where(OPEN)),
    Index("ix_delivery_dead", "id", **_where(DEAD)),
    sqlite_autoincrement=True,  # a late report of a worker must not meet another delivery under its number
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", _Number, Identity(), primary_key=True),
    Column("delivery_id", _Number, ForeignKey(delivery.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("state", Words(NAME), nullable=False),
    Column("next_at", Instant),
    Column("status_code", Integer),
    Column("error", Words(LINE)),
    Column("response", Words(LINE)),
)

#: One token of a name is in use at a time; those revoked stay, so that the journal's actors can be told.
token = Table(
    "token",
    metadata,
    Column("id", Words(NAME), primary_key=True),
    Column("name", Words(NAME), nullable=False),
    Column("digest", Words(NAME), nullable=False),
    Column("scopes", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Words(LINE), nullable=False),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
    Index("uq_token_name_in_use", "name", unique=True, **_where("revoked_at IS NULL")),
)
