"""The table of the page's sessions: one row a login, its secret as a SHA-256 only."""

from sqlalchemy import Column, ForeignKey, Index, Table

from bounced.store.columns import Instant, Words
from bounced.store.tables import NAME, metadata, token

page_session = Table(
    "page_session",
    metadata,
    Column("digest", Words(NAME), primary_key=True),
    Column("token_id", Words(NAME), ForeignKey(token.c.id, ondelete="CASCADE"), nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Index(None, "began_at"),
    sqlite_with_rowid=False,
)
