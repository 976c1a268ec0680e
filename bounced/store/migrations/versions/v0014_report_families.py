"""In which families the figures for reports were counted."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column; what was counted so far was counted in these."""
    words = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.add_column("report_mark", sa.Column("families", words))
    op.execute("UPDATE report_mark SET families = 'c7fa9149479e79b432a362597e513ab5'")
