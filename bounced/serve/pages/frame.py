"""What every page stands in: who may see it, what a form must bring, and the layout around it."""

import hashlib
import hmac
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from bounced import __version__
from bounced.serve.desk import Desk, Threads
from bounced.serve.health import Health
from bounced.serve.pages import text
from bounced.serve.pages.guard import HEADERS, comes_from_elsewhere, demand_our_form, demand_our_name
from bounced.serve.pages.session import Session, Sessions, drop_message, leave_message, take_message
from bounced.serve.pages.times import zone_name, zone_of
from bounced.serve.problems import Problem
from bounced.serve.v1.doors import SMALL, Body
from bounced.store import Store, TokenScope

T = TypeVar("T")

_HERE: Final = Path(__file__).parent
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
_FIELDS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation."""

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What a page is made with. `desk` returns the configuration now in force."""

    desk: Callable[[], Desk]
    threads: Threads
    sessions: Sessions
    health: Health
    places: list[Place]
    templates: Environment

    def asked(self) -> APIRouter:
        """Return a router for pages that whoever logged in may see. They change nothing."""
        return self._router(TokenScope.READ, SMALL)

    def told(self, limit: int = SMALL) -> APIRouter:
        """Return a router for forms (POST) of up to `limit` octets: they need a token that may write, and `csrf`."""
        return self._router(TokenScope.WRITE, limit)

    def unguarded(self) -> APIRouter:
        """Return a router for what is there before anybody logged in."""
        return self._router(None, SMALL)

    async def ask(self, question: Callable[[Store], T]) -> T:
        """Return what the store answers, asked in a thread. Raises StoreDown."""
        return await self.threads.ask(partial(question, self.desk().store))

    async def recognise(self, request: Request) -> Session | None:
        """Return who is logged in; let the request know that, and the zone of this host. Raises StoreDown, and Problem
        for a name not ours."""
        demand_our_name(request, self.desk().http.names)
        request.state.zone = self.desk().zone
        session = await self.sessions.find(request)
        if session is not None:
            request.state.session, request.state.token = session, session.token
        return session

    def show(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return the page that a template makes of the values, and of what `base.html` needs."""
        session = session_of(request)
        said = take_message(request, session) if session else None
        values |= {
            "request": request,
            "session": session,
            "places": self.places if session else [],
            "said": said,
            "zone": zone_of(request),
            "zone_name": zone_name(zone_of(request)),
            "now": datetime.now(UTC),
            "query": dict(request.query_params),
        }
        page = HTMLResponse(self.templates.get_template(template).render(values), status, HEADERS)
        if said:
            drop_message(request, page)
        return page

    def after(self, request: Request, to: str, message: str, kind: str = "done") -> RedirectResponse:
        """Return the way from a form to the page that shows what came of it. `kind` is done, note or fault."""
        response = RedirectResponse(to, 303, HEADERS)
        if session := session_of(request):
            leave_message(request, response, session, kind, message)
        return response

    def _router(self, needs: TokenScope | None, limit: int) -> APIRouter:
        route = type("Route", (_PageRoute,), {"frame": self, "needs": needs, "limit": limit})
        return APIRouter(route_class=route, include_in_schema=False, default_response_class=HTMLResponse)


class _PageRoute(APIRoute):
    """A route of the page: right name, right session, right form."""

    frame: Frame
    needs: TokenScope | None
    limit: int

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            if not self.frame.desk().http.pages:
                raise Problem(404, "There is nothing at this address.")
            session = await self.frame.recognise(request)
            if self.needs is not None and session is None:
                return self._to_login(request)
            if self.needs is not None and session is not None and not session.token.allows(self.needs):
                raise Problem(403, "Your token may look, and change nothing: this takes the scope write.")
            _drop_empty_fields(request)
            if request.method == "GET":
                return await handle(request)
            body = self._body(request)
            try:
                await self._demand_its_word(body, session)
                return await handle(body)
            finally:
                await body.close()

        return guarded

    def _to_login(self, request: Request) -> Response:
        """Ask to log in; or, where a link on another site led here, to come again with the cookie."""
        if request.method == "GET" and comes_from_elsewhere(request):
            return self.frame.show(request, "again.html", to=here(request))
        to = here(request) if request.method == "GET" else "/"
        return RedirectResponse(text.link("/login", next=to if to != "/" else None), 303, HEADERS)

    def _body(self, request: Request) -> Body:
        """Return the request as one of whose form no more is read than the limit. Raises Problem for what is none."""
        demand_our_form(request)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _FORMS:
            raise Problem(415, "Want a form.")
        body = Body(request.scope, request.receive)
        body.limit = self.limit
        return body

    async def _demand_its_word(self, body: Body, session: Session | None) -> None:
        """Read the form, and raise Problem 403 where it lacks the word of this session."""
        form = await body.form(max_fields=_FIELDS, max_files=5, max_part_size=self.limit)
        if self.needs and session and not _same(form.get("csrf"), session.csrf):
            raise Problem(403, "This form is of an earlier login. Go back, load the page anew, and send it again.")


def session_of(request: Request) -> Session | None:
    """Return who is logged in."""
    found = getattr(request.state, "session", None)
    return found if isinstance(found, Session) else None


def actor(request: Request) -> str:
    """Return who changes something, for the journal. Only of a request that needed a session."""
    session = session_of(request)
    assert session is not None  # noqa: S101  the route saw to it
    return session.actor


def here(request: Request) -> str:
    """Return path and query of a request."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def local(path: str) -> str:
    """Return a path that leads nowhere but to a page of ours; for any other, the first page."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if plain else "/"


def environment(statics: Mapping[str, str]) -> Environment:
    """Return the templates; `statics` maps each static file to the mark of its content."""
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=text.finalised,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "stranger": text.stranger,
        "number": text.number,
        "words": text.words,
        "segment": text.segment,
        "span": text.span,
        "rate": text.rate,
        "day": text.day,
        "day_before": lambda day, days: day - timedelta(days=days),
        "moment": _moment,
    }
    made.globals |= {
        "version": __version__,
        "static": lambda name: f"/static/{name}?v={statics[name]}",
        "link": text.link,
        "ago": text.ago,
        "marked": text.marked,
        "again": _again,
        "csrf": _csrf,
    }
    return made


def marks(folder: Path = _HERE / "static") -> dict[str, str]:
    """Return each static file with a mark that changes with its content."""
    files = (path for path in sorted(folder.iterdir()) if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in files}


@pass_context
def _moment(context: Context, at: datetime | None) -> Markup:
    return text.moment(at, context["zone"])


@pass_context
def _again(context: Context, **changes: object) -> str:
    """Return a link to this view with parts of its query exchanged; None takes one out."""
    return text.replaced(context["request"].url.path, context["query"], **changes)


@pass_context
def _csrf(context: Context) -> Markup:
    """Return the field that each form (POST) carries."""
    return Markup('<input type="hidden" name="csrf" value="{}">').format(context["session"].csrf)


def _same(given: object, csrf: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(), csrf.encode())


def _drop_empty_fields(request: Request) -> None:
    """Take the fields of a filter that were left empty for not given: a browser sends them all."""
    raw = request.scope["query_string"].decode("latin-1")
    given = parse_qsl(raw, keep_blank_values=True)
    if any(not value.strip() for _, value in given):
        kept = urlencode([(name, value) for name, value in given if value.strip()])
        request.scope["query_string"] = kept.encode("ascii")
        vars(request).pop("_query_params", None)
        vars(request).pop("_url", None)
