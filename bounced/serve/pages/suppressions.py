"""The page of the suppression table: searched, counted, handed out as a file."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from bounced.address import normalise, normalise_domain
from bounced.model import Suppression
from bounced.serve.exported import Form, exported
from bounced.serve.pages.frame import Frame
from bounced.serve.pages.guard import HEADERS
from bounced.serve.pages.text import link
from bounced.serve.pages.times import span_of
from bounced.serve.problems import invalid
from bounced.serve.sheets import SUPPRESSIONS
from bounced.serve.v1.shapes import ADDRESS, LINE, cursor, place_of
from bounced.store import Store, SuppressionQuery

#: Lines of a page, and how many entries are counted beyond it.
_LINES: Final = 50
_COUNTED: Final = 100_000
#: Seconds that counting may take.
_COUNTING: Final = 0.5

Words = Annotated[str | None, Query(max_length=LINE)]


class Cause(StrEnum):
    """The categories of an entry."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    MANUAL = "manual"


#: The filters of the view, by name and in words.
_FILTERS: Final = {
    "address": "Address",
    "category": "Category",
    "scope": "Scope",
    "reason": "Reason",
    "actor": "Written by",
    "since": "Suppressed from",
    "until": "to",
    "disputed": "Disputed",
}


def asked_of(  # noqa: PLR0913  each parameter is one of the query
    request: Request,
    address: Annotated[str | None, Query(max_length=ADDRESS)] = None,
    category: Cause | None = None,
    scope: Words = None,
    reason: Words = None,
    actor: Words = None,
    disputed: bool = False,
) -> SuppressionQuery:
    """Return what the query of a view asks for: of what holds now. Raises Problem 422."""
    now, given = datetime.now(UTC), request.query_params
    span = span_of(request, now, days=3_650) if given.get("since") or given.get("until") else None
    words = (address or "").strip().lower()
    domain = normalise_domain(words[1:]) if words.startswith("@") else None
    if words.startswith("@") and domain is None:
        raise invalid("query.address", "is no domain")
    return SuppressionQuery(
        scope=scope,
        category=category,
        reason=reason,
        actor=actor,
        disputed=disputed,
        domain=domain,
        begins=words.rstrip("*") or None if domain is None else None,
        since=span.since if span else None,
        before=span.until if span else None,
        holding_at=now,
    )


Asked = Annotated[SuppressionQuery, Depends(asked_of)]


def routers(frame: Frame) -> list[APIRouter]:
    """Return the routes."""
    asked = frame.asked()

    @asked.get("/suppressions")
    async def suppressions(
        request: Request,
        query: Asked,
        after: Annotated[str | None, Query(alias="cursor", max_length=2_000)] = None,
    ) -> Response:
        """Show a page of the table."""
        place = place_of(after, str, str)
        page = replace(query, limit=_LINES + 1, after=(place[0], place[1]) if place else None)
        found, amount = await frame.ask(lambda store: _read(store, page))
        last = found[_LINES - 1] if len(found) > _LINES else None
        whole = normalise(request.query_params.get("address", ""))
        return frame.show(
            request,
            "suppressions.html",
            found=found[:_LINES],
            next=cursor(last.address, last.scope) if last else None,
            amount=amount,
            counted=_COUNTED,
            filters=_FILTERS,
            categories=list(Cause),
            whole=link("/address", address=whole) if whole else None,
        )

    @asked.get("/suppressions/export")
    async def export(query: Asked, form: Annotated[Form, Query(alias="format")] = Form.CSV) -> Response:
        """Hand out the view as a file that `bounced suppressions import` reads back."""
        entries: Iterator[Suppression] = frame.desk().store.suppressions(query)
        said = await exported(frame.threads, entries, form, SUPPRESSIONS)
        said.headers.update(HEADERS)
        return said

    return [asked]


def _read(store: Store, query: SuppressionQuery) -> tuple[list[Suppression], int | None]:
    """Return a page and how many entries there are in all, as far as they are counted in time."""
    found = list(store.suppressions(query))
    if query.after is None and len(found) <= _LINES:
        return found, len(found)
    return found, store.suppressions_amount(query, _COUNTED + 1, _COUNTING)
