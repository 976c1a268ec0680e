"""Which dimensions are counted together, and what a fact adds to each of these counts. Pure."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from bounced.store.days import DAY
from bounced.store.facts import DIMENSIONS

#: Each answers the reports whose dimensions it has; the first that fits is the smallest. The rows of `DOMAIN` would
#: multiply with any other dimension that a domain does not decide.
FAMILIES: Final[Sequence[tuple[str, ...]]] = (
    (),
    ("provider",),
    ("reason", "fault"),
    ("campaign", "list", "categories", "mailbox"),
    ("domain", "provider"),
    ("campaign", "list", "categories", "provider", "reason", "fault", "rule", "mailbox"),
)
_PLACES: Final = tuple(tuple(DIMENSIONS.index(name) for name in family) for family in FAMILIES)
_POSITIVE: Final = 2**63 - 1

#: Family, slot (or day) and combination.
Cell = tuple[int, int, int]


def family_for(dimensions: Collection[str]) -> int | None:
    """Return the smallest family that tells all of them apart; None where there is none."""
    wanted = set(dimensions)
    return next((number for number, family in enumerate(FAMILIES) if wanted <= set(family)), None)


class Counts:
    """What facts add up to, in every family."""

    def __init__(self) -> None:
        self.slots: Counter[Cell] = Counter()
        self.combinations: dict[int, dict[str, Any]] = {}
        self._ids: dict[tuple[Any, ...], int] = {}

    def add(self, rows: Iterable[Sequence[Any]], sign: int = 1) -> None:
        """Add rows of amount, slot, figure, and the dimensions in their order."""
        slots, ids = self.slots, self._ids
        for row in rows:
            amount, slot, figure = row[0] * sign, int(row[1]), row[2]
            dimensions = row[3:]
            for family, places in enumerate(_PLACES):
                known = (family, figure, *[dimensions[place] for place in places])
                combination = ids.get(known)
                if combination is None:
                    combination = ids[known] = self._combination(known)
                slots[family, slot, combination] += amount
                spans = self.combinations[combination]
                if slot < spans["first_slot"]:
                    spans["first_slot"] = slot
                if slot > spans["last_slot"]:
                    spans["last_slot"] = slot

    @property
    def days(self) -> Counter[Cell]:
        """The same by day."""
        found: Counter[Cell] = Counter()
        for (family, slot, combination), amount in self.slots.items():
            found[family, slot // DAY, combination] += amount
        return found

    def _combination(self, known: tuple[Any, ...]) -> int:
        """Note a combination, and return its number: the same one in every database, of 63 bits."""
        family, figure, *values = known
        told = "\x1f".join((str(family), figure, *("\0" if value is None else value for value in values)))
        digest = hashlib.blake2b(told.encode(), digest_size=8).digest()
        number = int.from_bytes(digest, "big") & _POSITIVE
        named = dict.fromkeys(DIMENSIONS) | dict(zip(FAMILIES[family], values, strict=True))
        bounds = {"first_slot": _POSITIVE, "last_slot": 0}
        self.combinations[number] = {"id": number, "family": family, "figure": figure, **named, **bounds}
        return number
