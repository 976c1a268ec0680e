"""The first tables: events, suppressions, message ledger, mailboxes, outbox; the view for other programs."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0001"
down_revision = None

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_JSON = sa.Text()
_INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _where(words: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(words), "postgresql_where": sa.text(words)}


event = sa.Table(
    "event",
    metadata,
    sa.Column("id", _WORDS, primary_key=True),
    sa.Column("key", _WORDS, nullable=False, unique=True),
    sa.Column("at", _INSTANT, nullable=False),
    sa.Column("kind", _WORDS, nullable=False),
    sa.Column("category", _WORDS),
    sa.Column("reason", _WORDS),
    sa.Column("fault", _WORDS, nullable=False),
    sa.Column("trust", _WORDS, nullable=False),
    sa.Column("address", _WORDS),
    sa.Column("mailbox", _WORDS, nullable=False),
    sa.Column("folder", _WORDS, nullable=False),
    sa.Column("uidvalidity", sa.BigInteger, nullable=False),
    sa.Column("uid", sa.BigInteger, nullable=False),
    sa.Column("digest", _WORDS, nullable=False),
    sa.Column("reader", _WORDS, nullable=False),
    sa.Column("rule", _WORDS, nullable=False),
    sa.Column("reported_at", _INSTANT),
    sa.Column("final_recipient", _WORDS),
    sa.Column("provider", _WORDS),
    sa.Column("status", _WORDS),
    sa.Column("reply_code", _WORDS),
    sa.Column("action", _WORDS),
    sa.Column("diagnostic", _WORDS),
    sa.Column("reporting_mta", _WORDS),
    sa.Column("remote_mta", _WORDS),
    sa.Column("feedback_type", _WORDS),
    sa.Column("subtype", _WORDS),
    sa.Column("message_id", _WORDS),
    sa.Column("subject", _WORDS),
    sa.Column("campaign", _WORDS),
    sa.Column("list", _WORDS),
    sa.Column("categories", _JSON, nullable=False),
    sa.Column("stream", _WORDS),
    sa.Column("matched", _WORDS),
    sa.Column("basis", _JSON, nullable=False),
    sa.Column("disagreed", _JSON, nullable=False),
    sa.Column("identified_by", _WORDS, nullable=False),
    sa.Column("trust_why", _WORDS, nullable=False),
    sa.Column("decision", _WORDS, nullable=False),
    sa.Index(None, "at"),
    sa.Index(None, "address", "at", **_where("address IS NOT NULL")),
    sa.Index("ix_event_counting", "address", "at", **_where("category IS NOT NULL OR kind = 'delivered'")),
    sa.Index(None, "campaign", "at", **_where("campaign IS NOT NULL")),
    sa.Index(None, "list", "at", **_where("list IS NOT NULL")),
    sa.Index(None, "provider", "at", **_where("provider IS NOT NULL")),
    sa.Index(None, "reason", "at", **_where("reason IS NOT NULL")),
)

journal = sa.Table(
    "suppression_journal",
    metadata,
    sa.Column("seq", _NUMBER, sa.Identity(), primary_key=True),
    sa.Column("address", _WORDS, nullable=False),
    sa.Column("scope", _WORDS, nullable=False),
    sa.Column("move", _WORDS, nullable=False),
    sa.Column("at", _INSTANT, nullable=False),
    sa.Column("category", _WORDS, nullable=False),
    sa.Column("reason", _WORDS, nullable=False),
    sa.Column("why", _WORDS, nullable=False),
    sa.Column("until", _INSTANT),
    sa.Column("event_id", _WORDS),
    sa.Column("actor", _WORDS, nullable=False),
    sa.Index(None, "address", "seq"),
    sa.Index(None, "at"),
)

suppression = sa.Table(
    "suppression",
    metadata,
    sa.Column("address", _WORDS, primary_key=True),
    sa.Column("scope", _WORDS, primary_key=True),
    sa.Column("category", _WORDS, nullable=False),
    sa.Column("reason", _WORDS, nullable=False),
    sa.Column("since", _INSTANT, nullable=False),
    sa.Column("until", _INSTANT),
    sa.Column("event_id", _WORDS),
    sa.Column("why", _WORDS, nullable=False),
    sa.Column("actor", _WORDS, nullable=False),
    sa.Index(None, "until", **_where("until IS NOT NULL")),
    sqlite_with_rowid=False,
)

suppression_count = sa.Table(
    "suppression_count",
    metadata,
    sa.Column("category", _WORDS, primary_key=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
)

message = sa.Table(
    "message",
    metadata,
    sa.Column("mailbox", _WORDS, primary_key=True),
    sa.Column("folder", _WORDS, primary_key=True),
    sa.Column("uidvalidity", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("uid", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("digest", _WORDS, nullable=False),
    sa.Column("disposition", _WORDS, nullable=False),
    sa.Column("detail", _WORDS, nullable=False),
    sa.Column("strikes", sa.Integer, nullable=False),
    sa.Column("last_error", _WORDS),
    sa.Column("at", _INSTANT, nullable=False),
    sa.Column("acked_at", _INSTANT),
    sa.Index(None, "digest"),
    sa.Index(None, "at"),
    sa.Index(
        "ix_message_to_ack",
        "mailbox",
        "folder",
        "uidvalidity",
        **_where("acked_at IS NULL AND disposition NOT IN ('left', 'retry')"),
    ),
    sa.Index("ix_message_to_retry", "mailbox", "folder", "uidvalidity", **_where("disposition = 'retry'")),
    sqlite_with_rowid=False,
)

position = sa.Table(
    "mailbox_position",
    metadata,
    sa.Column("mailbox", _WORDS, primary_key=True),
    sa.Column("folder", _WORDS, primary_key=True),
    sa.Column("uidvalidity", sa.BigInteger, nullable=False),
    sa.Column("next_uid", sa.BigInteger, nullable=False),
)

lease = sa.Table(
    "mailbox_lease",
    metadata,
    sa.Column("mailbox", _WORDS, primary_key=True),
    sa.Column("owner", _WORDS, nullable=False),
    sa.Column("until", _INSTANT, nullable=False),
)

notification = sa.Table(
    "notification",
    metadata,
    sa.Column("id", _WORDS, primary_key=True),
    sa.Column("type", _WORDS, nullable=False),
    sa.Column("at", _INSTANT, nullable=False),
    sa.Column("data", _JSON, nullable=False),
    sa.Index(None, "at"),
)

delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("id", _NUMBER, sa.Identity(), primary_key=True),
    sa.Column("notification_id", _WORDS, sa.ForeignKey(notification.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("endpoint", _WORDS, nullable=False),
    sa.Column("at", _INSTANT, nullable=False),
    sa.Column("state", _WORDS, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", _INSTANT, nullable=False),
    sa.Column("last_error", _WORDS),
    sa.UniqueConstraint("notification_id", "endpoint"),
    sa.Index("ix_delivery_due", "endpoint", "next_at", **_where("state = 'open'")),
    sa.Index("ix_delivery_open", "at", **_where("state = 'open'")),
    sa.Index("ix_delivery_dead", "id", **_where("state = 'dead'")),
    sqlite_autoincrement=True,
)

attempt = sa.Table(
    "attempt",
    metadata,
    sa.Column("id", _NUMBER, sa.Identity(), primary_key=True),
    sa.Column("delivery_id", _NUMBER, sa.ForeignKey(delivery.c.id, ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("at", _INSTANT, nullable=False),
    sa.Column("duration_ms", sa.Integer, nullable=False),
    sa.Column("state", _WORDS, nullable=False),
    sa.Column("next_at", _INSTANT),
    sa.Column("status_code", sa.Integer),
    sa.Column("error", _WORDS),
    sa.Column("response", _WORDS),
)

_SQLITE = (
    """CREATE TRIGGER suppression_journal_stays BEFORE UPDATE ON suppression_journal
    BEGIN SELECT RAISE(ABORT, 'the suppression journal is append-only'); END""",
    """CREATE TRIGGER suppression_journal_keeps BEFORE DELETE ON suppression_journal
    BEGIN SELECT RAISE(ABORT, 'the suppression journal is append-only'); END""",
    """CREATE TRIGGER suppression_journal_grows BEFORE INSERT ON suppression_journal
    WHEN EXISTS (SELECT 1 FROM suppression_journal WHERE seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'the suppression journal is append-only'); END""",
    """CREATE VIEW suppressed_v1 AS
    SELECT address, scope, category, reason,
      datetime(since / 1000000, 'unixepoch') AS since, datetime(until / 1000000, 'unixepoch') AS until
    FROM suppression WHERE until IS NULL OR until > CAST(strftime('%s', 'now') AS INTEGER) * 1000000""",
    "CREATE VIEW suppressed AS SELECT address, scope, category, reason, since, until FROM suppressed_v1",
)

_POSTGRESQL = (
    """CREATE FUNCTION suppression_journal_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the suppression journal is append-only'; END $$""",
    """CREATE TRIGGER suppression_journal_stays BEFORE UPDATE OR DELETE ON suppression_journal
    FOR EACH ROW EXECUTE FUNCTION suppression_journal_stays()""",
    """CREATE TRIGGER suppression_journal_keeps BEFORE TRUNCATE ON suppression_journal
    FOR EACH STATEMENT EXECUTE FUNCTION suppression_journal_stays()""",
    """CREATE VIEW suppressed_v1 AS SELECT address, scope, category, reason, since, until
    FROM suppression WHERE until IS NULL OR until > statement_timestamp()""",
    "CREATE VIEW suppressed AS SELECT address, scope, category, reason, since, until FROM suppressed_v1",
)


def upgrade() -> None:
    """Make everything."""
    connection = op.get_bind()
    metadata.create_all(connection, checkfirst=False)
    for statement in _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE:
        op.execute(sa.text(statement.replace(":", "\\:")))
