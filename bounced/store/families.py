"""Which dimensions are counted together, and what a fact adds to each of these counts. Pure."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any, Final

from bounced.store.days import BLOCK, DAY
from bounced.store.facts import DIMENSIONS

_SENDER: Final = ("campaign", "list", "categories", "mailbox")
_CAUSE: Final = ("reason", "fault", "rule")
#: Each answers the reports whose dimensions it has. Those that are counted by slots come first.
FAMILIES: Final[Sequence[tuple[str, ...]]] = (
    (),
    ("provider",),
    ("reason", "fault"),
    _SENDER,
    ("domain", "provider"),
    (*_SENDER, "provider", *_CAUSE),
    ("rule",),
    (*_SENDER, "provider"),
    ("provider", *_CAUSE),
    (*_SENDER, *_CAUSE),
)
#: So many are counted by slots; the rest by days only, from which most of a long span is answered: there a question
#: for two things at once would else go through all that happened.
SLOTTED: Final = 6
#: What tells these families from others. Where it changes, all is counted anew, from what there still is of events.
DIGEST: Final = hashlib.blake2b(repr((FAMILIES, SLOTTED)).encode(), digest_size=16).hexdigest()
#: The order in which families are asked, by how many rows they have. Those of domains would multiply with any other
#: dimension that a domain does not decide.
_BY_SIZE: Final = (0, 1, 2, 3, 6, 4, 7, 8, 9, 5)
#: What picks, out of a row of amount, slot, figure and dimensions, the figure and the dimensions of each family.
_PICK: Final = tuple(itemgetter(2, *(3 + DIMENSIONS.index(name) for name in family)) for family in FAMILIES)
_POSITIVE: Final = 2**63 - 1

#: Family, slot (or day), combination and amount.
Cell = tuple[int, int, int, int]


def family_for(dimensions: Collection[str], by_slots: bool = False) -> int | None:
    """Return the smallest family that tells all of them apart, and has slots where these are needed; else None."""
    wanted = set(dimensions)
    fitting = (family for family in _BY_SIZE if wanted <= set(FAMILIES[family]))
    return next((family for family in fitting if family < SLOTTED or not by_slots), None)


class Counts:
    """What facts add up to, in every family; once it was asked, nothing more is added."""

    def __init__(self) -> None:
        self._amounts: list[dict[tuple[int, int], int]] = [defaultdict(int) for _ in FAMILIES]
        self._ids: list[dict[Any, int]] = [{} for _ in FAMILIES]

    def add(self, rows: Iterable[Sequence[Any]], sign: int = 1) -> None:
        """Add rows of amount, slot, figure, and the dimensions in their order."""
        every = [(int(row[1]), row[0] * sign, tuple(row)) for row in rows]
        for family, (pick, ids, amounts) in enumerate(zip(_PICK, self._ids, self._amounts, strict=True)):
            share = 1 if family < SLOTTED else DAY
            for slot, amount, row in every:
                known = pick(row)
                combination = ids.get(known)
                if combination is None:
                    combination = ids[known] = _number(family, known)
                amounts[slot // share, combination] += amount

    @cached_property
    def slots(self) -> list[Cell]:
        """Return the amounts by slot, in the order of their keys."""
        return _cells(self._amounts[:SLOTTED])

    @cached_property
    def days(self) -> list[Cell]:
        """Return the amounts by UTC day, in the order of their keys."""
        by_day: list[dict[tuple[int, int], int]] = []
        for amounts in self._amounts[:SLOTTED]:
            sums: dict[tuple[int, int], int] = defaultdict(int)
            for (slot, combination), amount in amounts.items():
                sums[slot // DAY, combination] += amount
            by_day.append(sums)
        return _cells([*by_day, *self._amounts[SLOTTED:]])

    @cached_property
    def blocks(self) -> list[Cell]:
        """Return the amounts by blocks of days, in the order of their keys."""
        sums: dict[Cell, int] = defaultdict(int)
        for family, day, combination, amount in self.days:
            sums[family, day // BLOCK, combination, 0] += amount
        return [
            (family, block, combination, amount) for (family, block, combination, _), amount in sorted(sums.items())
        ]

    @cached_property
    def combinations(self) -> list[dict[str, Any]]:
        """Return what each number stands for, with the first and the last slot of the days in which it occurs."""
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        for _, day, number, _ in self.days:  # they come in order of time, family by family
            first.setdefault(number, day * DAY)
            last[number] = day * DAY + DAY - 1
        return [
            dict.fromkeys(DIMENSIONS)
            | dict(zip(("figure", *FAMILIES[family]), known if FAMILIES[family] else (known,), strict=True))
            | {"id": number, "family": family, "first_slot": first[number], "last_slot": last[number]}
            for family, ids in enumerate(self._ids)
            for known, number in ids.items()
        ]


def _cells(amounts: Sequence[Mapping[tuple[int, int], int]]) -> list[Cell]:
    return [
        (family, time, combination, amount)
        for family, cells in enumerate(amounts)
        for (time, combination), amount in sorted(cells.items())
    ]


def _number(family: int, known: str | tuple[str | None, ...]) -> int:
    """Return the number of a combination: the same one in every database, of 63 bits."""
    values = (known,) if isinstance(known, str) else known
    told = "\x1f".join((str(family), *("\0" if value is None else value for value in values)))
    return int.from_bytes(hashlib.blake2b(told.encode(), digest_size=8).digest(), "big") & _POSITIVE
