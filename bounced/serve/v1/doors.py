"""How a route is guarded: the token first, then how much is read of the body, then what it holds."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from fastapi import APIRouter, Depends, Request, Response, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from bounced.serve.access import Gate
from bounced.serve.desk import Desk, Threads
from bounced.serve.problems import Problem, responses
from bounced.store import Store, TokenScope

T = TypeVar("T")

JSON: Final = "application/json"
#: Octets of a request that names one thing.
SMALL: Final = 262_144
#: Seconds in which the whole body must have come.
_BODY_SECONDS: Final = 30.0
_BEARER = HTTPBearer(auto_error=False, scheme_name="token", description="`bounced tokens create` makes one.")


class Body(Request):
    """A request of whose body no more is read than the limit, and not for ever."""

    limit: int = SMALL
    seconds: float = _BODY_SECONDS

    async def stream(self) -> AsyncIterator[bytes]:  # type: ignore[override]  # an iterator is all that is used
        """Yield the body in pieces. Raises Problem 413 and 408, with no more read than the limit and a piece."""
        seen = _announced(self)
        if seen > self.limit:
            raise _too_large(self.limit)
        seen = 0
        try:
            async with asyncio.timeout(self.seconds):
                async for piece in super().stream():
                    seen += len(piece)
                    if seen > self.limit:
                        raise _too_large(self.limit)
                    yield piece
        except TimeoutError:
            raise Problem(
                408, f"The request did not come within {self.seconds:g} s.", {"Connection": "close"}
            ) from None


@dataclass(frozen=True, slots=True)
class Doors:
    """Makes routers, and asks for their routes."""

    desk: Callable[[], Desk]
    threads: Threads
    gate: Gate

    def asked(self, needs: TokenScope, tag: str) -> APIRouter:
        """Return a router for GET routes that take tokens of this scope."""
        return self._router(needs, tag, SMALL, ())

    def told(self, needs: TokenScope, tag: str, limit: int = SMALL, accepts: tuple[str, ...] = (JSON,)) -> APIRouter:
        """Return a router for POST routes that take tokens of this scope, and bodies of these types up to `limit`
        octets."""
        return self._router(needs, tag, limit, accepts)

    def _router(self, needs: TokenScope, tag: str, limit: int, accepts: tuple[str, ...]) -> APIRouter:
        route = type("Route", (_Guarded,), {"gate": self.gate, "needs": needs, "limit": limit, "accepts": accepts})
        told = responses(401, 403, 422, 429, 500, 503, *((400, 408, 413, 415) if accepts else ()))
        return APIRouter(prefix="/v1", route_class=route, tags=[tag], dependencies=[Depends(_BEARER)], responses=told)

    async def ask(self, question: Callable[[Store], T]) -> T:
        """Return what the store answers. Raises StoreDown."""
        return await self.threads.ask(partial(question, self.desk().store))


class _Guarded(APIRoute):
    """A route that reads nothing from whom it does not know."""

    gate: Gate
    needs: TokenScope
    limit: int
    accepts: tuple[str, ...]

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        handle = super().get_route_handler()
        asked = (each for each in get_flat_params(self.dependant) if isinstance(each.field_info, params.Query))
        known = frozenset(each.alias for each in asked)

        async def guarded(request: Request) -> Response:
            await self.gate.admit(request, self.needs)
            _demand_known(request, known)
            body = Body(request.scope, request.receive)
            body.limit = self.limit
            if request.method != "GET":
                self._demand_type(request)
            return await handle(body)

        return guarded

    def _demand_type(self, request: Request) -> None:
        """Raise Problem 415 for a body of a type that is not read here."""
        given = media_type(request)
        if given not in self.accepts and (given or _announced(request)):
            raise Problem(415, f"Want {' or '.join(self.accepts)}.", {"Accept-Post": ", ".join(self.accepts)})


def _demand_known(request: Request, known: frozenset[str]) -> None:
    """Raise Problem 422 for a parameter of the query that is none here: what is misspelt asks something else."""
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        told = f"is no parameter here; known: {', '.join(sorted(known)) or 'none'}"
        raise Problem(422, "The request is not valid.", faults=[(f"query.{name[:100]}", told) for name in unknown[:20]])


def media_type(request: Request) -> str:
    """Return the type of the body in lower case, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _announced(request: Request) -> int:
    """Return the octets that the request says it has; 0 where it does not say."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() and len(length) < 19 else 0


def _too_large(limit: int) -> Problem:
    return Problem(413, f"More than {limit} octets.", {"Connection": "close"})
