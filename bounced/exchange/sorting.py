"""Rows on their way to the table: entries pass, all else is counted and told."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from bounced.address import domain_of
from bounced.exchange.entry import Entry, Left, Refused, Row
from bounced.model import Category

_KINDS = 50
_SHOWN = 20
_FAILURES = frozenset({Category.HARD, Category.SOFT})
_ALLOWED = "failures of addresses that no failure suppresses, by the configuration (policy.allow)"


@dataclass(slots=True)
class Sorting:
    """What was met so far. `allow` holds addresses and domains that no failure suppresses.

    `tell` hears of each refused line; the first of them are kept in `first`.
    """

    allow: Collection[str] = ()
    tell: Callable[[Refused], None] = lambda _: None
    entries: int = 0
    refused: int = 0
    first: list[Refused] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)

    def passing(self, rows: Iterable[Row]) -> Iterator[Entry]:
        """Yield the entries among the rows."""
        allow = frozenset(self.allow)
        for row in rows:
            if isinstance(row, Entry):
                if allow and row.category in _FAILURES and {row.address, domain_of(row.address)} & allow:
                    self._leave(_ALLOWED)
                    continue
                self.entries += 1
                yield row
            elif isinstance(row, Left):
                self._leave(row.kind)
            else:
                self._refuse(row)

    def _leave(self, kind: str) -> None:
        """Count it; kinds beyond some tens, as a strange file may have, together."""
        self.left[kind if kind in self.left or len(self.left) < _KINDS else "others"] += 1

    def _refuse(self, row: Refused) -> None:
        self.refused += 1
        if len(self.first) < _SHOWN:
            self.first.append(row)
        self.tell(row)
