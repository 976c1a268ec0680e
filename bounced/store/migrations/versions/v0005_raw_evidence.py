"""Raw evidence, events that supersede others, and the one door in the journal: for a person who must be forgotten."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0005"
down_revision = "0004"

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")

#: What no door opens: number, scope, move, time, cause, end, event and actor of a line.
_FIXED = ("seq", "scope", "move", "at", "category", "reason", "until", "event_id", "actor")
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
    """Make the tables, the column, and the trigger anew."""
    op.create_table(
        "raw_evidence",
        sa.Column("digest", _WORDS, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("received", _INSTANT),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("cut", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_raw_evidence"),
    )
    op.create_index("ix_raw_evidence_at_digest", "raw_evidence", ["at", "digest"])
    op.create_table(
        "erasure",
        sa.Column("seq", _NUMBER, sa.Identity(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("actor", _WORDS, nullable=False),
        sa.Column("why", _WORDS, nullable=False),
        sa.Column("done_at", _INSTANT),
        sa.PrimaryKeyConstraint("seq", name="pk_erasure"),
    )
    op.add_column("event", sa.Column("superseded_by", _WORDS))
    op.create_index("ix_event_digest", "event", ["digest"])
    connection = op.get_bind()
    for statement in _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE:
        op.execute(sa.text(statement))
