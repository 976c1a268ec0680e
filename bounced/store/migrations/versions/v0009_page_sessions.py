"""Sessions of the web page."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0009"
down_revision = "0008"

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "page_session",
        sa.Column("digest", _WORDS, nullable=False),
        sa.Column("token_id", _WORDS, nullable=False),
        sa.Column("began_at", _INSTANT, nullable=False),
        sa.Column("seen_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_page_session"),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name="fk_page_session_token_id", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_page_session_began_at", "page_session", ["began_at"])
