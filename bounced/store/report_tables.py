"""The tables of reports: what was counted, by combinations of what tells it apart, and how far the counting got."""

from sqlalchemy import BigInteger, Column, Date, Integer, Table, Text

from bounced.store.columns import Words
from bounced.store.tables import LINE, NAME, metadata

_TEXTS = ("campaign", "list", "provider", "domain", "reason", "fault", "rule", "mailbox")

#: What may be counted together, once. `id` follows from the rest; `family` tells which of the columns are told apart.
#: `categories` is the text of a JSON list. Slots are quarters of an hour since 1970 (UTC).
combination = Table(
    "report_combination",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("family", Integer, nullable=False),
    Column("figure", Words(NAME), nullable=False),
    *(Column(name, Words(LINE)) for name in _TEXTS),
    Column("categories", Text),
    Column("first_slot", BigInteger, nullable=False),
    Column("last_slot", BigInteger, nullable=False),
)

#: How often, in each slot; for spans of whole UTC days, in each day since 1970; and in each 32 days since then, for
#: long spans of what has very many combinations.
slot_count = Table(
    "report_slot",
    metadata,
    Column("family", Integer, primary_key=True, autoincrement=False),
    Column("slot", BigInteger, primary_key=True, autoincrement=False),
    Column("combination", BigInteger, primary_key=True, autoincrement=False),
    Column("amount", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
day_count = Table(
    "report_day",
    metadata,
    Column("family", Integer, primary_key=True, autoincrement=False),
    Column("day", BigInteger, primary_key=True, autoincrement=False),
    Column("combination", BigInteger, primary_key=True, autoincrement=False),
    Column("amount", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

block_count = Table(
    "report_block",
    metadata,
    Column("family", Integer, primary_key=True, autoincrement=False),
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("combination", BigInteger, primary_key=True, autoincrement=False),
    Column("amount", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

#: One row: events and messages before the slot are counted, and journal lines up to the number; in which families, by
#: their digest.
mark = Table(
    "report_mark",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("slot", BigInteger, nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("families", Words(NAME)),
)

#: How many mails were sent, as their sender, or its log, tells. `id` follows from all but the amount.
sent_count = Table(
    "sent_count",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("source", Words(NAME), nullable=False),
    Column("day", Date, nullable=False, index=True),
    Column("campaign", Words(LINE)),
    Column("list", Words(LINE)),
    Column("category", Words(LINE)),
    Column("provider", Words(NAME)),
    Column("amount", BigInteger, nullable=False),
)

#: What of a log was counted already, by digests, until the log is surely gone.
sent_mark = Table(
    "sent_mark",
    metadata,
    Column("mark", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Date, nullable=False, index=True),
)
