"""A count of mails sent, as its sender tells of it: a line of a file, or a part of a request."""

import re
from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bounced.model import SentCount

#: The largest number that every reader of JSON holds exactly (RFC 8259 section 6).
_NUMBER = 2**53 - 1
_PRINTABLE = r"^[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+$"

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _day(value: object) -> object:
    """Return what may be a day; a number, which would count seconds of 1970, and a time are none."""
    if (isinstance(value, str) and _DAY.fullmatch(value)) or (isinstance(value, date) and type(value) is not datetime):
        return value
    raise ValueError("want a day such as 2026-11-21")


Day = Annotated[date, BeforeValidator(_day)]
Name = Annotated[str, Field(min_length=1, max_length=500, pattern=_PRINTABLE)]
Source = Annotated[str, Field(min_length=1, max_length=64, pattern=_PRINTABLE)]


class Counting(BaseModel):
    """How many mails were sent on a day, of a campaign and so on where that is told. An unknown field is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    day: Day = Field(description="Of the sender.", examples=["2026-11-21"])
    sent: Annotated[int, Field(ge=0, le=_NUMBER, strict=True)]
    campaign: Name | None = None
    list: Name | None = None
    category: Name | None = Field(default=None, description="One of the categories that you give your mail.")
    provider: Annotated[str, Field(min_length=1, max_length=64, pattern=_PRINTABLE)] | None = None

    def count(self, source: str) -> SentCount:
        """Return it as told by that source."""
        return SentCount(self.day, self.sent, self.campaign, self.list, self.category, self.provider, source)
