"""One mailbox: batch after batch through the stages, then acked; one log line a message."""

import re
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from bounced.daemon.judging import Ahead, Judges, Notes
from bounced.daemon.pulse import Pulse
from bounced.model import Disposition, Outcome
from bounced.pipeline import Stages, handle
from bounced.recording import SEEN_BEFORE

if TYPE_CHECKING:
    from bounced.mailbox import Batch, Positions, Source
    from bounced.serve.health import Health
    from bounced.serve.metrics import Metrics

log = structlog.get_logger("bounced.poll")

#: Threads beside the one that commits: one fetches, and two batches may be waited for that are being judged.
_BESIDE = 3
#: An address in the text of an exception, which may quote the mail.
_ADDRESS = re.compile(r"[^\s<>\"']+@[^\s<>\"']+")


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many seconds a step may take before its loop counts as stuck."""

    fetch: float
    message: float
    commit: float


@dataclass(frozen=True, slots=True)
class Shared:
    """What the pollers of all mailboxes have in common. `stages.judge` is not used: `judges` stands for it."""

    stages: Stages
    judges: Judges
    state: "Positions"
    pulse: Pulse
    health: "Health"
    metrics: "Metrics"
    stop: threading.Event


class Poller:
    """Polls one mailbox; used by one thread at a time."""

    def __init__(self, source: "Source", shared: Shared, allowance: Allowance, every: float) -> None:
        self.source, self.name, self.loop = source, source.name, f"mailbox {source.name}"
        self.every, self.allowance, self._shared = every, allowance, shared

    def poll(self) -> Counter[Disposition]:
        """Work off what waits, and return how many messages ended where. Raises TryLater; what was committed stays so.

        Ends after the present batch when the daemon is to stop.
        """
        ended: Counter[Disposition] = Counter()
        judges, stop = self._shared.judges, self._shared.stop
        with closing(self.source.poll(self._shared.state)) as batches, ThreadPoolExecutor(_BESIDE) as beside:
            begun: deque[tuple[Batch, Ahead]] = deque()
            coming = beside.submit(next, batches, None)
            while (batch := self._awaited(coming)) is not None and not stop.is_set():
                begun.append((batch, Ahead(judges, batch.messages, beside)))
                while begun and not batch.messages:  # nothing comes until all of these are acked
                    ended.update(self._ack(self._commit(*begun.popleft())))
                coming = beside.submit(next, batches, None)
                outcomes = self._commit(*begun.popleft()) if len(begun) > 1 else []
                self._awaited(coming)
                ended.update(self._ack(outcomes))
            if stop.is_set():
                return ended
            while begun:
                ended.update(self._ack(self._commit(*begun.popleft())))
        self._shared.health.polled(self.name, datetime.now(UTC))
        return ended

    def wait(self, seconds: float) -> bool:
        """Wait for so long, for new mail or for the end; True for new mail."""
        self.promise(seconds + self.allowance.fetch)
        return self.source.wait(seconds, self._shared.stop)

    def promise(self, seconds: float) -> None:
        """Note progress, and expect more within `seconds`."""
        self._shared.pulse.promise(self.loop, seconds)

    def _awaited(self, coming: "Future[Batch | None]") -> "Batch | None":
        """Return the batch that is being fetched; None if there is no more. The connection is then idle."""
        self.promise(self.allowance.fetch)
        return coming.result()

    def _commit(self, batch: "Batch", ahead: Ahead) -> list[Outcome]:
        """Commit a batch whose judging was begun; return what became of its messages."""
        if not batch.messages:
            return []
        shared, allowed = self._shared, self.allowance
        self.promise(allowed.commit + allowed.message * len(batch.messages))
        notes = Notes(ahead, shared.stages)
        began = time.perf_counter()
        outcomes = handle(batch.messages, notes.stages, datetime.now(UTC))
        self._tell(outcomes, notes, time.perf_counter() - began)
        return outcomes

    def _ack(self, outcomes: list[Outcome]) -> list[Disposition]:
        """Tell the source what is committed; return where the messages ended."""
        if outcomes:
            self.promise(self.allowance.fetch)
            self.source.ack(outcomes)
        return [outcome.disposition for outcome in outcomes]

    def _tell(self, outcomes: list[Outcome], notes: Notes, seconds: float) -> None:
        metrics = self._shared.metrics
        metrics.handled(self.name, outcomes, seconds)
        metrics.recorded(notes.events)
        for outcome in outcomes:
            if outcome.place in notes.seconds:
                metrics.judged(notes.seconds[outcome.place])
        log_outcomes(self.name, outcomes, notes)


def log_outcomes(mailbox: str, outcomes: Iterable[Outcome], notes: Notes) -> None:
    """Write one line a message; at level debug also what was recorded of whom, and what a former round left behind."""
    bound = log.bind(mailbox=mailbox)
    for outcome in outcomes:
        _log_message(bound, outcome, notes)
    for event in notes.events:
        bound.debug("event", id=event.id, address=event.address, reason=event.reason, decision=event.decision)
    for change in notes.changes:
        bound.debug("suppression", address=change.address, move=change.move, scope=change.scope)


def _log_message(bound: structlog.typing.FilteringBoundLogger, outcome: Outcome, notes: Notes) -> None:
    each = notes.filed.get(outcome.place)
    kind = each.kind.value if each else None
    bad = outcome.disposition in (Disposition.QUARANTINE, Disposition.RETRY)
    left = outcome.disposition is Disposition.LEFT and outcome.detail == SEEN_BEFORE
    say = bound.debug if left else bound.warning if bad else bound.info
    say(
        "message",
        folder=outcome.place.folder,
        uid=outcome.place.uid,
        reader=each.reader if each else None,
        kind=kind,
        rule=each.rules if each else None,
        outcome=outcome.disposition.value,
        why=_ADDRESS.sub("<address>", outcome.detail) if outcome.detail != kind else None,
        ms=round(notes.seconds.get(outcome.place, 0.0) * 1000, 2),
    )
