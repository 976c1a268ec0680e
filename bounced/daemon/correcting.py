"""What a second judgement of the same reports changes: which events say it better, what follows for an address. Pure.

An event that is superseded counts no more, the one that supersedes it counts in its place and at its time.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bounced.model import Change, Event, History, Judged, Move, Suppression, Trust, Wave
from bounced.pipeline import Decide
from bounced.recording import events_of

#: Who releases what a second judgement would not have suppressed; and what supersedes an event that nothing stands for.
REPLAY = "replay"
_AUTOMATIC = frozenset({"bounced", REPLAY})
_SAME = ("kind", "category", "reason", "fault", "trust", "address", "final_recipient", "action", "feedback_type")
_TRUST = (Trust.CLAIMED, Trust.MATCHED, Trust.SIGNED)


@dataclass(frozen=True, slots=True)
class Correction:
    """What one report said of one address, before and now; None where it says nothing of it."""

    old: Event | None
    new: Event | None

    @property
    def address(self) -> str:
        """Whom it is about; the empty string for nobody who is named."""
        event = self.old or self.new
        return (event.address if event else None) or ""

    @property
    def differs(self) -> bool:
        """True if the verdict is another one; another rule that comes to the same is not."""
        old, new = self.old, self.new
        return old is None or new is None or any(getattr(old, name) != getattr(new, name) for name in _SAME)


def corrections(before: Sequence[Event], judged: Judged) -> list[Correction]:
    """Return, for each event that came of a message (at least one) and each that would now, what stands against it.

    What a signature or a record proved when the report arrived stays proved, though its key may be gone since.
    """
    first = before[0]
    waiting = events_of(replace(judged, digest=first.digest, place=first.place), first.at)
    pairs: list[Correction] = []
    for old in before:
        match = next((event for event in waiting if event.address == old.address), None)
        if match is not None:
            waiting.remove(match)
        pairs.append(Correction(old, match and _as_believed(old, match)))
    return pairs + [Correction(None, event) for event in waiting]


def words(event: Event | None) -> str:
    """Return a verdict in words: category and reason; where nothing failed, the kind."""
    if event is None:
        return "nothing"
    return f"{event.category} {event.reason}" if event.category else str(event.kind)


def _as_believed(old: Event, new: Event) -> Event:
    if _TRUST.index(old.trust) <= _TRUST.index(new.trust):
        return new
    return replace(new, trust=old.trust, trust_why=old.trust_why, identified_by=old.identified_by)


@dataclass(frozen=True, slots=True)
class Settled:
    """The events to record, none of which is recorded yet, and by which event each old one is superseded."""

    record: Sequence[Event]
    superseded: Mapping[str, str]


def settle(found: Iterable[Correction], recorded: Mapping[str, str | None], now: datetime) -> Settled:
    """Return what is to be recorded. `recorded` gives for each known key the id of its event, None if superseded.

    Another copy of a report that has come to the new verdict already stands for this one too: it counts once.
    """
    found = list(found)
    gone = {each.old.id for each in found if each.old}
    record: dict[str, Event] = {}
    superseded: dict[str, str] = {}
    for old, new in ((each.old, each.new) for each in found):
        there = recorded.get(new.key) if new else None
        if new is None:
            instead = REPLAY
        elif there is not None and there not in gone:
            instead = there
        else:
            event = _with_key(new, old, now) if new.key in recorded else new
            instead = record.setdefault(event.key, event).id
        if old is not None:
            superseded[old.id] = instead
    return Settled(list(record.values()), superseded)


def _with_key(new: Event, old: Event | None, now: datetime) -> Event:
    """Return the event under a key of its own: its natural one was that of an event that is superseded."""
    parts = (new.key, old.id if old else "", now.isoformat())
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return replace(new, key=key, id="ev_" + key[:32])


@dataclass(frozen=True, slots=True)
class Effect:
    """What follows for one address: entries that it would have, or would not, or would have for another cause."""

    events: Sequence[Event]
    gained: Sequence[Change] = ()
    lost: Sequence[Suppression] = ()
    renamed: Sequence[Change] = ()

    def changes(self, now: datetime, why: str) -> list[Change]:
        """Return the journal lines that bring the table up to it."""
        return [*self.gained, *self.renamed, *(_released(entry, now, why) for entry in self.lost)]


def effect(history: History, new: Sequence[Event], gone: Collection[str], judge: "Judge") -> Effect:
    """Return what follows for an address whose events `gone` are superseded by `new`.

    The policy decides anew about all evidence that counts. What a person, an import or evidence that is not known
    any more has written into the table stands; so do releases by persons, but not those of an earlier second judgement.
    """
    known = {event.id for event in history.events}
    held = [entry for entry in history.suppressions if entry.holds(judge.now)]
    ours = {e.scope: e for e in held if e.actor in _AUTOMATIC and (e.event_id in known or e.event_id in gone)}
    before = History(
        history.address,
        suppressions=tuple(entry for entry in held if entry.scope not in ours),
        journal=tuple(line for line in history.journal if not _forgotten(line, gone)),
        signs=history.signs,
    )
    events = [event for event in history.events if event.id not in gone] + [e for e in new if e.id not in known]
    decided, changes = judge.decide(events, {history.address: before}, judge.now, judge.waves)
    wanted = {change.scope: change for change in changes if change.move is Move.SUPPRESS}
    mine = {event.id for event in new}
    there, again = {entry.scope for entry in held}, f"judged again on {judge.now:%Y-%m-%d}: "
    return Effect(
        events=[replace(event, decision=again + event.decision) for event in decided if event.id in mine],
        gained=[change for scope, change in wanted.items() if scope not in there],
        lost=[entry for scope, entry in ours.items() if scope not in wanted],
        renamed=[c for scope, c in wanted.items() if scope in ours and _another(ours[scope], c, gone)],
    )


@dataclass(frozen=True, slots=True)
class Judge:
    """Who decides what follows, and when."""

    decide: Decide
    waves: Sequence[Wave]
    now: datetime


def _forgotten(line: Change, gone: Collection[str]) -> bool:
    """True for a line that says no more than evidence that is superseded, or an earlier second judgement, did."""
    if line.move is Move.SUPPRESS:
        return line.event_id in gone and line.actor in _AUTOMATIC
    return line.move is Move.RELEASE and line.actor == REPLAY


def _another(entry: Suppression, change: Change, gone: Collection[str]) -> bool:
    cause = (entry.category, entry.reason, entry.until) != (change.category, change.reason, change.until)
    return cause or entry.event_id in gone


def _released(entry: Suppression, now: datetime, why: str) -> Change:
    return Change(
        address=entry.address,
        scope=entry.scope,
        move=Move.RELEASE,
        at=now,
        category=entry.category,
        reason=entry.reason,
        why=why,
        event_id=entry.event_id,
        actor=REPLAY,
    )
