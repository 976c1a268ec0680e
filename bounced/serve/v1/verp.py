"""`/v1/verp/sign`: return path and headers for one mail, for senders that have no Python."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from bounced.model import Tags
from bounced.serve.problems import Problem, responses
from bounced.serve.v1.doors import Doors
from bounced.serve.v1.shapes import Address, Given, Told, normal
from bounced.store import TokenScope

_Name = Annotated[str, Field(min_length=1, max_length=128)]


class MailGiven(Given):
    """One mail to one recipient. A Message-ID tells it from another to the same recipient on that day."""

    recipient: Address
    campaign: _Name | None = None
    list: _Name | None = None
    categories: Annotated[tuple[_Name, ...], Field(max_length=10)] = ()
    stream: _Name | None = None
    message_id: Annotated[str, Field(min_length=3, max_length=300)] | None = None
    purpose: Literal["bounce", "unsub", "fbl"] = "bounce"


class StampTold(Told):
    """What the mail carries. `envid` is null, and there are no headers, for any other purpose than `bounce`."""

    recipient: str
    return_path: str
    envid: str | None
    headers: dict[str, str]


def routers(doors: Doors) -> list[APIRouter]:
    """Return the route."""
    write = doors.told(TokenScope.WRITE, "verp")

    @write.post("/verp/sign", responses=responses(409))
    async def sign(given: MailGiven) -> StampTold:
        """Mint a signed return path, and the headers that say the same. Nothing is stored."""
        mint = doors.desk().sign
        if mint is None:
            raise Problem(409, "No signing key is configured (correlation.signing.keys).")
        recipient = normal(given.recipient, "body.recipient")
        tags = Tags(given.campaign, given.list, given.categories, given.stream)
        try:
            path, envid, headers = mint(recipient, tags, given.message_id, given.purpose)
        except ValueError as exc:
            raise Problem(409, f"Cannot sign: {exc}.") from None
        return StampTold(recipient=recipient, return_path=path, envid=envid, headers=headers)

    return [write]
