"""Tables of what is kept of people beside the events: the reports themselves, and who had to be forgotten."""

from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, LargeBinary, Table

from bounced.store.columns import Instant, Words
from bounced.store.tables import LINE, NAME, PROSE, _Number, metadata

#: The reports, by the digest that their events bear.
raw_evidence = Table(
    "raw_evidence",
    metadata,
    Column("digest", Words(NAME), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("received", Instant),
    Column("size", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("cut", Boolean, nullable=False),
    Index(None, "at", "digest"),
)

#: One row for each erasure of a person, without the person. While one is not done, and only then, the journal lets
#: address and words of a line be changed; it is done in the same transaction.
erasure = Table(
    "erasure",
    metadata,
    Column("seq", _Number, Identity(), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", Words(LINE), nullable=False),
    Column("why", Words(PROSE), nullable=False),
    Column("done_at", Instant),
)
