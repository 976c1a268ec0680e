"""Ninety days of a shop's bounces, put through the real pipeline with a clock that runs through them.

What the database holds afterwards the program itself made of sample mails: verdicts, suppressions that ran out, waves
that were held and released, alarms, webhooks. The same seed and end make the same history.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

from bounced.changing import change, witness
from bounced.cli.demo_plan import DAYS, FEEDBACK, RETURNS, SEED, Arrival, Plan
from bounced.config import Config
from bounced.daemon import wiring
from bounced.model import (
    Attempt,
    Change,
    Delivery,
    DeliveryState,
    Move,
    Outcome,
    Place,
    RawMessage,
    Sign,
    SignOfLife,
)
from bounced.notify.schedule import back_off
from bounced.pipeline import Stages, handle, judge_here
from bounced.store import Store, SuppressionQuery
from bounced.watching import settle

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
#: How far apart polls are on a quiet day, and while much comes in.
_QUIET, _BUSY, _MUCH = timedelta(hours=8), timedelta(minutes=20), 40
#: What a person wrote who released an address, so many days before the end.
_RELEASES = (
    (71, "called us: the mailbox moved, and works again"),
    (55, "ordered something today with this address"),
    (47, "wrote to us from this address"),
    (26, "typo in their mail server's table, their postmaster says"),
    (12, "wrote to us from this address"),
    (5, "back from sabbatical, mailbox is open again"),
)
#: Notifications older than that would be forgotten by now.
_KEPT = timedelta(days=30)
#: Since when there are endpoints.
_TOLD = timedelta(days=21)
#: What an endpoint that wants everything is told of the past; single bounces would be too many to be played.
_TYPES = ("suppression.*", "complaint.received", "unsubscribe.requested", "wave.*", "alarm.*")
_PERSON = "page:anna"


@dataclass(frozen=True, slots=True)
class Told:
    """What came of it."""

    mails: int
    since: datetime
    until: datetime


def build(config: Config, end: datetime | None = None, days: int = DAYS, seed: int = SEED) -> Told:
    """Fill the database of `config`, which must be empty or absent, with the days before `end`; now if not given.

    Endpoints are played here: nothing is posted anywhere. Takes some seconds.
    """
    end = (end or datetime.now(UTC)).replace(microsecond=0)
    plan = Plan(end, days, seed)
    with closing(wiring.store(config)) as store:
        store.upgrade()
        _History(config, store, plan, random.Random(seed)).run(end - days * _DAY, end)  # noqa: S311  a story
    return Told(len(plan.arrivals), end - days * _DAY, end)


class _History:
    """One run through the days."""

    def __init__(self, config: Config, store: Store, plan: Plan, rng: random.Random) -> None:
        self._config, self._store, self._plan, self._rng = config, store, plan, rng
        self._clock = datetime.now(UTC)
        reading = replace(wiring.reading(config), clock=lambda: self._clock)
        self._stages: Stages = replace(wiring.stages(config, store), judge=judge_here(reading))
        self._uid = {RETURNS: 0, FEEDBACK: 0}
        self._settled: list[Outcome] = []
        self._endpoints = {name: _TYPES if "*" in types else types for name, types in store.webhooks.items()}
        store.webhooks = {}

    def run(self, since: datetime, end: datetime) -> None:
        """Live through the days, poll by poll."""
        self._import(since + _HOUR)
        acts = sorted(self._acts(since, end), key=lambda act: act[0])
        for batch in _polls(self._plan.arrivals, since):
            now = batch[-1].at + timedelta(seconds=self._rng.uniform(2, 20))
            while acts and acts[0][0] <= now:
                at, act = acts.pop(0)
                act(at)
            self._poll(batch, now)
        for at, act in acts:
            act(at)
        self._end(end)

    def _poll(self, batch: Sequence[Arrival], now: datetime) -> None:
        self._clock = now
        self._settled += handle([self._raw(arrival) for arrival in batch], self._stages, now)

    def _raw(self, arrival: Arrival) -> RawMessage:
        self._uid[arrival.mailbox] += 1
        place = Place(arrival.mailbox, "INBOX", 1, self._uid[arrival.mailbox])
        return RawMessage(place, arrival.content, len(arrival.content), arrival.at)

    def _acts(self, since: datetime, end: datetime) -> "Iterator[tuple[datetime, Callable[[datetime], None]]]":
        """Yield what happens beside the mail, and when."""
        at = since + 5 * _HOUR
        while at < end:
            yield at, self._housekeeping
            at += 8 * _HOUR
        for crisis in self._plan.crises:
            yield from ((crisis + n * _HOUR, self._housekeeping) for n in range(3, 13) if crisis + n * _HOUR < end)
        for days, why in _RELEASES:
            if end - days * _DAY > since:
                yield end - days * _DAY - 2 * _HOUR, lambda at, why=why: self._release(at, why)  # type: ignore[misc]
        for day in range(0, (end - since).days, 3):
            yield since + day * _DAY + 20 * _HOUR, self._see_people

    def _housekeeping(self, now: datetime) -> None:
        """Do what the daemon does from time to time: end waves, alarms and entries; post what is due."""
        settle(self._stages, now)
        if over := self._store.expired(now, 500):
            change(wiring.ended(over, now), self._store, self._stages.compose, now)
        if self._plan.end - now < _TOLD:
            self._store.webhooks = self._endpoints
            self._post(now)

    def _import(self, now: datetime) -> None:
        """Take over the list that the shop had kept until then."""
        lines = [
            Change(self._plan.somebody(), "*", Move.SUPPRESS, now, "hard", "mailbox_unknown", "from our old list",
                   actor="import", since=now - timedelta(days=self._rng.randrange(20, 900)))
            for _ in range(64)
        ]  # fmt: skip
        change(lines, self._store, lambda *_: (), now)

    def _release(self, now: datetime, why: str) -> None:
        """Let a person release one of those that were suppressed some days before."""
        query = SuppressionQuery(category="hard", since=now - 9 * _DAY, limit=40)
        found = [entry for entry in self._store.suppressions(query) if entry.actor == "bounced"]
        for entry in found[-1:]:
            line = Change(
                entry.address, entry.scope, Move.RELEASE, now, entry.category, entry.reason, why,
                event_id=entry.event_id, actor=_PERSON,
            )  # fmt: skip
            change([line], self._store, self._stages.compose, now)

    def _see_people(self, now: datetime) -> None:
        """Tell of readers who logged in or clicked; now and then it is one who is suppressed."""
        seen = [SignOfLife(self._plan.somebody(), Sign.LOGIN, now, "shop") for _ in range(9)]
        if self._rng.random() < 0.2:
            held = list(self._store.suppressions(SuppressionQuery(category="hard", limit=20)))
            seen += [SignOfLife(entry.address, Sign.CLICK, now, "shop") for entry in held[-1:]]
        witness(seen, self._stages, now)

    def _post(self, now: datetime) -> None:
        """Play the endpoints: `shop` takes everything but on one day, `crm` was switched off two weeks ago."""
        while waiting := self._store.claim(now, 200, 1):
            for delivery in waiting:
                self._store.attempted(delivery, self._attempt(delivery, now))

    def _attempt(self, delivery: Delivery, now: datetime) -> Attempt:
        at = max(min(now, delivery.next_at), delivery.notification.at) + timedelta(seconds=self._rng.uniform(0.4, 1.6))
        age = self._plan.end - at
        took = self._rng.randrange(18, 240)
        if delivery.endpoint == "crm" and age < 14 * _DAY:
            code, text = 410, "this integration was switched off"
        elif timedelta(days=9) < age < timedelta(days=10, hours=12) and delivery.attempts < 2:
            code, text = 503, "down for maintenance"
        else:
            return Attempt(at, took, DeliveryState.DONE, None, 204)
        if code == 410:
            return Attempt(at, took, DeliveryState.DEAD, None, code, "the endpoint is gone (410)", text)
        again = now + timedelta(seconds=back_off(delivery.attempts + 1, self._rng.random()))
        return Attempt(at, took, DeliveryState.OPEN, again, code, None, text)

    def _end(self, end: datetime) -> None:
        """Bring everything up to the last moment."""
        self._housekeeping(end)
        self._store.acked([outcome.place for outcome in self._settled])
        self._store.put_sent_counts(self._plan.sent)
        self._store.roll_up(end)
        self._store.prune(end, notifications_days=_KEPT / _DAY)
        self._store.prune_tallies(end, self._config.policy.waves.history_days + 7)


def _polls(arrivals: Sequence[Arrival], since: datetime) -> Iterator[list[Arrival]]:
    """Yield what one poll finds: more often where much comes in."""
    for _, quiet in groupby(arrivals, key=lambda arrival: (arrival.at - since) // _QUIET):
        whole = list(quiet)
        if len(whole) < _MUCH:
            yield whole
        else:
            for _, busy in groupby(whole, key=lambda arrival: (arrival.at - since) // _BUSY):
                yield list(busy)
