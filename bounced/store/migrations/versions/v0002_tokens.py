"""Tokens of the HTTP interface."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0002"
down_revision = "0001"

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the table; one token of a name is in use at a time."""
    op.create_table(
        "token",
        sa.Column("id", _WORDS, nullable=False),
        sa.Column("name", _WORDS, nullable=False),
        sa.Column("digest", _WORDS, nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("created_by", _WORDS, nullable=False),
        sa.Column("last_used_at", _INSTANT),
        sa.Column("revoked_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_token"),
    )
    in_use = sa.text("revoked_at IS NULL")
    op.create_index(
        "uq_token_name_in_use", "token", ["name"], unique=True, sqlite_where=in_use, postgresql_where=in_use
    )
