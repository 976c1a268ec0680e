"""One batch of raw messages through all stages: the place where they meet.

raw message -> report -> verdicts and identities -> events, journal, outbox: one transaction
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from bounced.canary import CANARY, Aviary, Cage, owned
from bounced.correlate import cap
from bounced.errors import TryLater, Unreadable
from bounced.model import (
    Change,
    Disposition,
    Event,
    History,
    Identity,
    Judged,
    Kept,
    Notification,
    Outcome,
    Place,
    RawMessage,
    Report,
    SignOfLife,
    Verdict,
    Wave,
)
from bounced.recalling import Memory, Recall, recalled
from bounced.recording import SEEN_BEFORE, Filed, filed, quarantined
from bounced.watching import Watch, Watching, keep, look, runs
from bounced.workers import Stopped, Workers


class Transaction(Watching, Recall, Aviary, Protocol):
    """What a batch needs of the ledger; everything in it is committed together or not at all."""

    def known(self, messages: Sequence[tuple[Place, str]]) -> Mapping[Place, Disposition]:
        """Return what became of those messages that were settled before, by place or by digest."""

    def fresh(self, events: Sequence[Event]) -> list[Event]:
        """Return the events whose key is not recorded yet, each key once, in order."""

    def record(self, events: Sequence[Event]) -> None:
        """Insert events that `fresh` returned."""

    def testify(self, signs: Sequence[SignOfLife]) -> None:
        """Keep the newest sign of life of each address and kind."""

    def keep(self, kept: Sequence[Kept]) -> None:
        """Keep raw evidence, so that its events can be looked into; what is kept already stays as it is."""

    def journal(self, changes: Sequence[Change]) -> None:
        """Append to the suppression journal and bring its state up to date."""

    def announce(self, notifications: Sequence[Notification]) -> None:
        """Write outbox rows and one delivery for each endpoint that wants the type."""

    def settle(self, outcomes: Sequence[tuple[Outcome, str]]) -> None:
        """Write outcome and digest of each message to the message ledger, not yet acked."""

    def strike(self, place: Place, digest: str, why: str, now: datetime) -> int:
        """Store one more strike against a message and return how many it has."""


class Ledger(Protocol):
    """Where transactions come from."""

    def begin(self) -> AbstractContextManager[Transaction]:
        """Begin a transaction that no other writer of the ledger overlaps. Raises StoreDown."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that could not be judged. `final` says that another try would end the same."""

    why: str
    final: bool


@dataclass(frozen=True, slots=True)
class Aside:
    """A message that was not read, since it bears no token where one is due."""

    why: str


Judgement = Judged | Failure
Taken = Judgement | Filed | Aside


class Decide(Protocol):
    """The policy: see policy.decide. An address that has a history and no new event is looked at again."""

    def __call__(
        self, events: Sequence[Event], histories: Mapping[str, History], now: datetime, waves: Sequence[Wave] = ()
    ) -> tuple[Sequence[Event], Sequence[Change]]:
        """Return the events with their decisions, and the changes of the table."""


Keep = Callable[[RawMessage, datetime], Kept]
Compose = Callable[[Sequence[Event], Sequence[Change], datetime], Sequence[Notification]]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Reading:
    """The pure stages, up to where the ledger begins."""

    read: Callable[[RawMessage], Report]
    classify: Callable[[Report], Sequence[Verdict]]
    correlate: Callable[[Report, Verdict, datetime], Identity]
    clock: Callable[[], datetime] = _utc_now

    def judge(self, raw: RawMessage) -> Judged:
        """Return what `raw` says of each recipient. Raises Unreadable where a limit or its form forbids that."""
        report = self.read(raw)
        arrived = raw.received or self.clock()  # signatures are judged by the time of arrival: again is the same
        verdicts = tuple(self._attributed(report, verdict, arrived) for verdict in self.classify(report))
        return Judged(raw.place, raw.digest(), raw.size, report, verdicts, raw.received)

    def _attributed(self, report: Report, verdict: Verdict, arrived: datetime) -> tuple[Verdict, Identity]:
        identity = self.correlate(report, verdict, arrived)
        return cap(verdict, identity), identity


@dataclass(frozen=True, slots=True)
class Stages:
    """Everything that `handle` calls. `judge` maps a batch to as many judgements, in order; `keep` may be wanting.

    `judge_whole` does the same where the reports themselves are wanted; without it, `judge` returns them anyway.
    """

    judge: Callable[[Sequence[RawMessage]], Sequence[Taken]]
    decide: Decide
    compose: Compose
    ledger: Ledger
    strikes: int = 3
    watch: Watch | None = None
    keep: Keep | None = None
    memory: Memory | None = None
    canary: Cage | None = None
    judge_whole: Callable[[Sequence[RawMessage]], Sequence[Taken]] | None = None


@dataclass(frozen=True, slots=True)
class _Ready:
    """A batch before it is committed: what each message was taken for and came to, and what is kept of it."""

    judgements: Sequence[tuple[RawMessage, Filed | Failure | Aside]]
    canaries: Mapping[Place, Judged]
    found: Mapping[Place, Sequence[Event]]
    kept: Mapping[str, Kept]


def handle(batch: Sequence[RawMessage], stages: Stages, now: datetime) -> list[Outcome]:
    """Make a batch durable. The caller may ack after this returns, never before.

    The same bytes handled again change nothing. A batch is one transaction, or several where a wave may be rising in
    it. Raises TryLater; what was committed before that is found settled when the batch comes again.
    """
    digests = {raw.place: raw.digest() for raw in batch}
    with stages.ledger.begin() as tx:
        known = tx.known(list(digests.items()))
        memory = stages.memory if tx.keeps_sent() else None
    waiting = [raw for raw in batch if raw.place not in known]
    taken = _recalled(waiting, stages, memory, now) if memory else stages.judge(waiting)
    ready = _ready(waiting, [filed(each) if isinstance(each, Judged) else each for each in taken], stages, now)
    before, outcomes = [_known(raw, known) for raw in batch if raw.place in known], list[Outcome]()
    events = [ready.found.get(raw.place, ()) for raw in waiting]
    for run in runs(events, stages.watch, stages.ledger.begin, now):
        with stages.ledger.begin() as tx:
            done = [*before, *_committed(ready, run, stages, tx, now)]
            tx.settle([(outcome, digests[outcome.place]) for outcome in done])
        before, outcomes = [], [*outcomes, *done]
    return outcomes


def _recalled(batch: Sequence[RawMessage], stages: Stages, memory: Memory, now: datetime) -> Sequence[Taken]:
    """Judge a batch in the light of the sender's records."""
    taken = (stages.judge_whole or stages.judge)(batch)
    whole = [each.whole or each if isinstance(each, Filed) else each for each in taken]
    return recalled(whole, memory, stages.ledger.begin, now)


def _ready(
    batch: Sequence[RawMessage], taken: Sequence[Filed | Failure | Aside], stages: Stages, now: datetime
) -> _Ready:
    """Do what can be done before the ledger is waited for."""
    judgements, files = list(zip(batch, taken, strict=True)), [each for each in taken if isinstance(each, Filed)]
    canaries = owned(stages.canary, [each.whole for each in files if each.whole])
    found = {each.place: [] if each.place in canaries else each.events(now) for each in files}
    return _Ready(judgements, canaries, found, _kept(judgements, stages.keep, now))


def _committed(ready: _Ready, run: slice, stages: Stages, tx: Transaction, now: datetime) -> list[Outcome]:
    """Write what some messages came to, all but their outcomes, and return those."""
    some, found = ready.judgements[run], ready.found
    new = tx.fresh([event for raw, _ in some for event in found.get(raw.place, ())])
    addresses = sorted({e.address for e in new if e.address})
    events, changes, told = _decided(new, tx.histories(addresses, now), stages, tx, now)
    tx.record(events)
    tx.keep([ready.kept[digest] for digest in {event.digest for event in events} & set(ready.kept)])
    tx.journal(changes)
    first = {event.place for event in events}
    outcomes = [
        _settled(j, found[raw.place], first) if isinstance(j, Filed) else _failed(raw, j, stages.strikes, tx, now)
        for raw, j in some
    ]
    outcomes = [replace(o, detail=CANARY) if o.place in ready.canaries else o for o in outcomes]
    back = [ready.canaries[o.place] for o in outcomes if o.place in ready.canaries]
    landed = stages.canary.receive(tx, back, now) if stages.canary else []
    tx.announce([*told, *landed, *stages.compose(events, changes, now), *quarantined(outcomes, now)])
    return outcomes


def _decided(
    new: Sequence[Event], histories: Mapping[str, History], stages: Stages, tx: Transaction, now: datetime
) -> tuple[Sequence[Event], Sequence[Change], Sequence[Notification]]:
    """Return what the policy makes of new events, once it is known which of them belong to a wave."""
    if stages.watch is None or not new:
        return *stages.decide(new, histories, now, tx.waves(now)), ()
    seen = look(stages.watch, tx, new, histories, now)
    known = {**seen.caught, **histories}
    events, changes = stages.decide(new, known, now, seen.waves)
    keep(stages.watch, tx, new, known, seen)
    return events, changes, seen.told


def _kept(
    judgements: Sequence[tuple[RawMessage, Filed | Failure | Aside]], keep: Keep | None, now: datetime
) -> dict[str, Kept]:
    """Return what would be kept of each message that is a report, by digest: packed before the ledger is waited for."""
    reports = (
        (raw, each.digest)
        for raw, each in judgements
        if isinstance(each, Filed) and each.disposition is not Disposition.LEFT
    )
    return {digest: keep(raw, now) for raw, digest in reports} if keep else {}


def judge_here(reading: Reading) -> Callable[[Sequence[RawMessage]], list[Judgement]]:
    """Return a judge that works in this process and lets no exception out but TryLater."""

    def judge(batch: Sequence[RawMessage]) -> list[Judgement]:
        return [judge_one(reading, raw) for raw in batch]

    return judge


def judge_apart(workers: Workers[RawMessage, Judgement]) -> Callable[[Sequence[RawMessage]], list[Judgement]]:
    """Return a judge that works in other processes: a message that overruns its time, or kills one, is a failure."""

    def judge(batch: Sequence[RawMessage]) -> list[Judgement]:
        results = workers.run(batch)
        return [Failure(result.why, final=False) if isinstance(result, Stopped) else result for result in results]

    return judge


def judge_one(reading: Reading, raw: RawMessage) -> Judgement:
    """Return the judgement of one message: the one broad `except` of the program stands here."""
    try:
        return reading.judge(raw)
    except Unreadable as exc:
        return Failure(str(exc), final=True)
    except TryLater:
        raise
    except Exception as exc:  # noqa: BLE001  a poison message costs itself a strike and stops nothing else
        return Failure(f"{type(exc).__name__}: {exc}"[:500], final=False)


def _known(raw: RawMessage, known: Mapping[Place, Disposition]) -> Outcome:
    return Outcome(raw.place, known[raw.place], SEEN_BEFORE)


def _settled(each: Filed, found: Sequence[Event], first: Collection[Place]) -> Outcome:
    """Return the outcome of a judged message; a report of which nothing was new says so."""
    ids = tuple(event.id for event in found)
    repeated = bool(ids) and each.place not in first
    return Outcome(each.place, each.disposition, SEEN_BEFORE if repeated else each.kind, ids)


def _failed(raw: RawMessage, failure: Failure | Aside, limit: int, tx: Transaction, now: datetime) -> Outcome:
    if isinstance(failure, Aside):
        return Outcome(raw.place, Disposition.BACKSCATTER, failure.why)
    if failure.final:
        return Outcome(raw.place, Disposition.QUARANTINE, failure.why)
    strikes = tx.strike(raw.place, raw.digest(), failure.why, now)
    disposition = Disposition.QUARANTINE if strikes >= limit else Disposition.RETRY
    return Outcome(raw.place, disposition, f"strike {strikes} of {limit}: {failure.why}")
