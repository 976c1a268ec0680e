"""Words of persons on wordings, and what is found fast for the review queue."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0010"
down_revision = "0009"

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
_UNCLEAR = sa.text(
    "superseded_by IS NULL AND (reason = 'unknown' OR disagreed <> '[]' OR (rule >= 'reply.' AND rule < 'reply/')"
    " OR (kind = 'bounce' AND address IS NULL)"
    " OR (kind = 'other' AND (subtype IS NULL OR subtype NOT IN ('mdn', 'dmarc', 'not-spam', 'auth-failure'))))"
)
_QUARANTINED = sa.text("disposition = 'quarantine'")

metadata = sa.MetaData(naming_convention={"pk": "pk_%(table_name)s"})

sa.Table(
    "review_settled",
    metadata,
    sa.Column("key", _WORDS, primary_key=True),
    sa.Column("at", _INSTANT, nullable=False),
    sa.Column("actor", _WORDS, nullable=False),
    sa.Column("how", _WORDS, nullable=False),
    sqlite_with_rowid=False,
)


def upgrade() -> None:
    """Make the table and the indexes."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    for name, table, columns, where in (
        ("ix_event_unclear", "event", ["at", "id"], _UNCLEAR),
        ("ix_message_quarantined", "message", ["at"], _QUARANTINED),
    ):
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
