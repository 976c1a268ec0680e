"""The pages of deliveries: who is told, how that goes, what was given up, and trying it again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Final
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Form, Path, Query, Request, Response

from bounced.config import Webhook
from bounced.model import Delivery, DeliveryState
from bounced.serve.pages.frame import Frame, actor
from bounced.serve.pages.text import link
from bounced.serve.problems import Problem
from bounced.serve.v1.shapes import NUMBER, cursor, place_of
from bounced.store import DeliveryQuery, Store

log = structlog.get_logger("bounced.serve")

_PAGE: Final = 50

Name = Annotated[str | None, Query(max_length=64)]
Number = Annotated[int, Path(ge=1, le=NUMBER)]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One who is told. `host` is None for one that the configuration does not name any more; `error` is the last."""

    name: str
    host: str | None
    types: tuple[str, ...]
    open: int
    done: int
    dead: int
    error: str | None


def routers(frame: Frame) -> list[APIRouter]:
    """Return the routes."""
    asked, told = frame.asked(), frame.told()

    @asked.get("/deliveries")
    async def deliveries(
        request: Request,
        endpoint: Name = None,
        state: DeliveryState | None = None,
        type: Name = None,  # noqa: A002  the word of the query
        after: Annotated[str | None, Query(alias="cursor", max_length=2_000)] = None,
    ) -> Response:
        """Show the endpoints, and notifications on their way to them."""
        place = place_of(after, int)
        query = DeliveryQuery(endpoint, state, type, place[0] if place else None, _PAGE + 1)
        found = await frame.ask(lambda store: store.deliveries(query))
        endpoints = await frame.ask(partial(_endpoints, frame))
        return frame.show(
            request,
            "deliveries.html",
            endpoints=endpoints,
            found=found[:_PAGE],
            next=cursor(found[_PAGE - 1].id) if len(found) > _PAGE else None,
            states=list(DeliveryState),
            filtered=bool(endpoint or state or type),
            about=_about,
        )

    @asked.get("/deliveries/{number}")
    async def delivery(request: Request, number: Number) -> Response:
        """Show one delivery: what is told, and every attempt."""
        found = await frame.ask(partial(_delivery, number))
        attempts = await frame.ask(lambda store: store.attempts_of(number))
        body = json.dumps(dict(found.notification.data), ensure_ascii=False, indent=2, default=str)
        return frame.show(request, "delivery.html", found=found, attempts=attempts, body=body, about=_about)

    @told.post("/deliveries/{number}/retry")
    async def retry(request: Request, number: Number) -> Response:
        """Try one of them again at once."""
        opened = await frame.ask(lambda store: store.retry([number], datetime.now(UTC)))
        log.info("deliveries retried", deliveries=opened, id=number, actor=actor(request))
        said = (
            f"Delivery {number} is tried again." if opened else f"Delivery {number} is done: there is nothing to try."
        )
        return frame.after(request, f"/deliveries/{number}", said, "done" if opened else "note")

    @told.post("/deliveries/retry")
    async def retry_all(request: Request, endpoint: Annotated[str, Form(max_length=64)]) -> Response:
        """Try again all that was given up for an endpoint."""
        opened = await frame.ask(lambda store: store.retry_dead(endpoint, datetime.now(UTC)))
        log.info("deliveries retried", deliveries=opened, endpoint=endpoint, actor=actor(request))
        said = f"{opened:,} notifications for {endpoint} are tried again."
        return frame.after(request, link("/deliveries", endpoint=endpoint), said)

    return [asked, told]


def _endpoints(frame: Frame, store: Store) -> list[Endpoint]:
    """Return those that are configured, and those that deliveries are still of."""
    known = {hook.name: hook for hook in frame.desk().endpoints}
    counts = store.delivery_counts()
    names = [*known, *sorted({name for name, _ in counts} - set(known))]
    return [_endpoint(name, known.get(name), counts, _last_error(store, name)) for name in names]


def _endpoint(
    name: str, hook: Webhook | None, counts: Mapping[tuple[str, DeliveryState], int], error: str | None
) -> Endpoint:
    """Return one of them. Of its URL no more than the host: the rest may be a secret."""
    return Endpoint(
        name=name,
        host=urlsplit(hook.url).netloc.rpartition("@")[2] if hook else None,
        types=hook.types if hook else (),
        open=counts.get((name, DeliveryState.OPEN), 0),
        done=counts.get((name, DeliveryState.DONE), 0),
        dead=counts.get((name, DeliveryState.DEAD), 0),
        error=error,
    )


def _last_error(store: Store, endpoint: str) -> str | None:
    """Return what went wrong with the newest delivery that is not done."""
    newest = [
        each
        for state in (DeliveryState.OPEN, DeliveryState.DEAD)
        for each in store.deliveries(DeliveryQuery(endpoint, state, limit=1))
        if each.last_error
    ]
    return max(newest, key=lambda each: each.id).last_error if newest else None


def _delivery(number: int, store: Store) -> Delivery:
    found = store.delivery(number)
    if found is None:
        raise Problem(404, f"There is no delivery {number}; it may have been removed for its age.")
    return found


def _about(found: Delivery) -> str | None:
    """Return whom, or what, a notification is about."""
    data = found.notification.data
    for name in ("address", "recipient", "provider", "mailbox"):
        if isinstance(value := data.get(name), str):
            return value
    return None
