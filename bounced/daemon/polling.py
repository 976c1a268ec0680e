"""One mailbox: batch after batch through the stages, then acked; one log line a message."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from bounced.daemon.judging import Ahead, Judges, Notes
from bounced.daemon.pulse import Pulse
from bounced.model import Disposition, Outcome
from bounced.pipeline import Stages, handle

if TYPE_CHECKING:
    from bounced.mailbox import Batch, Positions, Source
    from bounced.serve.health import Health
    from bounced.serve.metrics import Metrics

log = structlog.get_logger("bounced.poll")

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
        begun: tuple[Batch, Ahead] | None = None
        with closing(self.source.poll(self._shared.state)) as batches, ThreadPoolExecutor(1) as beside:
            for batch in self._awaited(batches):
                last, begun = begun, (batch, Ahead(self._shared.judges, batch.messages, beside))
                ended.update(self._work_off(*last) if last else ())
                if self._shared.stop.is_set():
                    return ended
            ended.update(self._work_off(*begun) if begun else ())
        self._shared.health.polled(self.name, datetime.now(UTC))
        return ended

    def wait(self, seconds: float) -> bool:
        """Wait for so long, for new mail or for the end; True for new mail."""
        self.promise(seconds + self.allowance.fetch)
        return self.source.wait(seconds, self._shared.stop)

    def promise(self, seconds: float) -> None:
        """Note progress, and expect more within `seconds`."""
        self._shared.pulse.promise(self.loop, seconds)

    def _awaited(self, batches: "Iterable[Batch]") -> "Iterator[Batch]":
        self.promise(self.allowance.fetch)
        for batch in batches:
            yield batch
            self.promise(self.allowance.fetch)

    def _work_off(self, batch: "Batch", ahead: Ahead) -> list[Disposition]:
        """Commit and ack a batch whose judging was begun; return where its messages ended."""
        if not batch.messages:
            return []
        shared, allowed = self._shared, self.allowance
        self.promise(allowed.commit + allowed.message * len(batch.messages))
        notes = Notes(ahead, shared.stages.decide)
        stages = replace(shared.stages, judge=notes.judge, decide=notes.decide)
        began = time.perf_counter()
        outcomes = handle(batch.messages, stages, datetime.now(UTC))
        self._tell(outcomes, notes, time.perf_counter() - began)
        self.promise(allowed.fetch)
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
    """Write one line a message; at level debug also what was recorded of whom."""
    bound = log.bind(mailbox=mailbox)
    for outcome in outcomes:
        _log_message(bound, outcome, notes)
    for event in notes.events:
        bound.debug("event", id=event.id, address=event.address, reason=event.reason, decision=event.decision)
    for change in notes.changes:
        bound.debug("suppression", address=change.address, move=change.move, scope=change.scope)


def _log_message(bound: structlog.typing.FilteringBoundLogger, outcome: Outcome, notes: Notes) -> None:
    judged = notes.judged.get(outcome.place)
    kind = judged.report.kind.value if judged else None
    bad = outcome.disposition in (Disposition.QUARANTINE, Disposition.RETRY)
    say = bound.warning if bad else bound.info
    say(
        "message",
        folder=outcome.place.folder,
        uid=outcome.place.uid,
        reader=judged.report.reader if judged else None,
        kind=kind,
        rule=" ".join(dict.fromkeys(v.rule for v, _ in judged.verdicts)) if judged else None,
        outcome=outcome.disposition.value,
        why=_ADDRESS.sub("<address>", outcome.detail) if outcome.detail != kind else None,
        ms=round(notes.seconds.get(outcome.place, 0.0) * 1000, 2),
    )
