"""The tables of what is watched beside single addresses: signs of life, counts, waves and their members, alarms."""

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Identity, Index, Integer, Table

from bounced.store.columns import Instant, Words
from bounced.store.tables import ADDRESS, LINE, NAME, PROSE, _Number, _where, metadata

UNSETTLED = "state IN ('open', 'asking')"
RAISED = "cleared_at IS NULL"

#: The newest sign of each kind: it says all that the earlier ones did.
sign_of_life = Table(
    "sign_of_life",
    metadata,
    Column("address", Words(ADDRESS), primary_key=True),
    Column("kind", Words(NAME), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("source", Words(LINE), nullable=False),
    sqlite_with_rowid=False,
)

#: Addresses refused by provider, reason and quarter of an hour (since 1970, UTC), each once an hour.
tally = Table(
    "report_tally",
    metadata,
    Column("reason", Words(NAME), primary_key=True),
    Column("provider", Words(ADDRESS), primary_key=True),
    Column("quarter", BigInteger, primary_key=True, autoincrement=False),
    Column("amount", Integer, nullable=False),
    Index(None, "quarter"),
    sqlite_with_rowid=False,
)

wave = Table(
    "wave",
    metadata,
    Column("id", _Number, Identity(), primary_key=True),
    Column("provider", Words(ADDRESS), nullable=False),
    Column("reason", Words(NAME), nullable=False),
    Column("state", Words(NAME), nullable=False),
    Column("since", Instant, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("high_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("hours", Double, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("ceiling", Double, nullable=False),
    Column("breadth", Double, nullable=False),
    Column("why", Words(PROSE), nullable=False),
    Column("actor", Words(LINE), nullable=False),
    Index("ix_wave_unsettled", "id", **_where(UNSETTLED)),
    sqlite_autoincrement=True,  # the journal names waves by their number
)

member = Table(
    "wave_member",
    metadata,
    Column("wave", _Number, ForeignKey(wave.c.id), primary_key=True, autoincrement=False),
    Column("address", Words(ADDRESS), primary_key=True),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("event_id", Words(NAME), nullable=False),
    Index(None, "address"),
    sqlite_with_rowid=False,
)

alarm = Table(
    "alarm",
    metadata,
    Column("id", _Number, Identity(), primary_key=True),
    Column("provider", Words(ADDRESS), nullable=False),
    Column("reason", Words(NAME), nullable=False),
    Column("fault", Words(NAME), nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("high_at", Instant, nullable=False),
    Column("cleared_at", Instant),
    Column("hours", Double, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("ceiling", Double, nullable=False),
    Index("ix_alarm_raised", "id", **_where(RAISED)),
    sqlite_autoincrement=True,
)
