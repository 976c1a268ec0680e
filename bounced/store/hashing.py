"""Turning a database that keeps addresses into one that keeps hashes of them: table by table, some thousands at once.

What is hashed already stays as it is, so a run that was broken off goes on where it was when it is begun again. Until
the end nobody else may use the database.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Table, func, insert, literal, select, text, tuple_, update

from bounced.errors import ConfigError
from bounced.store.address_form import AddressForm, Form
from bounced.store.hashing_steps import STEPS, Step
from bounced.store.private_tables import address_form, erasure
from bounced.store.pseudonyms import Seal

_CHUNK: Final = 2_000

Told = Callable[[str, int], None]


class Hashing(AddressForm):
    """One way only: nobody gets an address back from its hash."""

    def hashing_amounts(self) -> Mapping[str, int]:
        """Return how many rows of each table name somebody, as they are, and how many reports would go."""
        with self._converting(), self._read() as connection:
            counted = {s.table.name: select(func.count()).select_from(s.table).where(s.left) for s in STEPS}
            return {name: connection.scalar(amount) or 0 for name, amount in counted.items()}

    def hash_addresses(self, actor: str, now: datetime, told: Told) -> None:
        """Put hashes for all addresses, by the seal of this store. `told` hears of each table and its rows, as they go.

        Raises ConfigError without a seal, or with another than that of a run before; StoreDown, and may then be
        called again.
        """
        if self.seal is None:
            raise ConfigError(["privacy.addresses: want addresses: hashed and a key, then hash what is there"])
        with self._converting():
            with self._write(alone=True) as connection:
                _begin(connection, self.seal, actor, now)
            for step in STEPS:
                self._step(step, self.seal, told)
            with self._write(alone=True) as connection:
                connection.execute(update(address_form).values(form=Form.HASHED))
                connection.execute(update(erasure).where(erasure.c.done_at.is_(None)).values(done_at=now))
            self._sweep()

    def _step(self, step: Step, seal: Seal, told: Told) -> None:
        """Convert one table, a chunk to a transaction."""
        after: tuple[Any, ...] | None = None
        while True:
            with self._write(alone=True) as connection:
                found = _chunk(connection, step.table, step.left, after)
                if found:
                    step.convert(connection, seal, found)
            if not found:
                return
            told(step.table.name, len(found))
            after = tuple(found[-1]._mapping[column.name] for column in step.table.primary_key)

    @contextmanager
    def _converting(self) -> Iterator[None]:
        self._converts = True
        try:
            yield
        finally:
            self._converts = False

    def _sweep(self) -> None:
        """Write the files anew: what was deleted would still stand in free pages of them."""
        if self.is_sqlite:
            with self._reader.connect() as connection:
                connection.exec_driver_sql("VACUUM")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        with self._engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            for step in STEPS:
                connection.execute(text(f'VACUUM (FULL, ANALYZE) "{step.table.name}"'))


def _begin(connection: Connection, seal: Seal, actor: str, now: datetime) -> None:
    """Note that it has begun, and open the one door of the journal. Raises ConfigError."""
    there = connection.execute(select(address_form.c.form, address_form.c.key_check)).one_or_none()
    if there is None:
        row = {"one": 1, "form": Form.HASHING, "key_check": seal.check, "since": now}
        connection.execute(insert(address_form).values(row))
        said = {"at": now, "actor": actor, "why": "hashes were put for all addresses"}
        connection.execute(insert(erasure).values(said))
    elif there.form == Form.HASHED:
        raise ConfigError(["privacy.addresses: this database keeps hashes already"])
    elif there.key_check != seal.check:
        raise ConfigError(["privacy.key: is not the key with which hashing was begun here"])


def _chunk(
    connection: Connection, table: Table, left: ColumnElement[bool], after: tuple[Any, ...] | None
) -> Sequence[Row[Any]]:
    """Return the next rows by the key of the table."""
    key = list(table.primary_key)
    found = select(table).where(left).order_by(*key).limit(_CHUNK)
    if after is not None:
        found = found.where(tuple_(*key) > tuple_(*map(literal, after)))
    return connection.execute(found).all()
