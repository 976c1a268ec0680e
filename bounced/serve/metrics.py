"""`/metrics`: what a Prometheus server may know. No label ever holds an address, a subject or a stranger's text."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from bounced import __version__
from bounced.errors import BouncedError
from bounced.model import Event, Outcome
from bounced.serve.health import Health

#: So many providers get a label of their own; the rest share `other`, so that the number of series is bounded.
MAX_PROVIDERS = 50

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: Name of a gauge, its label (none if empty), and where each label value stands; asked at every scrape.
Gauges = Callable[[], Iterable[tuple[str, str, Mapping[str, float]]]]


class Metrics:
    """Counters that the loops feed, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._lock = threading.Lock()
        self._providers: set[str] = set()
        self._messages = self._counter("bounced_messages", "Messages handled.", "mailbox", "outcome")
        self._events = self._counter(
            "bounced_events", "New events recorded.", "kind", "category", "reason", "fault", "provider"
        )
        self._attempts = self._counter("bounced_webhook_attempts", "Webhook attempts.", "endpoint", "outcome")
        self._lookups = self._counter("bounced_lookups", "Questions of mail servers answered.", "service", "answer")
        self._failures = self._counter("bounced_poll_failures", "Polls that broke off.", "mailbox")
        self._seconds = Histogram(
            "bounced_message_seconds",
            "Time to read, classify and correlate one message.",
            buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5, 10),
            registry=self.registry,
        )
        self._batches = Histogram(
            "bounced_batch_seconds",
            "Time to make one batch durable.",
            ("mailbox",),
            buckets=(0.005, 0.02, 0.1, 0.5, 1, 5, 30, 120),
            registry=self.registry,
        )

    def handled(self, mailbox: str, outcomes: Sequence[Outcome], seconds: float) -> None:
        """Count a committed batch."""
        for outcome in outcomes:
            self._messages.labels(mailbox, outcome.disposition.value).inc()
        self._batches.labels(mailbox).observe(seconds)

    def judged(self, seconds: float) -> None:
        """Note how long one message took to judge."""
        self._seconds.observe(seconds)

    def recorded(self, events: Iterable[Event]) -> None:
        """Count new events, after their commit."""
        for event in events:
            self._events.labels(
                event.kind.value,
                event.category.value if event.category else "none",
                event.reason.value if event.reason else "none",
                event.fault.value,
                self._provider(event.provider),
            ).inc()

    def attempted(self, endpoint: str, outcome: str) -> None:
        """Count one POST to an endpoint of the configuration."""
        self._attempts.labels(endpoint, outcome).inc()

    def looked_up(self, service: str, answer: str) -> None:
        """Count one answer to a mail server."""
        self._lookups.labels(service, answer).inc()

    def poll_failed(self, mailbox: str) -> None:
        """Count a poll that broke off."""
        self._failures.labels(mailbox).inc()

    def _provider(self, name: str | None) -> str:
        with self._lock:
            if name and (name in self._providers or len(self._providers) < MAX_PROVIDERS):
                self._providers.add(name)
                return name
        return "other"

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)


class StateCollector:
    """Gauges that are asked for when a scrape comes: mailbox lag, and what the ledger counts."""

    def __init__(self, health: Health, gauges: Gauges, clock: Callable[[], datetime]) -> None:
        self._health, self._gauges, self._clock = health, gauges, clock

    def describe(self) -> list[Metric]:
        """Return nothing: the names are known only once the ledger was asked."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield what stands now; a database that does not answer costs its gauges only."""
        now, info = self._clock(), GaugeMetricFamily("bounced_info", "Version.", labels=["version"])
        info.add_metric([__version__], 1)
        yield info
        lag = GaugeMetricFamily("bounced_mailbox_lag_seconds", "Since the last good poll.", labels=["mailbox"])
        for name, box in self._health.mailboxes().items():
            age = box.age(now)
            lag.add_metric([name], float("inf") if age is None else age)
        yield lag
        up = GaugeMetricFamily("bounced_database_up", "1 if the database answers.")
        try:
            families = [_family(*gauge) for gauge in self._gauges()]
            up.add_metric([], 1)
        except BouncedError:
            families = []
            up.add_metric([], 0)
        yield up
        yield from families


def _family(name: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, name.replace("_", " "), labels=[label] if label else None)
    for value, number in values.items():
        family.add_metric([value] if label else [], number)
    return family


def router(
    metrics: Metrics, health: Health, gauges: Gauges, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> APIRouter:
    """Return `/metrics` in the Prometheus text format."""
    metrics.registry.register(StateCollector(health, gauges, clock))
    routes = APIRouter(tags=["health"])

    @routes.get("/metrics", include_in_schema=False)
    def scrape() -> Response:
        return Response(generate_latest(metrics.registry), media_type=_CONTENT_TYPE)

    return routes
