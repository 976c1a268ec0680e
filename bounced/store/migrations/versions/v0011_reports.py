"""Figures for reports, counted bit by bit, and how many mails were sent."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

metadata = sa.MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"})

sa.Table(
    "report_combination",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("family", sa.Integer, nullable=False),
    sa.Column("figure", _WORDS, nullable=False),
    sa.Column("campaign", _WORDS),
    sa.Column("list", _WORDS),
    sa.Column("provider", _WORDS),
    sa.Column("domain", _WORDS),
    sa.Column("reason", _WORDS),
    sa.Column("fault", _WORDS),
    sa.Column("rule", _WORDS),
    sa.Column("mailbox", _WORDS),
    sa.Column("categories", sa.Text),
    sa.Column("first_slot", sa.BigInteger, nullable=False),
    sa.Column("last_slot", sa.BigInteger, nullable=False),
)

for _name, _time in (("report_slot", "slot"), ("report_day", "day")):
    sa.Table(
        _name,
        metadata,
        sa.Column("family", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column(_time, sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("combination", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )

sa.Table(
    "report_mark",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("slot", sa.BigInteger, nullable=False),
    sa.Column("line", sa.BigInteger, nullable=False),
)

sa.Table(
    "sent_count",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("source", _WORDS, nullable=False),
    sa.Column("day", sa.Date, nullable=False, index=True),
    sa.Column("campaign", _WORDS),
    sa.Column("list", _WORDS),
    sa.Column("category", _WORDS),
    sa.Column("provider", _WORDS),
    sa.Column("amount", sa.BigInteger, nullable=False),
)

sa.Table(
    "sent_mark",
    metadata,
    sa.Column("mark", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, nullable=False, index=True),
)


def upgrade() -> None:
    """Make the tables."""
    metadata.create_all(op.get_bind(), checkfirst=False)
