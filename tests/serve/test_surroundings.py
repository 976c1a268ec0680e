"""What holds for every request, whatever it asks: limits in number and time."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest
from fastapi import APIRouter
from starlette.types import ASGIApp

from bounced.config import Http
from bounced.serve.server import Server, application
from bounced.serve.surroundings import Surroundings
from bounced.serve.v1 import doors, lists
from tests.serve.conftest import Service


@contextmanager
def served(app: ASGIApp) -> Iterator[int]:
    server = Server(app, Http(port=0))
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


def get(port: int, path: str) -> tuple[int, str | None, str | None]:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.getheader("Content-Type"), answer.getheader("Retry-After")


def test_more_at_once_than_can_be_borne_are_told_to_come_again() -> None:
    """The others are answered all the same, and once they are, there is room again."""
    routes, go_on, under_way = APIRouter(), threading.Event(), threading.Semaphore(0)

    @routes.get("/slow")
    def slow() -> str:
        under_way.release()
        go_on.wait(20)
        return "done"

    with served(Surroundings(application([routes]), most=2)) as port, ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(get, port, "/slow") for _ in range(2)]
        assert all(under_way.acquire(timeout=20) for _ in range(2))

        assert get(port, "/slow") == (503, "application/problem+json", "1")

        go_on.set()
        assert [each.result()[0] for each in waiting] == [200, 200]
        assert get(port, "/slow")[0] == 200


@pytest.mark.parametrize(
    ("path", "kind", "token", "limit"),
    [
        ("/v1/suppressions/check", "application/json", "check", (doors.Body, "seconds")),
        ("/v1/suppressions/import", "text/csv", "write", (lists, "_SECONDS")),
    ],
)
def test_a_body_that_does_not_come_is_not_waited_for(
    shared: Service, monkeypatch: pytest.MonkeyPatch, path: str, kind: str, token: str, limit: tuple[object, str]
) -> None:
    """A small one for half a minute at most, a list for an hour; here both for a moment."""
    before = getattr(*limit)
    monkeypatch.setattr(*limit, 0.3)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nContent-Type: {kind}\r\n"
        f"Authorization: Bearer {shared.tokens[token]}\r\n\r\n{{"
    )

    with socket.create_connection(("127.0.0.1", shared.port), timeout=20) as connection:
        connection.sendall(head.encode())

        assert connection.recv(100).startswith(b"HTTP/1.1 408")
    assert before == {"check": 30, "write": 3600}[token]
