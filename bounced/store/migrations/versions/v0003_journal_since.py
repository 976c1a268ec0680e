"""Since when an address was out of use, where a journal line says so: imported entries are older than their line."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0003"
down_revision = "0002"

_INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Add the column."""
    op.add_column("suppression_journal", sa.Column("since", _INSTANT))
