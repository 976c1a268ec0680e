"""What the page asks of a list that somebody brings: what it would come to, and taking it in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bounced.store import Taken


@dataclass(frozen=True, slots=True)
class ListGiven:
    """A file with a list of addresses, and how it is to be read. `form` is one of those known; None: by its looks.

    `scope` is that of entries which name none. `name` is what the journal calls the file.
    """

    file: Path
    name: str
    form: str | None = None
    scope: str = "*"
    skip_bad: bool = False


@dataclass(frozen=True, slots=True)
class ListTold:
    """What a list comes to. `doubt` says why it is not read at all; `refused` are lines, the first of them by number,
    why, and beginning; `left` counts what is deliberately no entry. `done` if it was taken in."""

    title: str = ""
    doubt: str | None = None
    taken: Taken = field(default_factory=Taken)
    entries: int = 0
    refused: int = 0
    first: Sequence[tuple[int, str, str]] = ()
    left: Mapping[str, int] = field(default_factory=dict)
    done: bool = False


@dataclass(frozen=True, slots=True)
class Importing:
    """Reads lists. `forms` maps the name of each form to its title; `look` changes nothing, `take` all or nothing.

    Who takes it in stands in the journal as the second argument of `take`. Both raise StoreDown.
    """

    forms: Mapping[str, str]
    look: Callable[[ListGiven], ListTold]
    take: Callable[[ListGiven, str], ListTold]
