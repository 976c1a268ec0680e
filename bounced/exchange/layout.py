"""What a layout is: how the lines of one kind of export file are told, and what they mean."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bounced.exchange.entry import Claim

#: Field names in lower case -> text; what is missing or null is the empty text, lists are joined by commas.
Fields = Mapping[str, str]
#: What a line says: one claim, several, or why it is no suppression. Raises Wrong, or KeyError for a missing field.
Judge = Callable[[Fields], Claim | list[Claim] | str]


@dataclass(frozen=True, slots=True)
class Shape:
    """A set of field names: all of `needs`, and nothing but `allows` beside them; None allows everything."""

    needs: frozenset[str]
    allows: frozenset[str] | None = frozenset()

    def fits(self, names: frozenset[str]) -> bool:
        """True if a header, or the keys of an object, have this shape."""
        return self.needs <= names and (self.allows is None or names <= self.needs | self.allows)


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of file. `headers` are the field names of a file without a header, in order.

    With `ask`, a file is never taken for this layout by its looks: the question it raises is told instead.
    """

    name: str
    title: str
    shapes: tuple[Shape, ...]
    judge: Judge
    headers: tuple[str, ...] = ()
    ask: str = ""
    exact_quotes: bool = False  # every leading apostrophe is one that our own export put there


def exactly(*names: str, or_also: tuple[str, ...] = ()) -> Shape:
    """Return the shape of these names and, maybe, those of `or_also`."""
    return Shape(frozenset(names), frozenset(or_also))


def having(*names: str) -> Shape:
    """Return the shape of these names among any others."""
    return Shape(frozenset(names), None)
