"""`from bounced import Suppressions`: database and HTTP interface answer alike, and never by accident."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bounced import Suppressions
from bounced.config import Http
from bounced.errors import ConfigError, StoreDown
from bounced.model import Change, Move
from bounced.serve.server import Server, application
from bounced.store import TokenScope
from tests.serve.conftest import Service
from tests.servers.postfix import free_port

NOW = datetime.now(UTC)
SENDS = [
    "Dead <Dead@X.example>", "well@x.example", "left@x.example", "OVER@x.example", "well@x.example", "a@bücher.example"
]  # fmt: skip


def entries() -> list[Change]:
    return [
        Change("dead@x.example", "*", Move.SUPPRESS, NOW, "hard", "mailbox_unknown", "no such user"),
        Change("left@x.example", "news", Move.SUPPRESS, NOW, "manual", "unsubscribe", "asked", NOW + timedelta(days=9)),
        Change("over@x.example", "*", Move.SUPPRESS, NOW - timedelta(days=2), "soft", "expired", "", NOW),
    ]


@pytest.fixture(params=["database", "http"])
def asked(request: pytest.FixtureRequest, service: Service, database_url: str) -> dict[str, str]:
    """Return url, and token if one is needed."""
    with service.store.begin() as tx:
        tx.journal(entries())
    if request.param == "database":
        return {"url": database_url}
    return {"url": service.url, "token": service.token("app", TokenScope.CHECK)}


def test_whoever_may_be_mailed_is_left_in_their_own_spelling(asked: dict[str, str]) -> None:
    """In order, twice where they stood twice; a scope has its own and what is suppressed everywhere."""
    with Suppressions(**asked) as everywhere, Suppressions(**asked, scope="news") as news:
        assert everywhere.filter(SENDS) == SENDS[1:]
        assert news.filter(SENDS) == [text for text in SENDS[1:] if text != "left@x.example"]
        assert everywhere.filter([]) == []


def test_it_says_why(asked: dict[str, str]) -> None:
    with Suppressions(**asked, scope="news") as table:
        entry = table.check("DEAD@x.example")
        assert entry is not None
        assert (entry.address, entry.scope, entry.reason, entry.since.date()) == (
            "dead@x.example", "*", "mailbox_unknown", NOW.date(),
        )  # fmt: skip
        assert table.why("dead@x.example") == f"suppressed since {NOW:%Y-%m-%d} (mailbox_unknown): no such user"
        left = table.why("left@x.example")
        assert left is not None
        assert f"until {NOW + timedelta(days=9):%Y-%m-%d} (unsubscribe)" in left
        assert table.check("well@x.example") is None
        assert table.why("a/b?c#d@x.example") is None


def test_more_than_one_batch(asked: dict[str, str]) -> None:
    with Suppressions(**asked) as table:
        assert len(table.filter([f"u{n}@x.example" for n in range(10_500)] + ["dead@x.example"])) == 10_500


def test_what_is_no_address_is_never_taken_for_free(asked: dict[str, str]) -> None:
    with Suppressions(**asked) as table, pytest.raises(ValueError, match="no mail address: 'dead x'"):
        table.filter(["well@x.example", "dead x"])


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/bounced.db", "http://127.0.0.1:{port}", "postgresql://x@127.0.0.1:{port}/x"]
)
def test_what_cannot_be_asked_fails_loudly_unless_told_otherwise(url: str) -> None:
    url = url.format(port=free_port())
    with Suppressions(url, timeout=2) as table:
        with pytest.raises(StoreDown):
            table.filter(SENDS)
        with pytest.raises(StoreDown):
            table.check("dead@x.example")
    with Suppressions(url, fail_open=True, timeout=2) as table:
        assert table.filter(SENDS) == SENDS
        assert table.check("dead@x.example") is None


def test_a_wrong_token_is_a_mistake_and_never_open(service: Service) -> None:
    with (
        Suppressions(service.url, token="bt_wrong", fail_open=True) as table,
        pytest.raises(ConfigError, match="401"),
    ):
        table.filter(["dead@x.example"])


def test_something_else_that_answers_there_is_no_answer() -> None:
    server = Server(application([]), Http(port=0))
    server.start()
    try:
        with Suppressions(server.url) as table, pytest.raises((ConfigError, StoreDown)):
            table.check("dead@x.example")
    finally:
        server.stop()


def test_a_url_of_neither_kind_is_refused() -> None:
    with pytest.raises(ConfigError):
        Suppressions("mysql://x@y/z")


def test_the_package_stays_light(tmp_path: Path) -> None:
    """`import bounced` costs a sender nothing that it does not ask for."""
    script = (
        "import sys, bounced; print([m for m in ('sqlalchemy', 'httpx2', 'pydantic', 'fastapi') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]"
