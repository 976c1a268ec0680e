"""The canary: what was sent and came back, and its alarms."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0007"
down_revision = "0006"

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")

metadata = sa.MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"})


def _where(words: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(words), "postgresql_where": sa.text(words)}


sa.Table(
    "canary",
    metadata,
    sa.Column("token", _WORDS, primary_key=True),
    sa.Column("recipient", _WORDS, nullable=False),
    sa.Column("sent_at", _INSTANT, nullable=False),
    sa.Column("due_at", _INSTANT, nullable=False),
    sa.Column("problem", _WORDS),
    sa.Column("returned_at", _INSTANT),
    sa.Column("said", _WORDS),
    sa.Index(None, "sent_at"),
    sqlite_with_rowid=False,
)

sa.Table(
    "canary_alarm",
    metadata,
    sa.Column("id", _NUMBER, sa.Identity(), primary_key=True),
    sa.Column("raised_at", _INSTANT, nullable=False),
    sa.Column("cleared_at", _INSTANT),
    sa.Column("recipient", _WORDS, nullable=False),
    sa.Column("why", _WORDS, nullable=False),
    sa.Index("ix_canary_alarm_raised", "id", **_where("cleared_at IS NULL")),
    sqlite_autoincrement=True,
)


def upgrade() -> None:
    """Make the tables."""
    metadata.create_all(op.get_bind(), checkfirst=False)
