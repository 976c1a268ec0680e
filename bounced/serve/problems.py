"""Every error as a problem document (RFC 9457): JSON with type, title, status, detail; never HTML, never a trace."""

import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from math import ceil
from typing import Any, Final

import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.routing import Match

from bounced.errors import TryLater, Unreadable

log = structlog.get_logger("bounced.serve")

MEDIA_TYPE: Final = "application/problem+json"
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
#: So many faults of one request are named.
_FAULTS: Final = 20
#: Seconds after which a caller should ask again, where nobody knows better.
RETRY_AFTER: Final = 5
#: Seconds between two lines in the log about an outage.
_SAY_EVERY: Final = 10.0


#: Makes of a problem what its asker is shown.
Dress = Callable[[Request, JSONResponse], Awaitable[Response]]


class Flaw(BaseModel):
    """One thing that is wrong with a request: where, and what."""

    at: str = Field(examples=["body.addresses[3]"])
    why: str


class ProblemDocument(BaseModel):
    """What every error looks like."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(ge=400, le=599)
    detail: str
    faults: list[Flaw] = Field(default=[], description="What is wrong with the request, one by one.")


class Problem(HTTPException):
    """Ends a request. `detail` is for a person and holds no secret; `faults` maps places in the request to words."""

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        faults: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.faults = faults


def invalid(at: str, why: str) -> Problem:
    """Return the problem of a request whose form is right and whose value, at that place, is not."""
    return Problem(422, "The request is not valid.", faults=[(at, why)])


def busy(detail: str, seconds: float = RETRY_AFTER) -> Problem:
    """Return the problem of a server that cannot answer now: `seconds` later it may."""
    return Problem(503, detail, {"Retry-After": str(max(1, ceil(seconds)))})


def answer(problem: HTTPException | StarletteHTTPException) -> JSONResponse:
    """Return the response that tells of a problem."""
    return _document(problem.status_code, str(problem.detail), problem.headers, getattr(problem, "faults", ()))


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI is to say of these statuses."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


async def undressed(_request: Request, problem: JSONResponse) -> Response:
    """Return a problem as it is."""
    return problem


def install(app: FastAPI, dress: Dress = undressed) -> None:
    """Let every error of the application leave it as a problem document, or as what `dress` makes of that."""

    def handle(kind: type[Exception], handler: Callable[[Request, Exception], Awaitable[JSONResponse]]) -> None:
        async def handled(request: Request, exc: Exception) -> Response:
            return await dress(request, await handler(request, exc))

        app.add_exception_handler(kind, handled)

    handle(StarletteHTTPException, _http)
    handle(RequestValidationError, _validation)
    handle(TryLater, _Outage())
    handle(Unreadable, _unreadable)
    handle(Exception, _bug)


async def _http(request: Request, exc: Exception) -> JSONResponse:
    """Say it in the words of a person where the framework only gave the phrase of the status."""
    assert isinstance(exc, StarletteHTTPException)  # noqa: S101  what it was registered for
    if exc.status_code == 405:
        return _document(405, "This method is not for this address.", {"Allow": ", ".join(_allowed(request))})
    if exc.status_code == 404 and not isinstance(exc, Problem):
        return _document(404, "There is nothing at this address.")
    return answer(exc)


async def _validation(_request: Request, exc: Exception) -> JSONResponse:
    """Name what is wrong and where; what was given is not repeated, it may be a secret."""
    assert isinstance(exc, RequestValidationError)  # noqa: S101  what it was registered for
    faults = [(_place(error["loc"]), str(error["msg"])[:300]) for error in exc.errors()[:_FAULTS]]
    return _document(422, "The request is not valid.", faults=faults)


class _Outage:
    """Says `temporary` and no more: what the database said is for the log, now and then, not once a question."""

    def __init__(self) -> None:
        self._silent_until = 0.0

    async def __call__(self, _request: Request, exc: Exception) -> JSONResponse:
        """Return 503."""
        assert isinstance(exc, TryLater)  # noqa: S101  what it was registered for
        if time.monotonic() >= self._silent_until:
            self._silent_until = time.monotonic() + _SAY_EVERY
            log.warning("cannot answer now", error=type(exc).__name__, why=str(exc))
        return answer(busy("This cannot be told now; ask again later.", exc.retry_after or RETRY_AFTER))


async def _unreadable(_request: Request, exc: Exception) -> JSONResponse:
    return _document(422, "The mail cannot be read.", faults=[("body", str(exc)[:300])])


async def _bug(_request: Request, _exc: Exception) -> JSONResponse:
    """Answer for a fault of the program; the server logs it with its trace."""
    return _document(500, "The program failed; its log says more.", {"X-Content-Type-Options": "nosniff"})


def _document(
    status: int, detail: str, headers: Mapping[str, str] | None = None, faults: Sequence[tuple[str, str]] = ()
) -> JSONResponse:
    content: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    content |= {"detail": detail, "faults": [{"at": at, "why": why} for at, why in faults]}
    return _Ascii(content, status, headers, MEDIA_TYPE)


class _Ascii(JSONResponse):
    """JSON in ASCII: places in a request are named by who wrote it, and may hold half a surrogate pair."""

    def render(self, content: Any) -> bytes:
        """Return the document."""
        return json.dumps(content, separators=(",", ":")).encode("ascii")


def _place(loc: Sequence[int | str]) -> str:
    """Return `body.addresses[3]` for the path that the validation gave."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part[:100]}" for part in loc).lstrip(".")


def _allowed(request: Request) -> list[str]:
    """Return every method that something at this address answers (RFC 9110 section 10.2.1).

    A route that stands for this very path comes before those that match it by a pattern.
    """
    if described := request.app.openapi()["paths"].get(request.url.path):
        return [method for method in _METHODS if method.lower() in described]
    routes = request.app.routes
    return [m for m in _METHODS if any(r.matches({**request.scope, "method": m})[0] is Match.FULL for r in routes)]
