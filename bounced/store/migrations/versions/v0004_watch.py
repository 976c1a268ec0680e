"""Signs of life, disputed entries, counts of refusals, waves and alarms."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0004"
down_revision = "0003"

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _where(words: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(words), "postgresql_where": sa.text(words)}


sa.Table(
    "sign_of_life",
    metadata,
    sa.Column("address", _WORDS, primary_key=True),
    sa.Column("kind", _WORDS, primary_key=True),
    sa.Column("at", _INSTANT, nullable=False),
    sa.Column("source", _WORDS, nullable=False),
    sqlite_with_rowid=False,
)

sa.Table(
    "report_tally",
    metadata,
    sa.Column("reason", _WORDS, primary_key=True),
    sa.Column("provider", _WORDS, primary_key=True),
    sa.Column("quarter", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("amount", sa.Integer, nullable=False),
    sa.Index(None, "quarter"),
    sqlite_with_rowid=False,
)

wave = sa.Table(
    "wave",
    metadata,
    sa.Column("id", _NUMBER, sa.Identity(), primary_key=True),
    sa.Column("provider", _WORDS, nullable=False),
    sa.Column("reason", _WORDS, nullable=False),
    sa.Column("state", _WORDS, nullable=False),
    sa.Column("since", _INSTANT, nullable=False),
    sa.Column("opened_at", _INSTANT, nullable=False),
    sa.Column("high_at", _INSTANT, nullable=False),
    sa.Column("closed_at", _INSTANT),
    sa.Column("hours", sa.Double, nullable=False),
    sa.Column("amount", sa.Integer, nullable=False),
    sa.Column("ceiling", sa.Double, nullable=False),
    sa.Column("breadth", sa.Double, nullable=False),
    sa.Column("why", _WORDS, nullable=False),
    sa.Column("actor", _WORDS, nullable=False),
    sa.Index("ix_wave_unsettled", "id", **_where("state IN ('open', 'asking')")),
    sqlite_autoincrement=True,
)

sa.Table(
    "wave_member",
    metadata,
    sa.Column("wave", _NUMBER, sa.ForeignKey(wave.c.id), primary_key=True, autoincrement=False),
    sa.Column("address", _WORDS, primary_key=True),
    sa.Column("first_at", _INSTANT, nullable=False),
    sa.Column("last_at", _INSTANT, nullable=False),
    sa.Column("event_id", _WORDS, nullable=False),
    sa.Index(None, "address"),
    sqlite_with_rowid=False,
)

sa.Table(
    "alarm",
    metadata,
    sa.Column("id", _NUMBER, sa.Identity(), primary_key=True),
    sa.Column("provider", _WORDS, nullable=False),
    sa.Column("reason", _WORDS, nullable=False),
    sa.Column("fault", _WORDS, nullable=False),
    sa.Column("raised_at", _INSTANT, nullable=False),
    sa.Column("high_at", _INSTANT, nullable=False),
    sa.Column("cleared_at", _INSTANT),
    sa.Column("hours", sa.Double, nullable=False),
    sa.Column("amount", sa.Integer, nullable=False),
    sa.Column("ceiling", sa.Double, nullable=False),
    sa.Index("ix_alarm_raised", "id", **_where("cleared_at IS NULL")),
    sqlite_autoincrement=True,
)


def upgrade() -> None:
    """Make the tables; an entry may be disputed."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    op.add_column("suppression", sa.Column("disputed", _INSTANT))
