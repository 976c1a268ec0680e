"""In which form a database keeps addresses, as they are or as hashes of one key; another form is never mixed in."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, exists, insert, inspect, select, union_all

from bounced.errors import StoreDown
from bounced.store.faults import mapped
from bounced.store.private_tables import address_form
from bounced.store.pseudonyms import Pseudonyms, Seal
from bounced.store.sent_tables import sent
from bounced.store.tables import event, journal, suppression
from bounced.store.watch_tables import member, sign_of_life

#: Seconds after which it is looked again: another process may have begun to hash what is there.
_AGAIN: Final = 1.0
_HOLDING: Final = (suppression, journal, event, sent, sign_of_life, member)

_BEGUN = '"bounced db pseudonymise" was broken off here: run it again'
_OTHER_KEY = "privacy.key: is not the key that the addresses in this database were hashed with"
_HASHED = "privacy.addresses: this database keeps hashes for addresses: want addresses: hashed and the key"
_PLAIN = 'privacy.addresses: this database keeps addresses as they are: "bounced db pseudonymise" hashes them'


class Form(StrEnum):
    """What the one row of the table says; no row: addresses are kept as they are."""

    HASHING = "hashing"
    HASHED = "hashed"


def problem_of(row: Sequence[str], seal: Seal | None) -> str | None:
    """Return why a program with this seal must not use a database whose form and key check stand in the row."""
    form, key_check = row
    if form == Form.HASHING:
        return _BEGUN
    if seal is None:
        return _HASHED
    return None if seal.check == key_check else _OTHER_KEY


class AddressForm(Pseudonyms):
    """Lets nobody ask or write in the wrong form: an address that was hashed would be told to be free."""

    _admitted_until = 0.0
    _converts = False

    def form(self) -> Form | None:
        """Return the form, None for addresses as they are. Raises StoreDown where it cannot be told."""
        with mapped(self.where), self._reader.connect() as connection:
            row = connection.execute(select(address_form.c.form)).one_or_none()
        return None if row is None else Form(row.form)

    def _admit(self, connection: Connection, writes: bool = False) -> None:
        if self._may_create or self._converts or time.monotonic() < self._admitted_until:
            return
        if not self._admitted_until and not inspect(connection).has_table(address_form.name):
            return  # not migrated: whatever is asked next says so
        if problem := self._problem(connection, writes):
            self._admitted_until = 0.0
            raise StoreDown(problem)
        self._admitted_until = time.monotonic() + _AGAIN

    def _problem(self, connection: Connection, writes: bool) -> str | None:
        """Return why this program must not use the database; a new one takes the form that is configured."""
        row = connection.execute(select(address_form.c.form, address_form.c.key_check)).one_or_none()
        if row is None:
            return self._adopt(connection, writes) if self.seal else None
        return problem_of(row, self.seal)

    def _adopt(self, connection: Connection, writes: bool) -> str | None:
        anything = union_all(*(select(exists(select(1).select_from(table))) for table in _HOLDING))
        if any(connection.scalars(anything)):
            return _PLAIN
        if writes and self.seal:
            row = {"one": 1, "form": Form.HASHED, "key_check": self.seal.check, "since": datetime.now(UTC)}
            connection.execute(insert(address_form).values(row))
        return None
