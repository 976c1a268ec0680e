"""`/v1/evidence`: what the sender knows of addresses that take mail."""

from collections import Counter
from datetime import UTC, datetime
from functools import partial

from fastapi import APIRouter, Request
from pydantic import Field

from bounced.model import Move, Sign, SignOfLife
from bounced.serve.v1.doors import Doors
from bounced.serve.v1.shapes import Address, Given, Moment, Told, actor, normal
from bounced.store import TokenScope

#: Signs of one request, and the octets that so many may take.
_BATCH, _BATCH_OCTETS = 1_000, 1_000_000


class SignGiven(Given):
    """An address took mail, or its owner was there."""

    address: Address
    kind: Sign
    at: Moment | None = Field(default=None, description="Else now; what is still to come counts as now.")


class Signs(Given):
    """Signs of life; where one of them names no address, none is taken."""

    signs: list[SignGiven] = Field(min_length=1, max_length=_BATCH)


class Effect(Told):
    """What followed: suppressions that ended, and those that are disputed now."""

    taken: int
    released: int
    disputed: int


def routers(doors: Doors) -> list[APIRouter]:
    """Return the route."""
    write = doors.told(TokenScope.WRITE, "evidence", _BATCH_OCTETS)

    @write.post("/evidence")
    async def give_evidence(given: Signs, request: Request) -> Effect:
        """Tell of deliveries, opens, clicks and logins: they end what soft failures suppressed before them."""
        now, who = datetime.now(UTC), actor(request)
        signs = [
            SignOfLife(normal(sign.address, f"body.signs[{number}].address"), sign.kind, sign.at or now, who)
            for number, sign in enumerate(given.signs)
        ]
        changes = await doors.threads.ask(partial(doors.desk().witness, signs, now))
        moves = Counter(change.move for change in changes)
        return Effect(taken=len(signs), released=moves[Move.RELEASE], disputed=moves[Move.DISPUTE])

    return [write]
