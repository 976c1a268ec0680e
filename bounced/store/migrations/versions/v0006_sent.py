"""Records of mails sent, and what the marks in short tokens stand for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0006"
down_revision = "0005"

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")

metadata = sa.MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"})

sa.Table(
    "sent",
    metadata,
    sa.Column("id", _WORDS, primary_key=True),
    sa.Column("recipient", _WORDS, nullable=False),
    sa.Column("message_id", _WORDS),
    sa.Column("campaign", _WORDS),
    sa.Column("list", _WORDS),
    sa.Column("stream", _WORDS),
    sa.Column("categories", sa.Text, nullable=False),
    sa.Column("at", _INSTANT, nullable=False),
    sa.Column("return_path", _WORDS),
    sa.Index(None, "message_id", "recipient"),
    sa.Index(None, "at"),
    sqlite_with_rowid=False,
)

sa.Table(
    "tag_mark",
    metadata,
    sa.Column("mark", _WORDS, primary_key=True),
    sa.Column("campaign", _WORDS),
    sa.Column("list", _WORDS),
    sa.Column("stream", _WORDS),
    sa.Column("categories", sa.Text, nullable=False),
    sa.Column("at", _INSTANT, nullable=False),
    sa.Index(None, "at"),
    sqlite_with_rowid=False,
)


def upgrade() -> None:
    """Make the tables."""
    metadata.create_all(op.get_bind(), checkfirst=False)
