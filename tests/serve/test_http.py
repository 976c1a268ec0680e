"""Health, readiness and metrics as a supervisor and a Prometheus see them, over real HTTP."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bounced.config import Http
from bounced.errors import ConfigError, StoreDown
from bounced.model import Category, Disposition, Event, Fault, Kind, Outcome, Place, Reason, Trust
from bounced.serve import health, metrics
from bounced.serve.server import Server, application

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PLACE = Place("returns", "INBOX", 1, 1)
EVENT = Event(
    "ev_1", "k", NOW, Kind.BOUNCE, Category.SOFT, Reason.MAILBOX_FULL, Fault.RECIPIENT, Trust.CLAIMED,
    "ann@example.com", PLACE, "d", "rfc3464", "full.said",
)  # fmt: skip


class World:
    """A server before a database, loops and a clock that the tests move."""

    def __init__(self) -> None:
        self.now, self.down, self.stuck = NOW, False, list[str]()
        self.health = health.Health(self.ping, lambda: self.stuck)
        self.metrics = metrics.Metrics()
        routers = [
            health.router(self.health, lambda: self.now),
            metrics.router(self.metrics, self.health, self.gauges, lambda: self.now),
        ]
        self.server = Server(application(routers), Http(port=0))
        self.server.start()

    def ping(self) -> None:
        if self.down:
            raise StoreDown("the disk is full")

    def gauges(self) -> list[tuple[str, str, Mapping[str, float]]]:
        self.ping()
        return [("bounced_suppressions", "", {"": 3}), ("bounced_outbox_depth", "state", {"open": 2, "dead": 1})]

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urlopen(self.server.url + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as exc:
            with exc:
                return exc.code, exc.read().decode()

    def samples(self) -> dict[tuple[str, tuple[str, ...]], float]:
        """Return every sample by name and label values, labels in alphabetical order."""
        families = text_string_to_metric_families(self.get("/metrics")[1])
        return {(s.name, tuple(s.labels.values())): s.value for f in families for s in f.samples}


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.server.stop()


def test_alive_until_a_loop_is_stuck(world: World) -> None:
    assert world.get("/healthz") == (200, '{"status":"ok","stuck":[]}')

    world.stuck = ["deliveries"]

    assert world.get("/healthz") == (503, '{"status":"stuck","stuck":["deliveries"]}')


def test_ready_once_each_mailbox_was_polled(world: World) -> None:
    """And no longer when polls stay away for three intervals."""
    world.health.expect({"returns": 60})
    assert world.get("/readyz")[0] == 503

    world.health.polled("returns", NOW)
    assert world.get("/readyz")[0] == 200

    world.now = NOW + timedelta(seconds=181)
    status, body = world.get("/readyz")
    assert status == 503
    assert json.loads(body)["mailboxes"]["returns"]["age_seconds"] == 181


def test_a_mailbox_that_another_daemon_polls_is_no_trouble(world: World) -> None:
    world.health.expect({"returns": 60})
    world.health.elsewhere("returns")

    assert world.get("/readyz")[0] == 200


def test_the_trouble_is_named(world: World) -> None:
    world.health.expect({"returns": 60})
    world.health.failed("returns", "wrong password")
    world.down = True

    status, body = world.get("/readyz")

    assert status == 503
    assert json.loads(body)["database"] == {"ok": False, "problem": "the disk is full"}
    assert json.loads(body)["mailboxes"]["returns"]["problem"] == "wrong password"


def test_a_reload_keeps_what_is_known_and_forgets_what_is_gone(world: World) -> None:
    world.health.expect({"a": 60, "b": 60})
    world.health.polled("a", NOW)

    world.health.expect({"a": 30, "c": 60})
    world.health.polled("b", NOW)

    boxes = world.health.mailboxes()
    assert set(boxes) == {"a", "c"}
    assert boxes["a"].last_success == NOW


def test_what_was_handled_is_counted(world: World) -> None:
    world.metrics.handled("returns", [Outcome(PLACE, Disposition.PROCESSED)] * 2, 0.5)
    world.metrics.recorded([EVENT, replace(EVENT, category=None, reason=None, provider="google")])
    world.metrics.attempted("app", "done")
    world.metrics.judged(0.002)

    samples = world.samples()

    assert samples["bounced_messages_total", ("returns", "processed")] == 2
    assert samples["bounced_events_total", ("soft", "recipient", "bounce", "other", "mailbox_full")] == 1
    assert samples["bounced_events_total", ("none", "recipient", "bounce", "google", "none")] == 1
    assert samples["bounced_webhook_attempts_total", ("app", "done")] == 1
    assert samples["bounced_message_seconds_count", ()] == 1


def test_providers_without_end_make_no_series_without_end(world: World) -> None:
    world.metrics.recorded([replace(EVENT, provider=f"p{n}") for n in range(500)])

    series = [labels for name, labels in world.samples() if name == "bounced_events_total"]

    assert len(series) == metrics.MAX_PROVIDERS + 1
    assert any("other" in labels for labels in series)


def test_a_scrape_survives_the_database(world: World) -> None:
    """Its gauges are missing then, not zero."""
    world.health.expect({"returns": 60})
    assert world.samples()["bounced_suppressions", ()] == 3
    assert world.samples()["bounced_outbox_depth", ("open",)] == 2
    assert world.samples()["bounced_mailbox_lag_seconds", ("returns",)] == float("inf")

    world.down = True

    assert ("bounced_suppressions", ()) not in world.samples()
    assert world.samples()["bounced_database_up", ()] == 0


def test_a_port_that_is_taken_is_a_matter_of_configuration(world: World) -> None:
    with pytest.raises(ConfigError, match=f"http: cannot listen on 127.0.0.1 port {world.server.port}"):
        Server(application([]), Http(port=world.server.port))


def test_nothing_is_loaded_from_other_hosts(world: World) -> None:
    """No documentation page with scripts of strangers; the description itself is there."""
    assert world.get("/docs")[0] == 404
    assert "/readyz" in world.get("/openapi.json")[1]
