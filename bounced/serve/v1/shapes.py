"""What requests and answers have in common: forms of values, pages, cursors."""

import base64
import json
import re
from datetime import datetime
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Query, Request
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from bounced.address import known_as
from bounced.model.names import PRINTABLE, SCOPE_LENGTH
from bounced.serve.problems import invalid

Item = TypeVar("Item")

#: Characters of an address (RFC 5321), of the text that explains a change, of a line.
ADDRESS, PROSE, LINE = 254, 1_000, 500
#: The largest number that every reader of JSON holds exactly (RFC 8259 section 6).
NUMBER: Final = 2**53 - 1
DOMAIN: Final = r"^[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*$"
_PAGE, _LARGEST_PAGE = 100, 500
_DATED: Final = re.compile(r"\d{4}-\d\d-\d\d")


def _text(value: object) -> object:
    """Return what may be a time; a bare number is none, whatever it would count."""
    if not isinstance(value, str):
        raise ValueError("want a time as text (RFC 3339)")
    return value


def _dated(value: object) -> object:
    """Return what may be a time in a query; a number, which would count seconds of 1970, is none."""
    if isinstance(value, str) and not _DATED.match(value):
        raise ValueError("want a time (RFC 3339)")
    return value


class Given(BaseModel):
    """A request: an unknown field is a mistake and not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Told(BaseModel):
    """A part of an answer, taken from a noun of the same fields."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Page(Told, Generic[Item]):
    """Some of a listing. `next` asks for the rest; null at the end. What comes meanwhile shifts nothing."""

    items: list[Item]
    next: str | None = Field(description="The `cursor` of the next page; null where this is the last.")


#: In any spelling, internationalised or not; `normal` has the last word.
Address = Annotated[
    str, Field(min_length=3, max_length=ADDRESS, examples=["ann@example.com"], json_schema_extra={"format": "email"})
]
ScopeName = Annotated[
    str,
    Field(
        max_length=SCOPE_LENGTH,
        pattern=PRINTABLE,
        examples=["*", "marketing"],
        description="A stream or a list; * is everywhere.",
    ),
]
Domain = Annotated[str, Query(max_length=253, pattern=DOMAIN, description="As A-labels.", examples=["example.com"])]
Words = Annotated[str, Query(min_length=1, max_length=LINE)]
Asked = Annotated[AwareDatetime, BeforeValidator(_dated)]
Since = Annotated[Asked | None, Query(description="From then on; `until`: before then.")]
Moment = Annotated[AwareDatetime, BeforeValidator(_text)]
Limit = Annotated[int, Query(ge=1, le=_LARGEST_PAGE, description="Items on a page.")]
Cursor = Annotated[str | None, Query(max_length=2_000, description="`next` of the page before.")]
DEFAULT_LIMIT: Final = _PAGE


def normal(address: str, at: str) -> str:
    """Return the normal form of an address; what stands for one in a listing is taken as it is.

    Raises Problem 422 that names the place it stood at.
    """
    found = known_as(address)
    if found is None:
        raise invalid(at, "is no mail address")
    return found


def actor(request: Request) -> str:
    """Return who changes something, for the journal."""
    return f"token {request.state.token.name}"


def cursor(*place: str | int) -> str:
    """Return what `place_of` turns back into the place of the last item on a page."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place_of(given: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """Return the place that a cursor stands for: values of these types. Raises Problem 422 for what is no cursor."""
    if given is None:
        return None
    try:
        place = json.loads(base64.urlsafe_b64decode(given.encode("ascii") + b"=="))
    except (ValueError, RecursionError):
        place = None
    if not isinstance(place, list) or [type(value) for value in place] != list(kinds):
        raise invalid("query.cursor", "is not the `next` of a page of this listing")
    return tuple(place)


def moment(text: str) -> datetime:
    """Return the time in a cursor. Raises Problem 422."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise invalid("query.cursor", "is not the `next` of a page of this listing") from None
