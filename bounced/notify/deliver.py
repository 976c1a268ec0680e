"""Due deliveries on their way: claimed, posted, recorded; every endpoint by itself, so that none waits for another."""

import asyncio
import random
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from bounced.config import Webhook
from bounced.errors import ConfigError, TryLater
from bounced.model import Attempt, Delivery, DeliveryState
from bounced.notify.endpoint import Endpoint, problems
from bounced.notify.post import Answer, Line, line_to, post
from bounced.notify.schedule import retry_after, wait_for

_log = structlog.get_logger("bounced.notify")

#: How many deliveries are claimed at a time, and how many of them are on their way at once.
_CLAIM = 48
_PARALLEL = 8
#: How long one look for due deliveries may go on while there are any.
_ROUND_SECONDS = 5.0
#: A claim outlasts the slowest round by this much.
_LEASE_MARGIN = 60.0
#: What is due for an endpoint that we do not know is given up after so long.
_UNKNOWN_GRACE = timedelta(hours=1)
_LONGEST_PAUSE = 300.0


class Outbox(Protocol):
    """What delivering needs of the store."""

    def claim(self, now: datetime, limit: int, lease_seconds: float, endpoint: str | None = None) -> list[Delivery]:
        """Return due deliveries and keep other workers off them for so long. Raises StoreDown."""

    def attempted(self, claimed: Delivery, made: Attempt) -> None:
        """Record an attempt and what follows from it. Raises StoreDown."""

    def abandon(self, endpoints: Collection[str], due_before: datetime, why: str) -> int:
        """Give up what goes to none of these endpoints and was due before then. Raises StoreDown."""


def _clock() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class _Pause:
    """An endpoint that had enough is left alone for a while, each time twice as long, or as long as it asked."""

    until: datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class _Round:
    """What one look for due deliveries came to."""

    made: int
    enough: bool = False
    asked: float = 0.0


class Deliverer:
    """Posts what is due. All state that must survive is in the store; a crash at any point posts again, same id.

    `patience` is how long `run_due` waits for endpoints that are slow; they go on in the background.
    Raises ConfigError if an endpoint cannot be used as it is configured.
    """

    def __init__(
        self,
        store: Outbox,
        webhooks: Sequence[Webhook],
        clock: Callable[[], datetime] = _clock,
        patience: float = 1.0,
    ) -> None:
        found = problems(webhooks)
        if found:
            raise ConfigError(found)
        self._store = store
        self._endpoints = [Endpoint.of(webhook) for webhook in webhooks]
        self._clock = clock
        self._patience = patience
        self._rounds: dict[str, Future[_Round]] = {}
        self._pauses: dict[str, _Pause] = {}
        self._stopping = False
        self._swept: datetime | None = None
        self._workers = ThreadPoolExecutor(max(1, len(self._endpoints)), "deliver")
        self._resolver = ThreadPoolExecutor(4, "resolve")

    def run_due(self, now: datetime) -> int:
        """Post what is due and return how many attempts have ended since the last call. Raises StoreDown.

        Returns when every endpoint has nothing due, or after `patience`; call again as long as it is not 0.
        """
        self._sweep(now)
        for endpoint in self._endpoints:
            if endpoint.name not in self._rounds and not self._paused(endpoint, now):
                self._rounds[endpoint.name] = self._workers.submit(self._work_off, endpoint, now)
        wait(self._rounds.values(), self._patience)
        return self._collect(now)

    @property
    def busy(self) -> bool:
        """True if a slow endpoint is still being posted to; `run_due` counts that when it has ended."""
        return bool(self._rounds)

    def close(self) -> None:
        """Let what is on its way come to its end, claim nothing more. Takes no longer than the slowest time-out."""
        self._stopping = True
        self._workers.shutdown()
        self._resolver.shutdown(wait=False, cancel_futures=True)

    def _sweep(self, now: datetime) -> None:
        """Every minute, give up what goes to endpoints that are no longer configured."""
        if self._swept is not None and now - self._swept < timedelta(minutes=1):
            return
        names = [endpoint.name for endpoint in self._endpoints]
        gone = self._store.abandon(names, now - _UNKNOWN_GRACE, "the endpoint is not in the configuration any more")
        self._swept = now
        if gone:
            _log.warning("deliveries given up", count=gone, why="their endpoint is not in the configuration any more")

    def _paused(self, endpoint: Endpoint, now: datetime) -> bool:
        pause = self._pauses.get(endpoint.name)
        return pause is not None and now < pause.until

    def _collect(self, now: datetime) -> int:
        """Take down the rounds that have ended; the first error of the store is raised once all are."""
        ended = {name: round_ for name, round_ in self._rounds.items() if round_.done()}
        self._rounds = {name: round_ for name, round_ in self._rounds.items() if name not in ended}
        down: TryLater | None = None
        made = 0
        for name, round_ in ended.items():
            try:
                result = round_.result()
            except TryLater as exc:
                down = exc
                continue
            made += result.made
            self._note(name, result, now)
        if down is not None:
            raise down
        return made

    def _note(self, name: str, result: _Round, now: datetime) -> None:
        if not result.enough:
            self._pauses.pop(name, None)
            return
        before = self._pauses.get(name)
        seconds = min(_LONGEST_PAUSE, 2 * before.seconds) if before else 5.0
        self._pauses[name] = _Pause(now + timedelta(seconds=max(seconds, result.asked)), seconds)

    def _work_off(self, endpoint: Endpoint, now: datetime) -> _Round:
        """Claim and post what is due to one endpoint, until there is nothing, it had enough, or time is up."""
        begun = time.monotonic()
        lease = endpoint.timeout * (_CLAIM / _PARALLEL + 1) + _LEASE_MARGIN
        whole = _Round(0)
        while not whole.enough and not self._stopping and time.monotonic() - begun < _ROUND_SECONDS:
            at = now + timedelta(seconds=time.monotonic() - begun)
            claimed = self._store.claim(at, _CLAIM, lease, endpoint.name)
            if not claimed:
                break
            done = asyncio.run(self._post_all(endpoint, claimed, at))
            whole = _Round(whole.made + done.made, done.enough, done.asked)
        return whole

    async def _post_all(self, endpoint: Endpoint, claimed: Sequence[Delivery], now: datetime) -> _Round:
        """Post several at once; when the receiver had enough, those not begun keep their attempt for later."""
        waiting = list(reversed(claimed))
        answers: list[Answer] = []

        async def one_after_another(line: Line) -> None:
            while waiting and not self._stopping and not any(answer.enough for answer in answers):
                answers.append(await self._post_one(line, waiting.pop(), now))

        async with line_to(endpoint, self._resolver) as line:
            await asyncio.gather(*(one_after_another(line) for _ in range(min(_PARALLEL, len(claimed)))))
        asked = max(retry_after(answer.retry_after, now) or 0.0 for answer in answers) if answers else 0.0
        return _Round(len(answers), any(answer.enough for answer in answers), asked)

    async def _post_one(self, line: Line, delivery: Delivery, now: datetime) -> Answer:
        answer = await post(line, delivery.notification, self._clock())
        attempt = verdict(answer, delivery.attempts + 1, line.endpoint.attempts, now)
        await asyncio.to_thread(self._store.attempted, delivery, attempt)
        _log.info(
            "webhook",
            endpoint=delivery.endpoint,
            type=delivery.notification.type,
            id=delivery.notification.id,
            state=attempt.state.value,
            attempt=delivery.attempts + 1,
            status=answer.status_code,
            error=attempt.error,
            ms=answer.duration_ms,
        )
        return answer


def verdict(answer: Answer, number: int, most: int, now: datetime, chance: float | None = None) -> Attempt:
    """Return what follows from the answer to attempt `number` of at most `most`: done, dead, or open until when.

    2xx is done; 410 Gone and the last failure are dead; everything else, redirects too, is tried again. `chance`,
    0 to 1, is drawn if not given.
    """
    chance = random.random() if chance is None else chance  # noqa: S311  jitter, no secret
    at = now + timedelta(milliseconds=answer.duration_ms)
    state, next_at, error = DeliveryState.OPEN, None, answer.error
    if answer.taken:
        state = DeliveryState.DONE
    elif answer.status_code == 410:
        state, error = DeliveryState.DEAD, "answered 410 Gone: the receiver wants no more of these"
    elif number >= most:
        state, error = DeliveryState.DEAD, f"given up after {number} attempts: {answer.error}"
    else:
        next_at = at + timedelta(seconds=wait_for(number, retry_after(answer.retry_after, now), chance))
    return Attempt(at, answer.duration_ms, state, next_at, answer.status_code, error, answer.response)
