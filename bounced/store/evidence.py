"""Positive evidence: when an address last took mail, or its owner was there."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select

from bounced.model import Sign, SignOfLife
from bounced.store.columns import among
from bounced.store.pseudonyms import Pseudonyms, Seal
from bounced.store.statements import kept_if, many, upserting
from bounced.store.watch_tables import sign_of_life


class Testimony:
    """The part of a transaction of the ledger that takes up positive evidence."""

    _connection: Connection
    _seal: Seal | None

    def testify(self, signs: Sequence[SignOfLife]) -> None:
        """Keep the newest sign of each address and kind; what is older than one that is known changes nothing."""
        newest: dict[tuple[str, str], SignOfLife] = {}
        signs = [self._seal.sign(sign) for sign in signs] if self._seal else signs
        for sign in sorted(signs, key=lambda sign: (sign.at, sign.source)):
            newest[sign.address, sign.kind] = sign
        once = upserting(self._connection, sign_of_life)
        older = sign_of_life.c.at >= once.excluded.at
        taken = {name: kept_if(older, sign_of_life.c[name], once.excluded[name]) for name in ("at", "source")}
        again = once.on_conflict_do_update(index_elements=list(sign_of_life.primary_key), set_=taken)
        rows = ({"address": s.address, "kind": s.kind, "at": s.at, "source": s.source} for s in newest.values())
        many(self._connection, again, rows)


def signs_of(connection: Connection, addresses: Sequence[str]) -> dict[str, tuple[SignOfLife, ...]]:
    """Return the signs of life of those of the addresses, cleaned, that have any; oldest first."""
    found = select(sign_of_life).where(among(connection.dialect, sign_of_life.c.address, addresses))
    signs: dict[str, tuple[SignOfLife, ...]] = {}
    for row in connection.execute(found.order_by(sign_of_life.c.at, sign_of_life.c.kind)):
        signs[row.address] = (*signs.get(row.address, ()), _to_sign(row))
    return signs


class SignsOfLife(Pseudonyms):
    """Questions about positive evidence."""

    def signs(self, address: str) -> list[SignOfLife]:
        """Return the newest sign of each kind, oldest first; nothing for an address never heard of."""
        with self._read() as connection:
            name = self.name_of(address)
            return list(signs_of(connection, [name]).get(name, ()))

    def addresses_alive(self) -> int:
        """Return of how many addresses there is any sign of life."""
        with self._read() as connection:
            return connection.scalar(select(func.count(sign_of_life.c.address.distinct()))) or 0


def _to_sign(row: Row[Any]) -> SignOfLife:
    return SignOfLife(row.address, Sign(row.kind), row.at, row.source)
