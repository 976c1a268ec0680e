"""The tables of the canary: what was sent and came back, and when it was missed."""

from sqlalchemy import Column, Identity, Index, Table

from bounced.store.columns import Instant, Words
from bounced.store.tables import ADDRESS, NAME, PROSE, _Number, _where, metadata

RAISED = "cleared_at IS NULL"

canary = Table(
    "canary",
    metadata,
    Column("token", Words(NAME), primary_key=True),
    Column("recipient", Words(ADDRESS), nullable=False),
    Column("sent_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("problem", Words(PROSE)),
    Column("returned_at", Instant),
    Column("said", Words(PROSE)),
    Index(None, "sent_at"),
    sqlite_with_rowid=False,
)

canary_alarm = Table(
    "canary_alarm",
    metadata,
    Column("id", _Number, Identity(), primary_key=True),
    Column("raised_at", Instant, nullable=False),
    Column("cleared_at", Instant),
    Column("recipient", Words(ADDRESS), nullable=False),
    Column("why", Words(PROSE), nullable=False),
    Index("ix_canary_alarm_raised", "id", **_where(RAISED)),
    sqlite_autoincrement=True,
)
