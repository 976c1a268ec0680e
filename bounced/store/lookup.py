"""One address, asked by a sender that waits: prepared statements past the ORM, and nothing remembered in between."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, Protocol

from sqlalchemy import case, or_, select

from bounced.errors import StoreDown
from bounced.model import Suppression
from bounced.store import rows
from bounced.store.address_form import AddressForm, problem_of
from bounced.store.faults import mapped
from bounced.store.lookup_postgresql import PostgresqlReader
from bounced.store.lookup_sqlite import SqliteReader
from bounced.store.suppressions import EVERYWHERE
from bounced.store.tables import suppression

#: Readers kept open. A question takes tens of microseconds: more of them would only wait for each other.
_KEPT: Final = 4
#: Rows fetched at once where all are wanted.
_AT_ONCE: Final = 2_000
#: Seconds in which nobody tries again what failed a moment ago: a dead database would hold up each of them.
_QUIET: Final = 1.0


class Reader(Protocol):
    """One connection that can answer one question. Raises StoreDown for whatever goes wrong, and is then of no use."""

    def entries(self, address: str, scope: str) -> list[Suppression]:
        """Return the entries of the address in `*` and in the scope, those that have run out too."""

    def form(self) -> tuple[str, str] | None:
        """Return form of the addresses and check of their key; None for addresses as they are."""

    def close(self) -> None:
        """Let go of the connection; never raises."""


class Lookup(AddressForm):
    """The question that comes with every mail."""

    _sure_until = 0.0

    def lookup(self, address: str, scope: str = EVERYWHERE, now: datetime | None = None) -> Suppression | None:
        """Return the entry that holds for a normalised address, None if it may be mailed. Raises StoreDown.

        The same answer as from `suppressed`, some times faster. What another process committed before the
        question is always seen: there is no cache that could say "not suppressed" out of its memory.
        """
        now = now or datetime.now(UTC)
        found = holding(self._entries(self.name_of(address), scope), now)
        if found is None and self.pseudonym is not None and self.seal is None:
            return holding(self._entries(self.pseudonym(address), scope), now)
        return found

    def refused(self, scope: str, now: datetime) -> Iterator[Suppression]:
        """Yield the one entry that holds for each suppressed address, by address, as all of them stood at one moment.

        Those of the forgotten are among them, under what stands for their address. Raises StoreDown.
        """
        table = suppression.c
        holds = or_(table.until.is_(None), table.until > now)
        everywhere_first = case((table.scope == EVERYWHERE, 0), else_=1)
        question = select(suppression).where(table.scope.in_((EVERYWHERE, scope)), holds)
        question = question.order_by(table.address, everywhere_first).execution_options(yield_per=_AT_ONCE)
        last = None
        with mapped(self.where), self._engine.connect() as connection:
            self._admit(connection)
            for entry in map(rows.to_suppression, connection.execute(question)):
                if entry.address != last:
                    last = entry.address
                    yield entry

    def close(self) -> None:
        """Let go of every connection."""
        self._readers.close()
        super().close()

    @property
    def _readers(self) -> "Readers":
        """The readers of this store, made at the first question."""
        found: Readers | None = self.__dict__.get("_made_readers")
        return found or self.__dict__.setdefault("_made_readers", Readers(self))

    def _entries(self, address: str, scope: str) -> list[Suppression]:
        """Ask a reader; one that was lent out before a restart of the database is replaced once."""
        readers = self._readers
        reader, fresh = readers.take()
        try:
            self._look_again(reader)
            found = reader.entries(address, scope)
        except StoreDown as exc:
            reader.close()
            if fresh:
                readers.failed(exc)
                raise
            readers.close()
            return self._entries(address, scope)
        readers.give_back(reader)
        return found

    def _look_again(self, reader: Reader) -> None:
        """Look now and then whether addresses are still kept in the form in which this store asks. Raises StoreDown."""
        now = time.monotonic()
        if now < self._sure_until:
            return
        form = reader.form()
        if form is None and self.seal is not None:
            with self._read():  # says what is the matter, if anything is
                pass
        elif form is not None and (problem := problem_of(form, self.seal)):
            raise StoreDown(problem)
        self._sure_until = now + _QUIET

    def _open_reader(self) -> Reader:
        if self.is_sqlite:
            return SqliteReader(self.file, self._settings.busy_timeout)
        arguments = self._engine.dialect.create_connect_args(self._url)[1]
        return PostgresqlReader(arguments, self._settings.busy_timeout)


class Readers:
    """The readers that nobody uses now, the last one used on top; safe for any thread."""

    def __init__(self, store: Lookup) -> None:
        self._store = store
        self._idle: deque[Reader] = deque()
        self._lock = threading.Lock()
        self._problem, self._again_at = "", 0.0

    def take(self) -> tuple[Reader, bool]:
        """Return a reader, and whether it was opened just now. Raises StoreDown; at once, a moment after it did."""
        try:
            return self._idle.pop(), False
        except IndexError:
            pass
        if time.monotonic() < self._again_at:
            raise StoreDown(self._problem)
        try:
            return self._store._open_reader(), True
        except StoreDown as exc:
            self.failed(exc)
            raise

    def give_back(self, reader: Reader) -> None:
        """Keep the reader for the next question."""
        if len(self._idle) < _KEPT:
            self._idle.append(reader)
        else:
            reader.close()

    def failed(self, exc: StoreDown) -> None:
        """Note that there is no use in trying for a moment."""
        self._problem, self._again_at = str(exc), time.monotonic() + _QUIET

    def close(self) -> None:
        """Close all of them."""
        while self._idle:
            try:
                self._idle.pop().close()
            except IndexError:
                return


def holding(entries: list[Suppression], now: datetime) -> Suppression | None:
    """Return the entry that holds: one in `*` before one of a scope; None if all have run out."""
    held = [entry for entry in entries if entry.holds(now)]
    return min(held, key=lambda entry: entry.scope != EVERYWHERE, default=None)
