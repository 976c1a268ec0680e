"""Figures for reports by blocks of 32 days."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the table, and fill it from the sums of days."""
    op.create_table(
        "report_block",
        sa.Column("family", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("block", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("combination", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("family", "block", "combination", name="pk_report_block"),
        sqlite_with_rowid=False,
    )
    op.execute(
        """INSERT INTO report_block (family, block, combination, amount)
        SELECT family, day / 32, combination, sum(amount) FROM report_day GROUP BY 1, 2, 3"""
    )
