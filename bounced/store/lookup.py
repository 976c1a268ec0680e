"""Addresses, asked by a sender that waits: prepared statements past the ORM, and nothing remembered in between."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final, Protocol, TypeVar

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

T = TypeVar("T")

#: Readers kept open. A question takes tens of microseconds: more of them would only wait for each other.
_KEPT: Final = 4
#: Threads for the halves of long questions.
_HALVES: Final = 2
#: Rows fetched at once where all are wanted.
_AT_ONCE: Final = 2_000
#: Seconds in which nobody tries again what failed a moment ago: a dead database would hold up each of them.
_QUIET: Final = 1.0
#: Addresses from which on two readers share a question to PostgreSQL, which answers them on two processors.
_SHARED: Final = 1_000


class Reader(Protocol):
    """One connection that can answer one question. Raises StoreDown for whatever goes wrong, and is then of no use."""

    def entries(self, address: str, scope: str) -> list[Suppression]:
        """Return the entries of the address in `*` and in the scope, those that have run out too."""

    def many(self, addresses: Sequence[str], scope: str) -> list[Suppression]:
        """Return what `entries` does for each of the addresses, however many they are."""

    def form(self) -> tuple[str, str] | None:
        """Return form of the addresses and check of their key; None for addresses as they are."""

    def close(self) -> None:
        """Let go of the connection; never raises."""


class _WrongForm(StoreDown):
    """The database answers, but keeps addresses in another form: it may be asked again at once."""


class Lookup(AddressForm):
    """The question that comes with every mail, for one address or thousands."""

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

    def suppressed(
        self, addresses: Sequence[str], scope: str = EVERYWHERE, now: datetime | None = None
    ) -> Mapping[str, Suppression]:
        """Return the entries that hold for these addresses, which must be normalised; the others are free.

        An entry in `*` holds in every scope, and is the one returned where the scope has another. Raises StoreDown.
        """
        now = now or datetime.now(UTC)
        names = self._all_names(addresses)
        found: dict[str, Suppression] = {}
        for entry in self._entries_of_many(sorted(names), scope):
            address = names[entry.address]
            if entry.holds(now) and (entry.scope == EVERYWHERE or address not in found):
                found[address] = entry
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
        if halves := self.__dict__.pop("_made_halves", None):
            halves.shutdown(cancel_futures=True)
        self._readers.close()
        super().close()

    @property
    def _readers(self) -> "Readers":
        """The readers of this store, made at the first question."""
        found: Readers | None = self.__dict__.get("_made_readers")
        return found or self.__dict__.setdefault("_made_readers", Readers(self))

    @property
    def _halves(self) -> ThreadPoolExecutor:
        """The threads for one half of a long question, made at the first."""
        found: ThreadPoolExecutor | None = self.__dict__.get("_made_halves")
        return found or self.__dict__.setdefault("_made_halves", ThreadPoolExecutor(_HALVES, "lookup"))

    def _all_names(self, addresses: Sequence[str]) -> Mapping[str, str]:
        """Return every name under which one of the addresses may have an entry, with that address."""
        if self.pseudonym is None or self.seal is not None:
            return {self.name_of(address): address for address in addresses}
        with self._read() as connection:  # to see whether anybody was forgotten
            return self._names(connection, addresses)

    def _entries(self, address: str, scope: str) -> list[Suppression]:
        return self._answered(lambda reader: reader.entries(address, scope))

    def _entries_of_many(self, names: Sequence[str], scope: str) -> list[Suppression]:
        if self.is_sqlite or len(names) < _SHARED:
            return self._answered(lambda reader: reader.many(names, scope)) if names else []
        first, second = names[: len(names) // 2], names[len(names) // 2 :]
        later: Future[list[Suppression]]
        later = self._halves.submit(self._answered, lambda reader: reader.many(second, scope))
        return self._answered(lambda reader: reader.many(first, scope)) + later.result()

    def _answered(self, ask: Callable[[Reader], T]) -> T:
        """Ask a reader; one that was lent out before a restart of the database is replaced once."""
        readers = self._readers
        reader, fresh = readers.take()
        try:
            self._look_again(reader)
            found = ask(reader)
        except _WrongForm:
            reader.close()
            raise
        except StoreDown as exc:
            reader.close()
            if fresh:
                readers.failed(exc)
                raise
            readers.close()
            return self._answered(ask)
        readers.give_back(reader)
        return found

    def _look_again(self, reader: Reader) -> None:
        """Look now and then whether addresses are still kept in the form in which this store asks. Raises StoreDown."""
        now = time.monotonic()
        if now < self._sure_until:
            return
        form = reader.form()
        if form is None and self.seal is not None:
            self._demand_sealed()
        elif form is not None and (problem := problem_of(form, self.seal)):
            raise _WrongForm(problem)
        self._sure_until = now + _QUIET

    def _demand_sealed(self) -> None:
        """Raise StoreDown where addresses stand in a database that is to keep hashes."""
        try:
            with self._read():
                pass
        except StoreDown as exc:
            raise _WrongForm(str(exc)) from exc

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
