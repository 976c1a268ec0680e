"""The tables of mails sent: one row a mail and recipient, and what the marks in short tokens stand for."""

from sqlalchemy import Column, Index, Table

from bounced.store.columns import Instant, Json, Words
from bounced.store.tables import ADDRESS, LINE, NAME, metadata

_TAGS = ("campaign", "list", "stream")

sent = Table(
    "sent",
    metadata,
    Column("id", Words(LINE), primary_key=True),
    Column("recipient", Words(ADDRESS), nullable=False),
    Column("message_id", Words(LINE)),
    *(Column(name, Words(LINE)) for name in _TAGS),
    Column("categories", Json, nullable=False),
    Column("at", Instant, nullable=False),
    Column("return_path", Words(ADDRESS)),
    Index(None, "message_id", "recipient"),
    Index(None, "at"),
    sqlite_with_rowid=False,
)

#: `at` is when the tags were last recorded.
tag_mark = Table(
    "tag_mark",
    metadata,
    Column("mark", Words(NAME), primary_key=True),
    *(Column(name, Words(LINE)) for name in _TAGS),
    Column("categories", Json, nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "at"),
    sqlite_with_rowid=False,
)
