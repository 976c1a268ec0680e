"""Judging in worker processes, with the time each message took; and what one batch came to, for log and metrics."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from bounced.config import Config
from bounced.daemon.interpreter import seldom_collected
from bounced.daemon.wiring import keeping, reading, screening
from bounced.model import Change, Disposition, Event, History, Kept, Place, RawMessage, Wave
from bounced.pipeline import Aside, Failure, Judgement, Keep, Reading, Stages, Taken, judge_one
from bounced.recording import Filed, filed
from bounced.workers import Stopped, Workers

Timed = tuple[Judgement, float]
#: A message, and whether the whole of its report is to come back.
Task = tuple[RawMessage, bool]
#: What a message was taken for, the seconds that took, and its raw evidence, made by the process that judged it.
Done = tuple[Filed | Failure, float, Kept | None]
DoneOrAside = tuple[Filed | Failure | Aside, float, Kept | None]


class Judges:
    """The pure stages in as many processes as the configuration says; shared by all mailboxes."""

    def __init__(self, config: Config) -> None:
        self._screening = screening(config) if config.correlation.signing.keys else None
        self._workers: Workers[Task, Done] = Workers(prepare, (config,), config.limits.seconds, config.limits.workers)

        #: Whether `take` had to return whole reports before: then it will have to again.
        self.whole = False

    def judge(self, batch: Sequence[RawMessage]) -> list[Timed]:
        """Return judgement and seconds of each message, in order; one that overran its time is a failure."""
        return [(_judgement(each), seconds) for each, seconds, _ in self._judge(batch, whole=True)]

    def take(self, batch: Sequence[RawMessage], whole: bool) -> list[DoneOrAside]:
        """Judge what came by mail: as `judge`, but what bears no token where one is due is not read at all."""
        self.whole |= whole
        aside = self._set_aside(batch)
        due = [raw for raw in batch if raw.place not in aside]
        judged = iter(self._judge(due, whole) if due else ())
        return [(Aside(aside[raw.place]), 0.0, None) if raw.place in aside else next(judged) for raw in batch]

    def close(self) -> None:
        """Stop the processes."""
        self._workers.close()

    def _judge(self, batch: Sequence[RawMessage], whole: bool) -> list[Done]:
        results = self._workers.run([(raw, whole) for raw in batch])
        return [(Failure(r.why, final=False), 0.0, None) if isinstance(r, Stopped) else r for r in results]

    def _set_aside(self, batch: Sequence[RawMessage]) -> dict[Place, str]:
        """Return why each message is not to be read that is not: none of it goes to another process."""
        screen, now = self._screening, datetime.now(UTC)
        if screen is None:
            return {}
        return {raw.place: why for raw in batch if (why := screen.why_aside(raw, now))}


class Ahead:
    """Judges one batch in a thread of `beside`, while its caller commits another. Stands where Judges stands."""

    def __init__(self, judges: Judges, batch: Sequence[RawMessage], beside: Executor) -> None:
        self._judges, self._whole = judges, judges.whole
        self._places = [raw.place for raw in batch]
        self._results = beside.submit(judges.take, batch, self._whole)

    def take(self, batch: Sequence[RawMessage], whole: bool) -> list[DoneOrAside]:
        """Return what `Judges.take` does for each message, which must be of the batch that was begun with.

        Whole reports that were not asked for when it began are made now, anew.
        """
        if whole and not self._whole:
            return self._judges.take(batch, whole)
        ready = dict(zip(self._places, self._results.result(), strict=True))
        return [ready[raw.place] for raw in batch]


def prepare(config: Config) -> partial[Done]:
    """Return the function that a worker process runs; rules are loaded and compiled once a process."""
    stages = reading(config)
    seldom_collected()
    return partial(_done, _Desk(stages, keeping(config), config.canary.recipient if config.canary else None))


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a worker process works with."""

    stages: Reading
    keep: Keep | None
    canary: str | None


def _done(desk: _Desk, task: Task) -> Done:
    raw, whole = task
    began = time.perf_counter()
    judgement = judge_one(desk.stages, raw)
    if isinstance(judgement, Failure):
        return judgement, time.perf_counter() - began, None
    is_canary = desk.canary is not None and desk.canary in {identity.recipient for _, identity in judgement.verdicts}
    each = filed(judgement, whole or is_canary)
    kept = desk.keep(raw, datetime.now(UTC)) if desk.keep and each.disposition is not Disposition.LEFT else None
    return each, time.perf_counter() - began, kept


def _judgement(each: Filed | Failure) -> Judgement:
    if isinstance(each, Failure):
        return each
    if each.whole is None:
        raise RuntimeError("the whole report was asked for")
    return each.whole


class Notes:
    """What one batch came to. Stands before the judges and the policy, and remembers what passed by.

    `stages` are those given, with these notes in between.
    """

    def __init__(self, judges: Judges | Ahead, stages: Stages) -> None:
        self._judges, self._decide, self._keep = judges, stages.decide, stages.keep
        self._kept: dict[Place, Kept] = {}
        keep = self.keep if stages.keep else None
        self.stages = replace(
            stages, judge=self.judge, judge_whole=partial(self.judge, whole=True), decide=self.decide, keep=keep
        )
        self.seconds: dict[Place, float] = {}
        self.filed: dict[Place, Filed] = {}
        self.events: list[Event] = []
        self.changes: list[Change] = []

    def judge(self, batch: Sequence[RawMessage], whole: bool = False) -> list[Taken]:
        """Judge a batch; see pipeline.Stages."""
        done = self._judges.take(batch, whole) if batch else []
        for raw, (taken, seconds, kept) in zip(batch, done, strict=True):
            self.seconds[raw.place] = seconds
            if isinstance(taken, Filed):
                self.filed[raw.place] = taken
            if kept:
                self._kept[raw.place] = kept
        return [taken for taken, _, _ in done]

    def keep(self, raw: RawMessage, now: datetime) -> Kept:
        """Return the raw evidence of a message; see pipeline.Stages."""
        kept = self._kept.get(raw.place)
        if kept is None and self._keep:  # it became a report by what our records say of it
            return self._keep(raw, now)
        if kept is None:
            raise RuntimeError("no raw evidence is to be kept")
        return replace(kept, at=now)

    def decide(
        self, events: Sequence[Event], histories: Mapping[str, History], now: datetime, waves: Sequence[Wave] = ()
    ) -> tuple[Sequence[Event], Sequence[Change]]:
        """Ask the policy; see pipeline.Stages."""
        decided, changes = self._decide(events, histories, now, waves)
        self.events += decided
        self.changes += changes
        return decided, changes
