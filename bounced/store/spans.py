"""What a report is asked for, in the terms of the database: slots, dimensions, conditions."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, case, literal

from bounced.model import By, Only
from bounced.store.days import DAY, begin_of, offsets

_DAY_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days of a zone, what they are counted by, and what is counted at all."""

    first: date
    last: date
    zone: ZoneInfo
    by: By
    only: Only

    @property
    def begin(self) -> int:
        """The first slot."""
        return begin_of(self.first, self.zone)

    @property
    def end(self) -> int:
        """The first slot that is not in it."""
        return begin_of(self.last + _DAY_AFTER, self.zone)

    @property
    def wanted(self) -> tuple[str, ...]:
        """The dimensions that must be told apart beyond what conditions can say."""
        names = {"categories"} if self.only.category is not None else set[str]()
        if self.by is By.CATEGORY:
            names.add("categories")
        elif self.by is not By.DAY:
            names.add(self.by.value)
        return tuple(sorted(names))

    @property
    def dimensions(self) -> frozenset[str]:
        """All dimensions that the answer depends on."""
        named = {"categories" if name == "category" else name for name in self.only.given()}
        return frozenset(named | set(self.wanted))

    def conditions(self, values: Any) -> Iterator[ColumnElement[bool]]:
        """Yield what must hold, where a column is found in `values` by the name of its dimension.

        Of a category only what its text begins to say; `amounts` looks at it closely.
        """
        for name, value in self.only.given().items():
            if name == "category":
                yield values["categories"].contains(json.dumps(value, ensure_ascii=False)[1:-1], autoescape=True)
            else:
                yield values[name] == value

    def day(self, slot: ColumnElement[int]) -> ColumnElement[int]:
        """Return the local day (counted since 1970) of a slot."""
        (_, ahead), *changes = self.offsets
        number = (slot + literal(ahead)) // DAY
        for since, then in changes:
            number = case((slot >= since, (slot + literal(then)) // DAY), else_=number)
        return number

    @property
    def offsets(self) -> list[tuple[int, int]]:
        """From which slot on local time is how many slots ahead of UTC."""
        return offsets(self.first, self.last, self.zone)
