"""Judging kept reports again: what the present rules, or others, say of them, and making that so."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING

from bounced.config import Config
from bounced.daemon import wiring
from bounced.daemon.correcting import Correction, Effect, Judge, corrections, effect, settle, words
from bounced.keeping import restored
from bounced.model import Change, Judged, Kept, RawMessage, Suppression
from bounced.pipeline import Judgement, judge_apart, judge_here, judge_one
from bounced.recalling import recalled
from bounced.workers import Workers

if TYPE_CHECKING:
    from bounced.store import Store
    from bounced.store.ledger import Batch

#: Up to so many messages no process is started.
_FEW = 200
#: Addresses looked at, and corrected, in one transaction.
_AT_ONCE = 200

Judging = Callable[[Sequence[RawMessage]], Sequence[Judgement]]
Watched = Callable[[Iterable[list[Kept]]], Iterable[list[Kept]]]


@dataclass(frozen=True, slots=True)
class Span:
    """Which reports are judged again, by when they were handled, and by which rules: None for the present ones."""

    since: datetime
    until: datetime
    rules: Path | None = None


@dataclass(slots=True)
class Replayed:
    """What came of it. `cut` are reports of which too much is wanting, `failed` those that could not be judged."""

    matrix: Counter[tuple[str, str]] = field(default_factory=Counter)
    different: list[Correction] = field(default_factory=list)
    gained: list[Change] = field(default_factory=list)
    lost: list[Suppression] = field(default_factory=list)
    messages: int = 0
    cut: int = 0
    failed: int = 0


class Replay:
    """One run over a span of time. Nothing is changed before `apply`."""

    def __init__(self, config: Config, store: "Store", now: datetime) -> None:
        self._config, self._store, self._now = config, store, now
        self._stages = wiring.stages(config, store)

    def compare(self, span: Span, watched: Watched = iter) -> Replayed:
        """Return what the rules say now. Raises ConfigError for rules that cannot be used, StoreDown."""
        replayed = Replayed()
        with self._judging(span) as judge:
            for page in watched(self._store.kept_between(span.since, span.until)):
                self._judge(page, judge, replayed)
        for _, found in self._effects(replayed.different, write=False):
            replayed.gained += found.gained
            replayed.lost += found.lost
        return replayed

    def apply(self, replayed: Replayed, why: str) -> int:
        """Record the corrected verdicts and change the table by the journal; return how many lines it got.

        Some hundred addresses to a transaction: broken off and begun again, it goes on where it was.
        """
        return sum(len(found.changes(self._now, why)) for _, found in self._effects(replayed.different, True, why))

    @contextmanager
    def _judging(self, span: Span) -> Iterator[Judging]:
        if self._store.kept_amount(span.since, span.until) <= _FEW:
            yield judge_here(wiring.reading(self._config, span.rules))
            return
        wiring.rules(self._config, span.rules)  # at fault? then here, not in a process
        limits = self._config.limits
        with Workers[RawMessage, Judgement](
            _prepared, (self._config, span.rules), limits.seconds, limits.workers
        ) as workers:
            yield judge_apart(workers)

    def _judge(self, page: Sequence[Kept], judge: Judging, replayed: Replayed) -> None:
        events = self._store.events_of_messages([kept.digest for kept in page])
        whole = [kept for kept in page if kept.digest in events and not kept.cut]
        replayed.messages += len(whole)
        replayed.cut += sum(kept.cut for kept in page)
        raws = [restored(kept, events[kept.digest][0].place) for kept in whole]
        for kept, judgement in zip(whole, self._remembered(judge(raws)), strict=True):
            if not isinstance(judgement, Judged):
                replayed.failed += 1
                continue
            found = corrections(events[kept.digest], judgement)
            replayed.matrix.update((words(each.old), words(each.new)) for each in found)
            replayed.different += [each for each in found if each.differs]

    def _remembered(self, judgements: Sequence[Judgement]) -> Sequence[Judgement]:
        """Return the judgements in the light of the sender's records, as far as those are kept still."""
        with self._store.begin() as tx:
            memory = self._stages.memory if tx.keeps_sent() else None
        return recalled(judgements, memory, self._store.begin, self._now) if memory else judgements

    def _effects(self, found: Sequence[Correction], write: bool, why: str = "") -> Iterator[tuple[str, Effect]]:
        """Yield what follows for each address, by transactions of some hundred; with `write`, once it is committed."""
        groups = groupby(sorted(found, key=lambda each: each.address), lambda each: each.address)
        by_address = ((address, list(mine)) for address, mine in groups)
        while some := dict(islice(by_address, _AT_ONCE)):
            with self._store.begin() as tx:
                effects = self._together(some, tx, why if write else None)
            yield from effects

    def _together(self, found: dict[str, list[Correction]], tx: "Batch", why: str | None) -> list[tuple[str, Effect]]:
        """Return what follows for these addresses, and make it so where there is a reason for that."""
        every = [each for mine in found.values() for each in mine]
        settled = settle(every, tx.recorded([each.new.key for each in every if each.new]), self._now)
        histories = tx.histories([address for address in found if address], self._now)
        judge = Judge(self._stages.decide, tx.waves(self._now), self._now)
        effects = []
        for address in found:
            new = [event for event in settled.record if (event.address or "") == address]
            known = histories.get(address)
            effects.append((address, effect(known, new, settled.superseded, judge) if known else Effect(new)))
        if why is not None:
            changes = [change for _, each in effects for change in each.changes(self._now, why)]
            tx.record([event for _, each in effects for event in each.events])
            tx.supersede(settled.superseded)
            tx.journal(changes)
            tx.announce(self._stages.compose((), changes, self._now))
        return effects


def _prepared(config: Config, rules: Path | None) -> Callable[[RawMessage], Judgement]:
    return partial(judge_one, wiring.reading(config, rules))
