"""A real store with notifications in its outbox."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bounced.config import Database
from bounced.model import Notification
from bounced.store import Store
from tests.servers.postgres import Postgres

Fill = Callable[..., list[Notification]]
#: Marks a test that runs on SQLite and on PostgreSQL.
on_both = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def now() -> datetime:
    """The present: receivers refuse signatures of other times."""
    return datetime.now(UTC)


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database of its own: SQLite unless `on_both` marks the test."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path}/bounced.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """That database, migrated."""
    store = Store.open(Database(url=database))
    store.upgrade()
    yield store
    store.close()


@pytest.fixture
def fill(store: Store, now: datetime) -> Fill:
    """Announce so many notifications to these endpoints."""

    def announce(*endpoints: str, count: int = 1, at: datetime = now) -> list[Notification]:
        store.webhooks = dict.fromkeys(endpoints, ("*",))
        made = [
            Notification(f"msg_{'-'.join(endpoints)}-{n:04}", "bounce.hard", at, {"n": n, "diagnostic": "gelöscht"})
            for n in range(count)
        ]
        with store.begin() as tx:
            tx.announce(made)
        return made

    return announce
