"""What stands for addresses: for all of them where the database keeps none, else for people who were forgotten."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from sqlalchemy import Connection, select

from bounced.model import Change, Event, Sent, SignOfLife, Suppression
from bounced.store import rows
from bounced.store.columns import among
from bounced.store.database import Database
from bounced.store.tables import suppression

#: How what stands for an address begins; no address begins so, for lack of an @.
PREFIX: Final = "hmac:"

Pseudonym = Callable[[str], str]


class Seal(Protocol):
    """Puts a keyed hash in the place of each address, and takes addresses out of words; what bears none, it keeps.

    `check` tells one key from another.
    """

    check: str

    def name(self, address: str) -> str: ...
    def text(self, words: str, about: Iterable[str | None] = ()) -> str: ...
    def event(self, event: Event) -> Event: ...
    def event_id(self, id_: str) -> str: ...
    def entry(self, entry: Suppression) -> Suppression: ...
    def change(self, change: Change) -> Change: ...
    def sign(self, sign: SignOfLife) -> SignOfLife: ...
    def sent(self, mail: Sent) -> Sent: ...
    def data(self, data: Mapping[str, Any]) -> dict[str, Any]: ...
    def notification_id(self, id_: str) -> str: ...


class Pseudonyms(Database):
    """Finds entries by what stands for an address.

    `pseudonym` is None where no key is configured, `seal` where the database keeps addresses as they are.
    """

    pseudonym: Pseudonym | None = None
    seal: Seal | None = None

    def name_of(self, address: str) -> str:
        """Return the name under which the database keeps what it knows of an address."""
        return self.seal.name(address) if self.seal else address

    def entries_of_the_forgotten(self, address: str) -> list[Suppression]:
        """Return the entries that were kept when the person behind the address was forgotten.

        None where no addresses are kept at all: there they are entries like all others.
        """
        if self.pseudonym is None or self.seal is not None:
            return []
        with self._read() as connection:
            found = select(suppression).where(suppression.c.address == self.pseudonym(address))
            return [rows.to_suppression(row) for row in connection.execute(found)]

    def _names(self, connection: Connection, addresses: Sequence[str]) -> Mapping[str, str]:
        """Return every name under which one of the addresses may have an entry, with that address."""
        if self.seal is not None:
            return {self.seal.name(address): address for address in addresses}
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
