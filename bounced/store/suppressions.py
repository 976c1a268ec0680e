"""Who is not to be mailed: the look-up that every sender asks, listings, and what the journal says of one address."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select, tuple_

from bounced.model import Change, Suppression
from bounced.store import rows
from bounced.store.columns import among
from bounced.store.patience import within
from bounced.store.pseudonyms import Pseudonyms
from bounced.store.tables import journal, suppression

EVERYWHERE: Final = "*"
_PAGE: Final = 500
#: After every character that an address may have.
_LAST: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class SuppressionQuery:
    """Which entries are listed, by address and scope; `after` is the last one of the page before.

    `holding_at` leaves out those that have run out by then; None lists them too. `since` and `before` bound
    the beginning of an entry, the first inclusive, the second not. `disputed` leaves out what nothing contradicts.
    `begins` is how an address begins, `actor` who wrote the entry.
    """

    scope: str | None = None
    category: str | None = None
    reason: str | None = None
    domain: str | None = None
    disputed: bool = False
    since: datetime | None = None
    before: datetime | None = None
    holding_at: datetime | None = None
    after: tuple[str, str] | None = None
    limit: int | None = None
    begins: str | None = None
    actor: str | None = None


class Suppressions(Pseudonyms):
    """Questions to the suppression table."""

    def suppressed(
        self, addresses: Sequence[str], scope: str = EVERYWHERE, now: datetime | None = None
    ) -> Mapping[str, Suppression]:
        """Return the entries that hold for these addresses, which must be normalised; the others are free.

        An entry in `*` holds in every scope, and is the one returned where the scope has another. Raises StoreDown.
        """
        now = now or datetime.now(UTC)
        found: dict[str, Suppression] = {}
        with self._read() as connection:
            names = self._names(connection, addresses)
            entries = connection.execute(
                select(suppression).where(
                    among(connection.dialect, suppression.c.address, list(names)),
                    suppression.c.scope.in_(_seen_from(scope)),
                    or_(suppression.c.until.is_(None), suppression.c.until > now),
                )
            )
            for entry in map(rows.to_suppression, entries):
                address = names.get(entry.address, entry.address)
                if entry.scope == EVERYWHERE or address not in found:
                    found[address] = entry
        return found

    def suppressions(self, query: SuppressionQuery | None = None) -> Iterator[Suppression]:
        """Yield entries by address and scope, page by page: entries that come or go meanwhile disturb nothing.

        Where no addresses are kept, nothing has a domain, and `begins` finds a whole address only.
        """
        query = self._listed_by_name(query or SuppressionQuery())
        left = query.limit
        while left is None or left > 0:
            page = self._page_of_entries(query, min(_PAGE, left or _PAGE))
            yield from page
            if len(page) < _PAGE:
                return
            left = None if left is None else left - len(page)
            query = replace(query, after=(page[-1].address, page[-1].scope))

    def suppressions_amount(self, query: SuppressionQuery, most: int, seconds: float) -> int | None:
        """Return how many entries there are, whatever page of them is asked for; `most` where there are more.

        None where counting them would take longer.
        """
        some: Select[Any] = select(literal_column("1")).select_from(suppression)
        some = some.where(*_conditions(replace(self._listed_by_name(query), after=None))).limit(most)
        try:
            with self._read() as connection, within(connection, seconds):
                return connection.scalar(select(func.count()).select_from(some.subquery())) or 0
        except TimeoutError:
            return None

    def _listed_by_name(self, query: SuppressionQuery) -> SuppressionQuery:
        begins = query.begins and self.name_of(query.begins)
        return query if begins == query.begins else replace(query, begins=begins)

    def journal_of(self, address: str) -> list[Change]:
        """Return everything that was ever done about the address, in any scope, oldest first."""
        lines = select(journal).where(journal.c.address == self.name_of(address)).order_by(journal.c.seq)
        with self._read() as connection:
            return [rows.to_change(line) for line in connection.execute(lines)]

    def expired(self, now: datetime, limit: int = 1000) -> list[Suppression]:
        """Return entries that have run out and still stand in the table, the oldest end first."""
        over = and_(suppression.c.until.is_not(None), suppression.c.until <= now)
        entries = select(suppression).where(over).order_by(suppression.c.until).limit(limit)
        with self._read() as connection:
            return [rows.to_suppression(entry) for entry in connection.execute(entries)]

    def _page_of_entries(self, query: SuppressionQuery, limit: int) -> list[Suppression]:
        table = suppression
        entries = select(table).where(*_conditions(query)).order_by(table.c.address, table.c.scope).limit(limit)
        with self._read() as connection:
            return [rows.to_suppression(entry) for entry in connection.execute(entries)]


def standing(entries: Iterable[Suppression], scope: str, until: datetime | None) -> Suppression | None:
    """Return the entry of that scope that lasts until then at least (None: without end); None where there is none.

    Such an entry stays as it is when somebody suppresses the address once more: a new word must not shorten it.
    """
    for entry in entries:
        if entry.scope == scope and (entry.until is None or (until is not None and entry.until >= until)):
            return entry
    return None


def _seen_from(scope: str) -> list[str]:
    """Return the scopes whose entries hold in this one."""
    return [EVERYWHERE] if scope == EVERYWHERE else [EVERYWHERE, scope]


def _conditions(query: SuppressionQuery) -> Iterator[ColumnElement[bool]]:
    table = suppression.c
    for name in ("scope", "category", "reason", "actor"):
        if (value := getattr(query, name)) is not None:
            yield table[name] == value
    if query.begins is not None:
        yield and_(table.address >= query.begins, table.address < query.begins + _LAST)
    if query.domain is not None:
        yield table.address.endswith("@" + query.domain, autoescape=True)
    if query.disputed:
        yield table.disputed.is_not(None)
    if query.since is not None:
        yield table.since >= query.since
    if query.before is not None:
        yield table.since < query.before
    if query.holding_at is not None:
        yield or_(table.until.is_(None), table.until > query.holding_at)
    if query.after is not None:
        yield tuple_(table.address, table.scope) > tuple_(*query.after)
