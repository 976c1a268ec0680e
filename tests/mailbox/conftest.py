"""A ledger for the mailbox stage, and the loop that the daemon drives it with."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bounced.config import Database
from bounced.mailbox import Batch, Source, open_mailbox
from bounced.model import Disposition, Outcome, RawMessage
from bounced.store import Store
from tests.servers.dovecot import Dovecot

Judge = Callable[[RawMessage], Disposition]

REPORT = b"From: mailer-daemon@example.net\r\nSubject: Undelivered\r\n\r\nno such user\r\n"
LETTER = b"From: ann@example.net\r\nSubject: A letter\r\n\r\nDear list, how are you?\r\n"


def by_subject(raw: RawMessage) -> Disposition:
    """Judge as the tests need it: the subject says what it is."""
    for word, disposition in (
        (b"A letter", Disposition.LEFT),
        (b"Odd", Disposition.REVIEW),
        (b"Broken", Disposition.QUARANTINE),
        (b"Poison", Disposition.RETRY),
    ):
        if b"Subject: " + word in raw.content:
            return disposition
    return Disposition.PROCESSED


def mail(n: int, subject: str = "Undelivered") -> bytes:
    """Return a mail that differs from every other."""
    return f"From: mailer-daemon@example.net\r\nSubject: {subject}\r\n\r\nmail {n}\r\n".encode()


@dataclass
class Desk:
    """Commits batches to a real ledger and acks them, as the daemon does; `seen` holds what came by."""

    store: Store
    judge: Judge = by_subject
    seen: list[RawMessage] = field(default_factory=list)

    def commit(self, batch: Batch) -> list[Outcome]:
        """Settle every message in one transaction."""
        outcomes = [Outcome(raw.place, self.judge(raw)) for raw in batch.messages]
        with self.store.begin() as tx:
            for raw, outcome in zip(batch.messages, outcomes, strict=True):
                if outcome.disposition is Disposition.RETRY:
                    tx.strike(raw.place, raw.digest(), "did not work", datetime.now(UTC))
            tx.settle([(o, raw.digest()) for raw, o in zip(batch.messages, outcomes, strict=True)])
        return outcomes

    def work_off(self, source: Source) -> list[RawMessage]:
        """Poll once to the end and return what came."""
        came: list[RawMessage] = []
        with closing(source.poll(self.store)) as batches:
            for batch in batches:
                came += batch.messages
                self.seen += batch.messages
                source.ack(self.commit(batch))
        return came

    def work_off_reading_ahead(self, source: Source) -> list[RawMessage]:
        """Do the same with one batch in hand while the one before it is committed, as the daemon does."""
        came: list[RawMessage] = []
        last: Batch | None = None
        with closing(source.poll(self.store)) as batches:
            for batch in batches:
                if last and last.messages:
                    source.ack(self.commit(last))
                came += batch.messages
                last = batch
            if last and last.messages:
                source.ack(self.commit(last))
        return came


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return an empty ledger in SQLite."""
    store = Store.open(Database(url=f"sqlite:///{tmp_path}/ledger.db"))
    store.upgrade()
    yield store
    store.close()


@pytest.fixture
def desk(store: Store) -> Desk:
    """Return what drives a source."""
    return Desk(store)


@pytest.fixture
def source(dovecot: Dovecot) -> Iterator[Source]:
    """Return the mailbox of user bounces with the settings a new user has."""
    source = open_mailbox(dovecot.settings())
    yield source
    source.close()
