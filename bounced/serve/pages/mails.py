"""The page of mails: what was recorded, one line each, filtered as the query says; the same as a file; one of them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from bounced.address import normalise, normalise_domain
from bounced.keeping import octets
from bounced.model import FAULT_OF, Category, Event, Fault, Kept, Kind, Reason, Trust
from bounced.serve.exported import Form, exported
from bounced.serve.pages.frame import Frame
from bounced.serve.pages.guard import HEADERS
from bounced.serve.pages.times import span_of
from bounced.serve.problems import Problem, invalid
from bounced.serve.sheets import EVENTS
from bounced.serve.v1.shapes import ADDRESS, LINE
from bounced.store import EventQuery, Store, cursor_of

#: Lines of a page, and how many are counted beyond it.
_LINES: Final = 50
_COUNTED: Final = 10_000
#: Seconds that reading a page may take, and counting the rest.
_READING, _COUNTING = 20.0, 0.5
_TOO_LONG: Final = (
    "Too many mails fit each of these filters alone, and too few all of them, to find those in time. "
    "Choose fewer days, or name the address, its domain, the campaign or the rule."
)
#: Octets of a report that the page shows; the file has all of them.
_SHOWN: Final = 100_000
#: A downloaded report is text to any browser, and nothing in it acts.
_INERT: Final = {
    **HEADERS,
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}

Words = Annotated[str | None, Query(max_length=LINE)]
Failed = Literal["failed", "hard", "soft", "complaint"]


def asked_of(  # noqa: PLR0913  each parameter is one of the query
    request: Request,
    category: Failed | None = None,
    kind: Kind | None = None,
    reason: Reason | None = None,
    fault: Fault | None = None,
    trust: Trust | None = None,
    address: Annotated[str | None, Query(max_length=ADDRESS)] = None,
    domain: Words = None,
    campaign: Words = None,
    list: Words = None,  # noqa: A002  the word of the query
    tag: Words = None,
    provider: Words = None,
    rule: Words = None,
    mailbox: Words = None,
    sort: Literal["at", "-at"] = "-at",
) -> EventQuery:
    """Return what the query of a view asks for. Raises Problem 422."""
    span = span_of(request, datetime.now(UTC))
    return EventQuery(
        since=span.since,
        until=span.until,
        failed=category == "failed",
        category=None if category == "failed" else category,
        kind=kind,
        reason=reason,
        fault=fault,
        trust=trust,
        campaign=campaign,
        list=list,
        tag=tag,
        provider=provider,
        rule=rule,
        mailbox=mailbox,
        oldest=sort == "at",
        **_whose(address, domain),
    )


Asked = Annotated[EventQuery, Depends(asked_of)]


def routers(frame: Frame) -> list[APIRouter]:
    """Return the routes."""
    asked = frame.asked()

    @asked.get("/mails")
    async def mails(
        request: Request, query: Asked, cursor: Annotated[str | None, Query(max_length=200)] = None
    ) -> Response:
        """Show a page of mails."""
        page = replace(query, limit=_LINES + 1, cursor=cursor)
        try:
            found, amount = await frame.ask(lambda store: _read(store, page))
        except ValueError:
            raise invalid("query.cursor", "is not of a page of this list") from None
        except TimeoutError:
            raise Problem(503, _TOO_LONG) from None
        return frame.show(
            request,
            "mails.html",
            span=span_of(request, datetime.now(UTC)),
            found=found[:_LINES],
            next=cursor_of(found[_LINES - 1]) if len(found) > _LINES else None,
            amount=amount,
            counted=_COUNTED,
            filters=_FILTERS,
            options=_OPTIONS,
            more=[name for name, _ in _MORE],
        )

    @asked.get("/mails/export")
    async def export(
        request: Request, query: Asked, form: Annotated[Form, Query(alias="format")] = Form.CSV
    ) -> Response:
        """Hand out the view as a file: every line of it, in the same order."""
        said = await exported(frame.threads, frame.desk().store.events(query), form, EVENTS)
        said.headers.update(HEADERS)
        return said

    @asked.get("/event")
    async def event(request: Request, id: Annotated[str, Query(max_length=64)]) -> Response:  # noqa: A002
        """Show what is known of one mail, and why it was taken for that."""
        found, kept = await frame.ask(lambda store: _look(store, id))
        raw = octets(kept) if kept else b""
        return frame.show(
            request,
            "event.html",
            event=found,
            kept=kept,
            length=len(raw),
            raw=raw[:_SHOWN].decode("utf-8", "replace").replace("\r\n", "\n"),
            shown=_SHOWN,
            implied=FAULT_OF.get(found.reason) if found.reason else None,
            in_force=any(rule.id == found.rule for rule in frame.desk().rules),
        )

    @asked.get("/event/raw")
    async def raw(id: Annotated[str, Query(max_length=64)]) -> Response:  # noqa: A002
        """Hand out the report as far as it is kept, as text that nothing runs."""
        found, kept = await frame.ask(lambda store: _look(store, id))
        if kept is None:
            raise Problem(404, "The report itself is not kept any more.")
        headers = {**_INERT, "Content-Disposition": f'attachment; filename="{_plain(found.id)}.txt"'}
        return Response(octets(kept), media_type="text/plain; charset=utf-8", headers=headers)

    return [asked]


def _whose(address: str | None, domain: str | None) -> dict[str, Any]:
    """Return the part of a query that a search for an address is: all of it, `@` and its domain, or its beginning."""
    found: dict[str, Any] = {}
    if domain:
        found["domain"] = _domain(domain, "query.domain")
    words = (address or "").strip()
    if words.startswith("@"):
        found["domain"] = _domain(words[1:], "query.address")
    elif words.endswith("*") or (words and "@" not in words):
        found["begins"] = words.rstrip("*").lower()
    elif words:
        normal = normalise(words)
        if normal is None:
            raise invalid("query.address", "is no address; @example.org finds a domain, ann* what begins so")
        found["address"] = normal
    return {name: value for name, value in found.items() if value}


def _domain(text: str, at: str) -> str:
    found = normalise_domain(text)
    if found is None:
        raise invalid(at, "is no domain")
    return found


def _read(store: Store, query: EventQuery) -> tuple[list[Event], int | None]:
    """Return a page and how many mails there are in all, as far as they are counted in time. Raises TimeoutError."""
    found = store.events_page(query, _READING)
    if query.cursor is None and len(found) <= _LINES:
        return found, len(found)
    return found, store.events_amount(query, _COUNTED + 1, _COUNTING)


def _look(store: Store, id_: str) -> tuple[Event, Kept | None]:
    found = store.event(id_)
    if found is None:
        raise Problem(404, "There is no mail of this number. It may have been too old to be kept.")
    return found, store.kept(found.digest)


def _plain(name: str) -> str:
    return "".join(sign for sign in name if sign.isascii() and (sign.isalnum() or sign == "_"))


#: The filters of the view, by name and in words; those behind "More" are seldom used.
_MORE: Final = (
    ("kind", "Kind of mail"),
    ("fault", "Whose fault"),
    ("trust", "Trust"),
    ("list", "List"),
    ("tag", "Category of the sender"),
    ("domain", "Domain"),
    ("rule", "Rule"),
    ("mailbox", "Mailbox"),
)
_FILTERS: Final = {
    "category": "Verdict",
    "address": "Address",
    "reason": "Reason",
    "provider": "Provider",
    "campaign": "Campaign",
    **dict(_MORE),
}
_OPTIONS: Final = {
    "category": ("failed", *Category),
    "reason": tuple(Reason),
    "kind": tuple(Kind),
    "fault": tuple(Fault),
    "trust": tuple(Trust),
}
