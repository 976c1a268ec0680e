"""The HTTP server: one FastAPI application made of routers, uvicorn in a thread beside the daemon's loops."""

import socket
import threading
from collections.abc import Iterable
from typing import Any

import uvicorn
from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from bounced import __version__
from bounced.config import Http
from bounced.errors import ConfigError
from bounced.serve import problems
from bounced.serve.surroundings import MOST, Surroundings

#: How long a request may go on after the server was told to stop.
_GRACE = 3


class _Application(FastAPI):
    """FastAPI, with the form of our errors in its description of itself."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        if not self.openapi_schema:
            made = super().openapi()
            schemas = made.setdefault("components", {}).setdefault("schemas", {})
            schema = problems.ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= schema.pop("$defs", {}) | {"Problem": schema}
        return super().openapi()


def application(routers: Iterable[APIRouter], dress: problems.Dress = problems.undressed) -> FastAPI:
    """Return the application that answers what `routers` know; it loads nothing from other hosts.

    `dress` makes of the problem of a request what its asker is shown.
    """
    app = _Application(title="bounced", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_middleware(Surroundings)
    problems.install(app, dress)
    for routes in routers:
        app.include_router(routes)
    return app


class Server:
    """uvicorn in a thread. `port` is the one it listens on, also where the configuration said 0."""

    def __init__(self, app: ASGIApp, settings: Http) -> None:
        self._socket = _listen(settings)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{f'[{settings.host}]' if ':' in settings.host else settings.host}:{self.port}"
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
            limit_concurrency=2 * MOST,  # connections; beyond MOST requests the application says so itself
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="http", daemon=True
        )

    def start(self) -> None:
        """Begin to answer; requests that came since the socket was opened are answered too."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the requests under way, for a few seconds at most, and close the socket."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_GRACE + 2)
        self._socket.close()


def _listen(settings: Http) -> socket.socket:
    """Return a socket whose connections send at once: asyncio sees to that only for sockets it opened itself.

    An answer goes out in two pieces; without this the second waits 40 ms for the client to confirm the first.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        opened = socket.create_server((settings.host, settings.port), family=family, backlog=128)
    except OSError as exc:
        raise ConfigError([f"http: cannot listen on {settings.host} port {settings.port}: {exc.strerror}"]) from exc
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened
