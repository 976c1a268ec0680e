"""Logging in by a token and out again; the viewer's zone; static files."""

from pathlib import Path
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from bounced.serve.pages.frame import Frame, local, session_of
from bounced.serve.pages.guard import HEADERS
from bounced.serve.pages.text import link
from bounced.serve.pages.times import ZONE_COOKIE, zones
from bounced.serve.problems import Problem
from bounced.serve.throttle import Throttle
from bounced.store import TokenScope

log = structlog.get_logger("bounced.serve")

_STATIC: Final = Path(__file__).parent / "static"
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_YEAR: Final = 365 * 86_400
_WRONG: Final = "This is no token in use. `bounced tokens create NAME --scope read --scope write` makes one."
_BLIND: Final = "This token may not read: the page needs one with the scope read, and write for changes."


def routers(frame: Frame, throttle: Throttle) -> list[APIRouter]:
    """Return the routes."""
    return [_entrance(frame, throttle), _inside(frame), _statics(frame)]


def _entrance(frame: Frame, throttle: Throttle) -> APIRouter:
    """Return the routes by which one comes in."""
    routes = frame.unguarded()

    @routes.get("/login")
    async def login(request: Request, next: str = "/") -> Response:  # noqa: A002  the word of the query
        """Ask for a token."""
        if session_of(request):
            return RedirectResponse(local(next), 303, HEADERS)
        return frame.show(request, "login.html", to=local(next), problem=None)

    @routes.post("/login")
    async def log_in(
        request: Request,
        token: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = "/",  # noqa: A002  the word of the form
    ) -> Response:
        """Begin a session. Who guesses is told to wait; who has a token is not."""
        client = request.client.host if request.client else ""
        known = await frame.sessions.keys.find(token.strip())
        if known is None and (wait := throttle.failed(client)):
            raise Problem(429, "Too many failed logins. Wait a minute.", {"Retry-After": str(int(wait) + 1)})
        if known is None:
            log.warning("login failed", client=client)
            return frame.show(request, "login.html", 401, to=local(next), problem=_WRONG)
        if not known.allows(TokenScope.READ):
            return frame.show(request, "login.html", 403, to=local(next), problem=_BLIND)
        response = RedirectResponse(local(next), 303, HEADERS)
        await frame.sessions.begin(request, response, known)
        log.info("logged in", token=known.name, client=client)
        return response

    return routes


def _inside(frame: Frame) -> APIRouter:
    """Return the routes of who is logged in."""
    routes = frame.asked()

    @routes.post("/logout")
    async def log_out(request: Request) -> Response:
        """End the session."""
        response = RedirectResponse(link("/login", out="1"), 303, HEADERS)
        session = session_of(request)
        if session is not None:
            await frame.sessions.end(request, response, session)
        return response

    @routes.get("/zone")
    async def zone_choice(request: Request, to: str = "/") -> Response:
        """Show the zones."""
        return frame.show(request, "zone.html", zones=sorted(zones()), to=local(to))

    @routes.post("/zone")
    async def choose_zone(request: Request, zone: Annotated[str, Form()], to: Annotated[str, Form()] = "/") -> Response:
        """Remember in which zone the viewer reads times."""
        if zone not in zones():
            raise Problem(422, "No such time zone is known here.")
        response = RedirectResponse(local(to), 303, HEADERS)
        response.set_cookie(ZONE_COOKIE, zone, max_age=_YEAR, path="/", samesite="strict")
        return response

    return routes


def _statics(frame: Frame) -> APIRouter:
    """Return the route to style, script and picture: kept for a year, since a link to one changes with its content."""
    routes = frame.unguarded()
    files = {path.name: path for path in _STATIC.iterdir() if path.suffix in _TYPES}
    headers = {"Cache-Control": f"public, max-age={_YEAR}, immutable", "Cross-Origin-Resource-Policy": "same-origin"}

    @routes.get("/static/{name}")
    async def static(name: str) -> Response:
        """Return one file."""
        if name not in files:
            raise Problem(404, "There is nothing at this address.")
        return Response(files[name].read_bytes(), media_type=_TYPES[files[name].suffix], headers=headers)

    return routes
