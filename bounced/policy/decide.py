"""New events against what is known of their addresses: what each event did, and the journal lines that follow.

The decision is a function of all evidence on an address in the order in which it happened, so reports that come
late, twice or in another order lead to the same table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bounced.config import Policy
from bounced.model import Category, Change, Event, History, Move, Suppression
from bounced.policy.counting import Step
from bounced.policy.evidence import Evidence, Nothing, Proof, Weight, happened, weigh
from bounced.policy.fold import POLICY, Claim, Fold, Note, in_order, remembered
from bounced.policy.table import carried, claim_of, differs, merge
from bounced.policy.words import ends


def decide(
    events: Sequence[Event],
    histories: Mapping[str, History],
    settings: Policy,
    now: datetime,
    *,
    signed_paths: bool = False,
) -> tuple[list[Event], list[Change]]:
    """Return the events, in their order, with `decision` filled in, and the changes of the table.

    `signed_paths` says that a signing key is configured: then what a report merely claims never suppresses.
    """
    decided: dict[str, Event] = {event.id: event for event in events}
    changes: list[Change] = []
    by_address: dict[str | None, list[Event]] = {}
    for event in events:
        by_address.setdefault(event.address, []).append(event)
    for address, batch in by_address.items():
        case = _Case(batch, histories.get(address or "", History(address or "")), settings, now, signed_paths)
        texts, lines = _decide_one(case)
        decided.update({event.id: replace(event, decision=texts[event.id]) for event in batch})
        changes.extend(lines)
    return [decided[event.id] for event in events], changes


@dataclass(frozen=True, slots=True)
class _Case:
    """One address: what is new, what is known, and by what measure it is judged."""

    batch: Sequence[Event]
    history: History
    settings: Policy
    now: datetime
    signed_paths: bool

    def weights(self) -> dict[str, Weight]:
        """Return the worth of every event, known and new, by id."""
        known = {event.id: event for event in (*self.history.events, *self.batch)}
        weights = {id_: weigh(event, self.settings, self.signed_paths) for id_, event in known.items()}
        released = _released(self.history.journal)
        return {id_: _if_newer(weight, released) for id_, weight in weights.items()}

    def entries(self) -> dict[str, Suppression]:
        """Return the present entries that still hold, by scope."""
        return {entry.scope: entry for entry in self.history.suppressions if entry.holds(self.now)}


def _decide_one(case: _Case) -> tuple[dict[str, str], list[Change]]:
    """Return what each new event of one address did, by id, and the changes."""
    weights = case.weights()
    fold = Fold(case.settings)
    lines = remembered(case.history.journal, weights)
    for item in in_order([*lines, *(w for w in weights.values() if not isinstance(w, Nothing))]):
        fold.add(item)
    proven = any(isinstance(weights[event.id], Proof) for event in case.batch)
    used = frozenset(id_ for id_, weight in weights.items() if isinstance(weight, Evidence))
    table = _table(case, fold, used, proven)
    changes = _changes(case, table)
    texts = {event.id: _text(weights[event.id], fold.notes.get(event.id), table, changes) for event in case.batch}
    return texts | _for_review(case, weights), changes


def _for_review(case: _Case, weights: Mapping[str, Weight]) -> dict[str, str]:
    """Return the words for mere claims that were made on two days or more: a person should look."""
    events = {event.id: event for event in (*case.history.events, *case.batch)}
    claims = {id_: weight.why for id_, weight in weights.items() if isinstance(weight, Nothing) and weight.claimed}
    days = {happened(events[id_]).date() for id_ in claims}
    if len(days) < 2:
        return {}
    return {e.id: f"for review, claimed on {len(days)} days; {claims[e.id]}" for e in case.batch if e.id in claims}


def _released(journal: Sequence[Change]) -> dict[str, datetime]:
    """Return when a person last released the address, by scope."""
    lines = [line for line in journal if line.move is Move.RELEASE and line.actor != POLICY]
    return {line.scope: line.at for line in sorted(lines, key=lambda line: line.at)}


def _if_newer(weight: Weight, released: Mapping[str, datetime]) -> Weight:
    """Evidence that is older than a release by a person counts no more."""
    if not isinstance(weight, Evidence):
        return weight
    at = released.get(weight.scope)
    if at is None or happened(weight.event) > at:
        return weight
    return Nothing(f"not counted: older than the release in {weight.scope} of {at:%Y-%m-%d %H:%M}")


def _table(case: _Case, fold: Fold, used: frozenset[str], proven: bool) -> dict[str, Claim]:
    """Return what the table should say of the address, by scope."""
    entries = case.entries()
    table: dict[str, Claim] = {}
    claims = [claim for claim in fold.claims.values() if claim.until is None or claim.until > case.now]
    for scope in sorted({*entries, *(claim.scope for claim in claims)}):
        here = [claim for claim in claims if claim.scope == scope]
        entry = entries.get(scope)
        if entry is not None and carried(entry, here, used, proven):
            here.append(claim_of(entry))
        if here:
            table[scope] = merge(here)
    return table


def _changes(case: _Case, table: Mapping[str, Claim]) -> list[Change]:
    """Return the journal lines that lead from the present entries to `table`."""
    entries = case.entries()
    wanted = [_suppress(case, claim) for claim in table.values() if differs(entries.get(claim.scope), claim)]
    return wanted + [_release(case, entry) for scope, entry in entries.items() if scope not in table]


def _suppress(case: _Case, claim: Claim) -> Change:
    return Change(
        address=case.history.address,
        scope=claim.scope,
        move=Move.SUPPRESS,
        at=case.now,
        category=claim.category,
        reason=claim.reason,
        why=claim.why,
        until=claim.until,
        event_id=claim.event_id,
    )


def _release(case: _Case, entry: Suppression) -> Change:
    return Change(
        address=entry.address,
        scope=entry.scope,
        move=Move.RELEASE,
        at=case.now,
        category=entry.category,
        reason=entry.reason,
        why="mail was delivered: what soft failures were counted is forgotten",
        event_id=entry.event_id,
    )


def _text(weight: Weight, note: Note | None, table: Mapping[str, Claim], changes: Sequence[Change]) -> str:
    """Return what one new event did, for a person."""
    if isinstance(weight, Nothing):
        return weight.why
    if note is None:
        return ""
    if isinstance(weight, Proof):
        released = [change.scope for change in changes if change.move is Move.RELEASE]
        disputed = [scope for scope, claim in table.items() if claim.category == Category.HARD]
        return note.text + _scopes("; released in", released) + _scopes("; disputes the suppression in", disputed)
    return _against(weight, note, table.get(weight.scope), changes)


def _scopes(words: str, scopes: Sequence[str]) -> str:
    return f"{words} {', '.join(scopes)}" if scopes else ""


def _against(weight: Evidence, note: Note, entry: Claim | None, changes: Sequence[Change]) -> str:
    if note.step in (Step.COUNTED, Step.SAME_DAY):
        standing = f"; suppressed in {entry.scope} already: {entry.reason}, {ends(entry.until)}" if entry else ""
        return note.text + standing
    if any(change.event_id == weight.event.id and change.move is Move.SUPPRESS for change in changes):
        return f"suppressed in {weight.scope}: {note.text}"
    if entry is not None:
        return f"suppressed in {entry.scope} already: {entry.category} {entry.reason}, {ends(entry.until)}"
    return f"not suppressed in {weight.scope} any more: {note.text}, which is over"
