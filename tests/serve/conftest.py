"""The HTTP interface before a real database, a real server and a client that knows nothing of either."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

import pytest

from bounced.classify import Rules
from bounced.config import Config, Http, parse
from bounced.daemon import wiring
from bounced.daemon.judging import Judges
from bounced.daemon.serving import desk
from bounced.model import Change, Move
from bounced.serve.server import Server, application
from bounced.serve.throttle import Throttle
from bounced.serve.v1 import Api
from bounced.store import TokenScope
from bounced.store.tokens import mint


@dataclass(frozen=True)
class Said:
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Service:
    """The interface of one installation, at work; `url` is where."""

    def __init__(self, database_url: str, throttle: Throttle, **settings: object) -> None:
        self.config = parse({"database": {"url": database_url}, "limits": {"workers": 1}, **settings}, {})
        self.store = wiring.store(self.config)
        self.store.upgrade()
        self._judges = Judges(self.config)
        self.desk = desk(self.config, wiring.stages(self.config, self.store), self.store, _rules(), self._judges)
        self.api = Api(lambda: self.desk, throttle)
        self.server = Server(application(self.api.routers), Http(port=0))
        self.server.start()
        self.url, self.port = self.server.url, self.server.port
        self.tokens = {scope.value: self.token(scope.value, scope) for scope in TokenScope}

    def close(self) -> None:
        self.server.stop()
        self.api.close()
        self._judges.close()
        self.store.close()

    def token(self, name: str, *scopes: TokenScope) -> str:
        secret, made = mint(name, scopes, datetime.now(UTC), "the tests")
        assert self.store.add_token(made)
        return secret

    def suppress(self, address: str, **more: Any) -> None:
        """Write an entry as the policy would."""
        row = {"scope": "*", "category": "hard", "reason": "mailbox_unknown", "why": "550 5.1.1 no such user"} | more
        with self.store.begin() as tx:
            tx.journal([Change(address=address, move=Move.SUPPRESS, at=datetime.now(UTC), **row)])

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Said:
        """Ask, with the token of a scope by its name; a body that is no bytes is sent as JSON."""
        sent = {"Authorization": f"Bearer {self.tokens.get(token, token)}"} if token else {}
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if content is not None and not isinstance(body, bytes):
            sent["Content-Type"] = "application/json"
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, content, sent | (headers or {}))
            found = connection.getresponse()
            return Said(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read())

    def ask(self, address: str, scope: str = "*") -> Any:
        """Return the answer about one address."""
        said = self.call("GET", f"/v1/suppressions/{quote(address, safe='')}?scope={quote(scope)}", token="check")
        assert said.status == 200, said.body
        return said.json


@cache
def _rules() -> Rules:
    """Return the shipped rules: loading them takes longer than most tests."""
    return wiring.rules(Config())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One interface on SQLite for all tests of a module that leave it as it was."""
    folder = tmp_path_factory.mktemp("shared")
    made = Service(f"sqlite:///{folder}/bounced.db", Throttle(failures=1_000_000))
    yield made
    made.close()


@pytest.fixture
def serving(database_url: str) -> Iterator[Callable[..., Service]]:
    """Return what starts the interface on the database of this test."""
    started: list[Service] = []

    def serve(throttle: Throttle | None = None, **settings: object) -> Service:
        started.append(Service(database_url, Throttle() if throttle is None else throttle, **settings))
        return started[-1]

    yield serve
    for service in started:
        service.close()


@pytest.fixture
def service(serving: Callable[..., Service]) -> Service:
    return serving()
