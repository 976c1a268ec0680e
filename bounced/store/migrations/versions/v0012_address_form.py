"""In which form addresses are kept; and while names go from the journal, the names of events may go with them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0012"
down_revision = "0011"

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")

#: What no door opens: number, scope, move, time, cause, end and actor of a line.
_FIXED = ("seq", "scope", "move", "at", "category", "reason", "until", "actor")
_DOOR = "EXISTS (SELECT 1 FROM erasure WHERE done_at IS NULL)"

_SQLITE = (
    "DROP TRIGGER suppression_journal_stays",
    f"""CREATE TRIGGER suppression_journal_stays BEFORE UPDATE ON suppression_journal
    WHEN NOT {_DOOR} OR {" OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in _FIXED)}
    BEGIN SELECT RAISE(ABORT, 'the suppression journal is append-only'); END""",
)
_POSTGRESQL = (
    f"""CREATE OR REPLACE FUNCTION suppression_journal_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' THEN
        IF {_DOOR} AND ({", ".join(f"NEW.{name}" for name in _FIXED)})
          IS NOT DISTINCT FROM ({", ".join(f"OLD.{name}" for name in _FIXED)}) THEN
          RETURN NEW;
        END IF;
      END IF;
      RAISE EXCEPTION 'the suppression journal is append-only';
    END $$""",
)


def upgrade() -> None:
    """Make the table, and the trigger anew."""
    op.create_table(
        "address_form",
        sa.Column("one", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("form", _WORDS, nullable=False),
        sa.Column("key_check", _WORDS, nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("one", name="pk_address_form"),
    )
    connection = op.get_bind()
    for statement in _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE:
        op.execute(sa.text(statement))
