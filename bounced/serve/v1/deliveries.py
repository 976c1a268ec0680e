"""`/v1/deliveries`: notifications on their way to the endpoints, and those that were given up."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from bounced.model import Delivery, DeliveryState
from bounced.serve.v1.doors import Doors
from bounced.serve.v1.shapes import (
    DEFAULT_LIMIT,
    NUMBER,
    Cursor,
    Given,
    Limit,
    Page,
    Told,
    Words,
    cursor,
    place_of,
)
from bounced.store import DeliveryQuery, TokenScope

Number = Annotated[int, Field(ge=1, le=NUMBER, strict=True)]


class NotificationTold(Told):
    """What is told. `id` is the `webhook-id` of every attempt."""

    id: str
    type: str
    at: datetime
    data: Mapping[str, Any]


class DeliveryTold(Told):
    """One notification on its way to one endpoint. `next_at` counts while it is open."""

    id: int
    endpoint: str
    state: DeliveryState
    attempts: int
    next_at: datetime
    last_error: str | None
    notification: NotificationTold


class AttemptTold(Told):
    """One POST, and what the endpoint answered."""

    at: datetime
    duration_ms: int
    state: DeliveryState
    next_at: datetime | None
    status_code: int | None
    error: str | None
    response: str | None


class Attempts(Told):
    """The attempts of one delivery, oldest first; none where there is no such delivery."""

    attempts: list[AttemptTold]


class Again(Given):
    """Deliveries to be tried again at once."""

    ids: list[Number] = Field(min_length=1, max_length=1_000)


class Opened(Told):
    """How many of them were opened; those that were done stay done."""

    opened: int


def routers(doors: Doors) -> list[APIRouter]:
    """Return the routes."""
    read, write = doors.asked(TokenScope.READ, "deliveries"), doors.told(TokenScope.WRITE, "deliveries")

    @read.get("/deliveries")
    async def list_deliveries(
        endpoint: Words | None = None,
        state: DeliveryState | None = None,
        type: Words | None = None,  # noqa: A002  the word of the query
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[DeliveryTold]:
        """List deliveries, newest first."""
        before = place_of(cursor, int)
        query = DeliveryQuery(endpoint, state, type, min(max(before[0], 0), NUMBER) if before else None, limit + 1)
        return _page(await doors.ask(lambda store: store.deliveries(query)), limit)

    @read.get("/deliveries/{id}/attempts")
    async def list_attempts(id: Annotated[int, Path(ge=1, le=NUMBER)]) -> Attempts:  # noqa: A002
        """List what was tried for one delivery, and what came of it."""
        found = await doors.ask(lambda store: store.attempts_of(id))
        return Attempts(attempts=[AttemptTold.model_validate(attempt) for attempt in found])

    @write.post("/deliveries/retry")
    async def retry_deliveries(again: Again) -> Opened:
        """Try these again, with all attempts before them."""
        return Opened(opened=await doors.ask(lambda store: store.retry(again.ids, datetime.now(UTC))))

    return [read, write]


def _page(found: list[Delivery], limit: int) -> Page[DeliveryTold]:
    items = found[:limit]
    more = cursor(items[-1].id) if len(found) > limit else None
    return Page(items=[DeliveryTold.model_validate(delivery) for delivery in items], next=more)
