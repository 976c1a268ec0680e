"""The HTTP interface `/v1`: JSON in, JSON out, a Bearer token with every request."""

from collections.abc import Callable

from fastapi import APIRouter

from bounced.serve.access import Gate
from bounced.serve.desk import Desk, Threads
from bounced.serve.throttle import Throttle
from bounced.serve.v1 import classify, deliveries, events, evidence, lists, reports, review, suppressions, verp, waves
from bounced.serve.v1.doors import Doors

__all__ = ["Api"]


class Api:
    """The routes and the threads that they ask in. `desk` returns the configuration now in force."""

    def __init__(self, desk: Callable[[], Desk], throttle: Throttle | None = None) -> None:
        self._threads = Threads()
        doors = Doors(desk, self._threads, Gate(desk, self._threads, Throttle() if throttle is None else throttle))
        parts = (lists, suppressions, evidence, events, reports, waves, review, classify, deliveries, verp)
        self.routers: list[APIRouter] = [router for part in parts for router in part.routers(doors)]

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.close()
