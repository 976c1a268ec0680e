"""`/v1/events`: what came in and what it was taken for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from bounced.address import normalise_domain
from bounced.model import Action, Category, Event, Fault, Kind, Reason, Trust
from bounced.serve.exported import MEDIA_TYPES, Form, exported
from bounced.serve.problems import Problem, invalid, responses
from bounced.serve.sheets import EVENTS
from bounced.serve.v1.doors import Doors
from bounced.serve.v1.shapes import (
    ADDRESS,
    DEFAULT_LIMIT,
    LINE,
    Address,
    Cursor,
    Domain,
    Limit,
    Page,
    Since,
    Told,
    Words,
    cursor,
    moment,
    normal,
    place_of,
)
from bounced.store import EventQuery, TokenScope

_EXPORTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file, as it is read; an answer that breaks off is not whole.",
        "content": {media: {"schema": {"type": "string"}} for media in MEDIA_TYPES.values()},
    }
}


class Order(StrEnum):
    """By which end of time a listing begins."""

    NEWEST = "newest"
    OLDEST = "oldest"


class PlaceTold(Told):
    """Where the report lies."""

    mailbox: str
    folder: str
    uidvalidity: int
    uid: int


class TagsTold(Told):
    """What the sender said of the mail."""

    campaign: str | None
    list: str | None
    categories: Sequence[str]
    stream: str | None


class EventTold(Told):
    """One recorded verdict, with what it rests on: texts of strangers, to be shown with care."""

    id: str
    at: datetime
    kind: Kind
    category: Category | None
    reason: Reason | None
    fault: Fault
    trust: Trust
    trust_why: str
    address: str | None
    final_recipient: str | None
    provider: str | None
    status: str | None
    reply_code: str | None
    action: Action | None
    diagnostic: str | None
    reporting_mta: str | None
    remote_mta: str | None
    feedback_type: str | None
    subtype: str | None
    message_id: str | None
    subject: str | None
    tags: TagsTold
    reported_at: datetime | None
    reader: str
    rule: str
    matched: str | None
    basis: list[str]
    disagreed: list[str]
    identified_by: str
    decision: str
    superseded_by: str | None = Field(description="The event of a later judgement; then this one counts no more.")
    place: PlaceTold


def _asked(  # noqa: PLR0913  each parameter is one of the query
    since: Since = None,
    until: Since = None,
    kind: Kind | None = None,
    failed: Annotated[bool, Query(description="Only what has a category: hard, soft or complaint.")] = False,
    category: Category | None = None,
    reason: Reason | None = None,
    fault: Fault | None = None,
    trust: Trust | None = None,
    address: Annotated[Address | None, Query()] = None,
    begins: Annotated[str | None, Query(min_length=1, max_length=ADDRESS, description="How an address begins.")] = None,
    domain: Domain | None = None,
    campaign: Words | None = None,
    list: Words | None = None,  # noqa: A002  the word of the query
    tag: Annotated[str | None, Query(min_length=1, max_length=LINE, description="One of `tags.categories`.")] = None,
    provider: Words | None = None,
    rule: Words | None = None,
    mailbox: Words | None = None,
    superseded: Annotated[bool, Query(description="Also those that a later judgement of the mail replaced.")] = False,
    order: Annotated[Order, Query()] = Order.NEWEST,
) -> EventQuery:
    """Return what was asked for. Raises Problem 422."""
    return EventQuery(
        since=since,
        until=until,
        kind=kind,
        failed=failed,
        category=category,
        reason=reason,
        fault=fault,
        trust=trust,
        address=normal(address, "query.address") if address else None,
        begins=begins.lower() if begins else None,
        domain=_domain(domain) if domain else None,
        campaign=campaign,
        list=list,
        tag=tag,
        provider=provider,
        rule=rule,
        mailbox=mailbox,
        superseded=superseded,
        oldest=order is Order.OLDEST,
    )


def routers(doors: Doors) -> list[APIRouter]:
    """Return the routes."""
    read = doors.asked(TokenScope.READ, "events")

    @read.get("/events")
    async def list_events(
        asked: Annotated[EventQuery, Depends(_asked)], limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Page[EventTold]:
        """List events, newest first unless another order is asked for."""
        query = replace(asked, limit=limit + 1, cursor=_after(cursor))
        return _page(await doors.ask(lambda store: [*store.events(query)]), limit)

    @read.get("/events/export", response_class=StreamingResponse, responses=_EXPORTED)
    async def export_events(
        asked: Annotated[EventQuery, Depends(_asked)],
        form: Annotated[Form, Query(alias="format", description="One event a line.")] = Form.CSV,
    ) -> Response:
        """Write every event that the same query lists, all of them; no cell of the CSV is a formula."""
        return await exported(doors.threads, doors.desk().store.events(asked), form, EVENTS)

    @read.get("/events/{id}", responses=responses(404))
    async def get_event(id: Annotated[str, Path(min_length=1, max_length=64)]) -> EventTold:  # noqa: A002
        """Return one event."""
        found = await doors.ask(lambda store: store.event(id))
        if found is None:
            raise Problem(404, "There is no event of this id.")
        return EventTold.model_validate(found)

    return [read]


def _domain(given: str) -> str:
    """Return the domain as it stands in addresses. Raises Problem 422."""
    found = normalise_domain(given)
    if found is None:
        raise invalid("query.domain", "is no domain")
    return found


def _page(found: list[Event], limit: int) -> Page[EventTold]:
    items = found[:limit]
    more = cursor(items[-1].at.isoformat(), items[-1].id) if len(found) > limit else None
    return Page(items=[EventTold.model_validate(event) for event in items], next=more)


def _after(given: str | None) -> str | None:
    """Return the cursor as the store takes it. Raises Problem 422."""
    place = place_of(given, str, str)
    return f"{moment(place[0]).isoformat()}_{place[1]}" if place else None
