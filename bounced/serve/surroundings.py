"""Around every request: headers that keep browsers careful, a limit on how many there are, a line in the log."""

import time
from typing import Final

import structlog
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bounced.serve.problems import answer, busy
from bounced.store import TokenScope

log = structlog.get_logger("bounced.serve")

#: Requests under way at once; more are told to come again.
MOST: Final = 200

#: What a page of our own may set otherwise.
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


class Surroundings:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, most: int = MOST) -> None:
        self._app, self._most, self._under_way = app, most, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or say that there are too many."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        self._under_way += 1
        try:
            full = self._under_way > self._most
            app: ASGIApp = answer(busy("Too many requests at once.", 1)) if full else self._app
            await app(scope, receive, sent)
        finally:
            self._under_way -= 1
            _tell(scope, status, time.perf_counter() - began)


def _tell(scope: Scope, status: int, seconds: float) -> None:
    """Log changes and failures at info, the many questions at debug: by route, since paths hold addresses.

    Who was told to wait is at debug too: nobody fills the disk by asking without a token.
    """
    route, token = scope.get("route"), scope.get("state", {}).get("token")
    worth = status not in (429, 503) if status >= 400 else getattr(route, "needs", None) is TokenScope.WRITE
    say = log.info if worth else log.debug
    say(
        "http",
        method=scope["method"],
        route=route.path if isinstance(route, APIRoute) else None,
        status=status,
        ms=round(seconds * 1000, 1),
        token=token.name if token else None,
    )
