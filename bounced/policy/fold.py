"""All evidence on one address, in the order in which it happened, folded to the claims it makes on the table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bounced.config import Policy, Threshold
from bounced.model import DEAD, Category, Change, Move
from bounced.policy.counting import Count, Step
from bounced.policy.evidence import SOFT, Evidence, Proof
from bounced.policy.words import counted, delivered, suppressed

#: Who writes the journal lines that follow from evidence; every other actor is a person, or acts for one.
POLICY = "bounced"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one counter wants of the table: the address suppressed in a scope until then (None: no end)."""

    scope: str
    category: str
    reason: str
    until: datetime | None
    event_id: str | None
    why: str
    actor: str = POLICY
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """What an event did when its turn came. `step` is None for what is no evidence."""

    text: str
    step: Step | None = None


@dataclass(slots=True)
class Fold:
    """The counters of one address while evidence is added to them in time order.

    `dead_at` is the newest report of a dead address by scope, `proofs` of the contrary stand in their order.
    """

    settings: Policy
    counts: dict[tuple[str, str], Count] = field(default_factory=dict)
    claims: dict[tuple[str, str], Claim] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)
    dead_at: dict[str, datetime] = field(default_factory=dict)
    proofs: list[datetime] = field(default_factory=list)

    @property
    def alive_at(self) -> datetime | None:
        """When the newest proof was given."""
        return self.proofs[-1] if self.proofs else None

    def add(self, item: Evidence | Proof | Change) -> None:
        """Take up one thing that happened; it must not have happened before what was added earlier."""
        if isinstance(item, Evidence):
            self._against(item)
        elif isinstance(item, Proof):
            self._for(item)
        else:
            self._resume(item)

    def _against(self, evidence: Evidence) -> None:
        key = (evidence.scope, evidence.counter)
        if evidence.category == Category.HARD:
            self.dead_at[evidence.scope] = evidence.at
        count = self.counts.setdefault(key, Count(evidence.threshold))
        before = count.episode
        step = count.add(evidence.at)
        if step in (Step.COUNTED, Step.SAME_DAY):
            self.notes[evidence.event.id] = Note(counted(evidence.threshold, count.tally, step), step)
            return
        until = count.episode.until if count.episode else None
        why = suppressed(evidence.reason, evidence.threshold, count.tally, step, until)
        self.notes[evidence.event.id] = Note(why, step)
        if count.episode != before:
            category, event = evidence.category, evidence.event
            self.claims[key] = Claim(evidence.scope, category, evidence.reason, until, event.id, why)

    def _for(self, proof: Proof) -> None:
        """A delivery ends every count, and what soft failures came to; what is dead stays so until a person looks."""
        forgotten = False
        self.proofs.append(proof.at)
        for key, count in self.counts.items():
            claim = self.claims.get(key)
            if claim is None or claim.category == Category.SOFT:
                forgotten |= count.reset()
                self.claims.pop(key, None)
        if proof.event is not None:
            self.notes[proof.event.id] = Note(delivered(forgotten))

    def _resume(self, line: Change) -> None:
        """Take up what soft failures came to whose events are kept no longer."""
        if line.until is None:
            return
        settings = self.settings.within(line.scope)
        own = {str(r): c for r, c in settings.reasons.items() if isinstance(c, Threshold) and r not in DEAD}
        threshold = own.get(line.reason)
        key = (line.scope, (SOFT if threshold is None else line.reason) + settings.apart)
        self.counts.setdefault(key, Count(threshold or settings.soft)).resume(line.at, line.until)
        self.claims[key] = Claim(line.scope, line.category, line.reason, line.until, line.event_id, line.why)


def in_order(items: Iterable[Evidence | Proof | Change]) -> list[Evidence | Proof | Change]:
    """Return evidence as it happened; what happened at the same instant in an order that does not change."""
    return sorted(items, key=_when)


def _when(item: Evidence | Proof | Change) -> tuple[datetime, str]:
    if isinstance(item, Change):
        return item.at, item.event_id or ""
    return item.at, item.event.id if item.event else ""


def remembered(journal: Sequence[Change], known: Mapping[str, object]) -> list[Change]:
    """Return the journal's soft suppressions by this policy whose event is not among the `known`.

    What was released since, by whomever, is over and leaves no probation behind.
    """
    kept: dict[str, list[Change]] = {}
    for line in journal:
        if line.move is Move.RELEASE:
            kept.pop(line.scope, None)
        elif _is_ours(line) and line.event_id not in known:
            kept.setdefault(line.scope, []).append(line)
    return [line for lines in kept.values() for line in lines]


def _is_ours(line: Change) -> bool:
    return line.move is Move.SUPPRESS and line.actor == POLICY and line.category == Category.SOFT
