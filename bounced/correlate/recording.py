"""A mail as its sender tells of it -> the record that reports on it are tied to."""

import hashlib
import secrets
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bounced import address
from bounced.correlate import text, token
from bounced.correlate.signer import clean_tags
from bounced.model import Sent, Tags

_ID_OCTETS = 10
_Line = Annotated[str, Field(max_length=500)]


class Recording(BaseModel):
    """One mail to one recipient, as a line of JSON names it. An unknown field is a mistake and not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipient: Annotated[str, Field(min_length=3, max_length=600)]
    id: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[!-~]+$")] | None = None
    message_id: Annotated[str, Field(max_length=300)] | None = None
    campaign: _Line | None = None
    list: _Line | None = None
    categories: tuple[_Line, ...] = ()
    stream: _Line | None = None
    sent_at: AwareDatetime | None = None
    return_path: Annotated[str, Field(max_length=320)] | None = None

    def sent(self) -> Sent:
        """Return the record. Raises ValueError where the recipient is no address, or nothing could refer to it."""
        recipient = address.normalise(self.recipient)
        if recipient is None:
            raise ValueError("recipient: is no mail address")
        message_id = text.message_id(self.message_id)
        if self.message_id and message_id is None:
            raise ValueError("message_id: want <LEFT@RIGHT>")
        if self.id is None and message_id is None:
            raise ValueError("want id or message_id: nothing else refers to a mail")
        id_ = self.id or record_id(message_id, recipient)
        tags = clean_tags(Tags(self.campaign, self.list, self.categories, self.stream))
        return Sent(id_, recipient, message_id, tags, self.sent_at, self.return_path)


def record_id(message_id: str | None = None, recipient: str = "") -> str:
    """Return an id that a token can carry: the same one for the same mail to the same recipient, else a random one."""
    if message_id is None:
        return token.to_base32(secrets.token_bytes(_ID_OCTETS))
    told = f"{message_id}\0{recipient}".encode("utf-8", "replace")
    return token.to_base32(hashlib.sha256(told).digest()[:_ID_OCTETS])


def mark_of(tags: Tags) -> str:
    """Return the mark that a short token carries in place of these tags, 12 hex digits."""
    return token.mark_of_tags(clean_tags(tags)).hex()
