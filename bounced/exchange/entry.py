"""What a line of a foreign list comes to: an entry for the suppression table, deliberately nothing, or an error."""

from datetime import datetime
from typing import NamedTuple

#: A wish not to be written to, and a person's word: what the table knows beside the categories of failures.
UNSUBSCRIBE = "unsubscribe"
MANUAL = "manual"


class Entry(NamedTuple):
    """One address not to mail. `address` is normal; `scope` is None where the file names none.

    `since` is None where the file tells no time. `passing` marks a soft failure whose end the file does not tell:
    it gets the end that our own policy gives to such.
    """

    line: int
    address: str
    category: str
    reason: str
    why: str
    scope: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    passing: bool = False


class Left(NamedTuple):
    """A line that is no suppression; `kind` says why, in the same words for all lines alike."""

    line: int
    kind: str


class Refused(NamedTuple):
    """A line that could not be read; `text` is its beginning."""

    line: int
    why: str
    text: str = ""


Row = Entry | Left | Refused


class Claim(NamedTuple):
    """What a layout makes of the fields of one line; the address as the file spells it."""

    address: str
    category: str
    reason: str
    why: str
    scope: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    passing: bool = False


class Wrong(ValueError):
    """A line does not say what its format requires. Never leaves this stage."""
