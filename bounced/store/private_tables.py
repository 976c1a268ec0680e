"""Tables of what is kept of people beside the events: reports, who had to be forgotten, the form of addresses."""

from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, Integer, LargeBinary, Table

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

#: One row where hashes stand for all addresses, or are about to; `key_check` tells whether a key is the right one.
address_form = Table(
    "address_form",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("form", Words(NAME), nullable=False),
    Column("key_check", Words(NAME), nullable=False),
    Column("since", Instant, nullable=False),
)
