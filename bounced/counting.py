"""A count of mails sent, as its sender tells of it: a line of a file, or a part of a request."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bounced.model import SentCount

#: The largest number that every reader of JSON holds exactly (RFC 8259 section 6).
_NUMBER = 2**53 - 1
_PRINTABLE = r"^[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+$"

Name = Annotated[str, Field(min_length=1, max_length=500, pattern=_PRINTABLE)]
Source = Annotated[str, Field(min_length=1, max_length=64, pattern=_PRINTABLE)]


class Counting(BaseModel):
    """How many mails were sent on a day, of a campaign and so on where that is told. An unknown field is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    day: date = Field(description="Of the sender.", examples=["2026-11-21"])
    sent: Annotated[int, Field(ge=0, le=_NUMBER, strict=True)]
    campaign: Name | None = None
    list: Name | None = None
    category: Name | None = Field(default=None, description="One of the categories that you give your mail.")
    provider: Annotated[str, Field(min_length=1, max_length=64, pattern=_PRINTABLE)] | None = None

    def count(self, source: str) -> SentCount:
        """Return it as told by that source."""
        return SentCount(self.day, self.sent, self.campaign, self.list, self.category, self.provider, source)
