"""Entries of people who were forgotten: the address is gone, a keyed digest still says that it must not be mailed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, select

from bounced.model import Suppression
from bounced.store import rows
from bounced.store.columns import among
from bounced.store.database import Database
from bounced.store.tables import suppression

#: How what stands for an address begins; no address begins so, for lack of an @.
PREFIX: Final = "hmac:"

Pseudonym = Callable[[str], str]


class Pseudonyms(Database):
    """Finds entries by what stands for an address. `pseudonym` is None where no key is configured."""

    pseudonym: Pseudonym | None = None

    def entries_of_the_forgotten(self, address: str) -> list[Suppression]:
        """Return the entries that were kept when the person behind the address was forgotten."""
        if self.pseudonym is None:
            return []
        with self._read() as connection:
            found = select(suppression).where(suppression.c.address == self.pseudonym(address))
            return [rows.to_suppression(row) for row in connection.execute(found)]

    def _names(self, connection: Connection, addresses: Sequence[str]) -> Mapping[str, str]:
        """Return every name under which one of the addresses may have an entry, with that address."""
        names = dict(zip(addresses, addresses, strict=True))
        if self.pseudonym is not None and _any_forgotten(connection):
            names |= {self.pseudonym(address): address for address in addresses}
        return names


def _any_forgotten(connection: Connection) -> bool:
    """Return whether any entry stands under a digest; the index answers at once."""
    name = suppression.c.address
    found = select(name).where(name >= PREFIX, name < PREFIX[:-1] + ";").limit(1)
    return connection.execute(found).first() is not None


def forgotten(connection: Connection) -> list[str]:
    """Return every name that stands for a person in the suppression table."""
    name = suppression.c.address
    return list(connection.scalars(select(name).where(name >= PREFIX, name < PREFIX[:-1] + ";").distinct()))


def held_under(connection: Connection, names: Sequence[str]) -> list[Suppression]:
    """Return every entry that stands under one of the names."""
    found = select(suppression).where(among(connection.dialect, suppression.c.address, names))
    return [rows.to_suppression(row) for row in connection.execute(found)]
