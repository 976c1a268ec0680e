"""`/v1/events`: what came in and what it was taken for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query

from bounced.model import Action, Category, Event, Fault, Kind, Reason, Trust
from bounced.serve.problems import Problem, responses
from bounced.serve.v1.doors import Doors
from bounced.serve.v1.shapes import (
    DEFAULT_LIMIT,
    Address,
    Cursor,
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
    place: PlaceTold


def routers(doors: Doors) -> list[APIRouter]:
    """Return the routes."""
    read = doors.asked(TokenScope.READ, "events")

    @read.get("/events")
    async def list_events(  # noqa: PLR0913  each parameter is one of the query
        since: Since = None,
        until: Since = None,
        kind: Kind | None = None,
        category: Category | None = None,
        reason: Reason | None = None,
        fault: Fault | None = None,
        trust: Trust | None = None,
        address: Annotated[Address | None, Query()] = None,
        campaign: Words | None = None,
        list: Words | None = None,  # noqa: A002  the word of the query
        provider: Words | None = None,
        rule: Words | None = None,
        mailbox: Words | None = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[EventTold]:
        """List events, newest first."""
        query = EventQuery(
            since=since,
            until=until,
            kind=kind,
            category=category,
            reason=reason,
            fault=fault,
            trust=trust,
            address=normal(address, "query.address") if address else None,
            campaign=campaign,
            list=list,
            provider=provider,
            rule=rule,
            mailbox=mailbox,
            limit=limit + 1,
            cursor=_after(cursor),
        )
        return _page(await doors.ask(lambda store: [*store.events(query)]), limit)

    @read.get("/events/{id}", responses=responses(404))
    async def get_event(id: Annotated[str, Path(min_length=1, max_length=64)]) -> EventTold:  # noqa: A002
        """Return one event."""
        found = await doors.ask(lambda store: store.event(id))
        if found is None:
            raise Problem(404, "There is no event of this id.")
        return EventTold.model_validate(found)

    return [read]


def _page(found: list[Event], limit: int) -> Page[EventTold]:
    items = found[:limit]
    more = cursor(items[-1].at.isoformat(), items[-1].id) if len(found) > limit else None
    return Page(items=[EventTold.model_validate(event) for event in items], next=more)


def _after(given: str | None) -> str | None:
    """Return the cursor as the store takes it. Raises Problem 422."""
    place = place_of(given, str, str)
    return f"{moment(place[0]).isoformat()}_{place[1]}" if place else None
