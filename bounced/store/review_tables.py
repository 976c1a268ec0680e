"""The table of what persons said about wordings that they were asked to look at, and what is found fast for them."""

from sqlalchemy import Column, Index, Table

from bounced.store.columns import Instant, Words
from bounced.store.tables import LINE, NAME, _where, event, message, metadata

#: What a person should look at. The same words in index and query, or SQLite does not see that it fits.
UNCLEAR = (
    "superseded_by IS NULL AND (reason = 'unknown' OR disagreed <> '[]' OR (rule >= 'reply.' AND rule < 'reply/')"
    " OR (kind = 'bounce' AND address IS NULL)"
    " OR (kind = 'other' AND (subtype IS NULL OR subtype NOT IN ('mdn', 'dmarc', 'not-spam', 'auth-failure'))))"
)
QUARANTINED = "disposition = 'quarantine'"

Index("ix_event_unclear", event.c.at, event.c.id, **_where(UNCLEAR))
Index("ix_message_quarantined", message.c.at, **_where(QUARANTINED))

settled = Table(
    "review_settled",
    metadata,
    Column("key", Words(NAME), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", Words(LINE), nullable=False),
    Column("how", Words(LINE), nullable=False),
    sqlite_with_rowid=False,
)
