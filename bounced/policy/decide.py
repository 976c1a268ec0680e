"""New events against what is known of their addresses: what each event did, and the journal lines that follow.

The decision is a function of all evidence on an address in the order in which it happened, so reports that come
late, twice or in another order lead to the same table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bounced.config import Policy
from bounced.model import HELD, Category, Change, Event, History, Move, Suppression, Trust, Wave
from bounced.policy.counting import Step
from bounced.policy.evidence import Evidence, Nothing, Proof, Weight, happened, weigh
from bounced.policy.fold import POLICY, Claim, Fold, Note, in_order, remembered
from bounced.policy.holding import Holding
from bounced.policy.table import carried, claim_of, differs, merge
from bounced.policy.words import ends

#: So far back every event of an address is known, in any case.
_KNOWN = timedelta(days=390)
#: How the journal's actors begin that are waves.
WAVE = "wave "


def decide(  # noqa: PLR0913  what a batch finds, and by what it is judged
    events: Sequence[Event],
    histories: Mapping[str, History],
    settings: Policy,
    now: datetime,
    waves: Sequence[Wave] = (),
    *,
    signed_paths: bool = False,
) -> tuple[list[Event], list[Change]]:
    """Return the events, in their order, with `decision` filled in, and the changes of the table.

    Addresses that have a history and no new event are looked at again: something else may have changed, such as a
    wave or a sign of life. `signed_paths` says that a signing key is configured: then what a report merely claims
    never suppresses.
    """
    rules = _Rules(settings, now, Holding(waves, settings), signed_paths)
    decided: dict[str, Event] = {event.id: event for event in events}
    changes: list[Change] = []
    by_address: dict[str | None, list[Event]] = {}
    waiting = dict(histories)
    for event in events:
        by_address.setdefault(event.address, []).append(event)
    for address, batch in by_address.items():
        texts, lines = _decide_one(_Case(batch, waiting.pop(address or "", History(address or "")), rules))
        decided.update({event.id: event.decided(texts[event.id]) for event in batch})
        changes.extend(lines)
    for history in waiting.values():
        changes.extend(_decide_one(_Case((), history, rules))[1])
    return [decided[event.id] for event in events], changes


@dataclass(frozen=True, slots=True)
class _Rules:
    """By what measure addresses are judged."""

    settings: Policy
    now: datetime
    holding: Holding
    signed_paths: bool


@dataclass(frozen=True, slots=True)
class _Case:
    """One address: what is new, what is known, and by what measure it is judged."""

    batch: Sequence[Event]
    history: History
    rules: _Rules

    @property
    def now(self) -> datetime:
        """When it is judged."""
        return self.rules.now

    def weights(self) -> dict[str, Weight]:
        """Return the worth of every event, known and new, by id."""
        known = {event.id: event for event in (*self.history.events, *self.batch)}
        weights = {id_: weigh(event, self.rules.settings, self.rules.signed_paths) for id_, event in known.items()}
        if released := _released(self.history.journal):
            weights = {id_: _if_newer(weight, released) for id_, weight in weights.items()}
        return self.rules.holding.weights(weights, known.values())

    def entries(self) -> dict[str, Suppression]:
        """Return the present entries that still hold, by scope."""
        return {entry.scope: entry for entry in self.history.suppressions if entry.holds(self.now)}


@dataclass(frozen=True, slots=True)
class _Found:
    """What all evidence on one address comes to."""

    weights: Mapping[str, Weight]
    fold: Fold
    table: Mapping[str, Claim]
    disputes: frozenset[str]

    def held(self, event_id: str | None) -> int:
        """Return the wave that holds the event; 0 for none."""
        weight = self.weights.get(event_id or "")
        return weight.held if isinstance(weight, Nothing) else 0


def _decide_one(case: _Case) -> tuple[dict[str, str], list[Change]]:
    """Return what each new event of one address did, by id, and the changes."""
    found = _find(case)
    changes = _changes(case, found)
    weights, notes = found.weights, found.fold.notes
    texts = {event.id: _text(weights[event.id], notes.get(event.id), found, changes) for event in case.batch}
    return texts | _for_review(case, weights), changes


def _find(case: _Case) -> _Found:
    weights = case.weights()
    fold = Fold(case.rules.settings)
    lines = remembered(case.history.journal, weights)
    signs = [Proof(sign.at) for sign in case.history.signs]
    for item in in_order([*lines, *signs, *(w for w in weights.values() if not isinstance(w, Nothing))]):
        fold.add(item)
    table = _table(case, fold, weights)
    disputes = {scope for scope, claim in table.items() if _is_disputed(claim, fold)}
    if case.rules.settings.disputed == "release":
        ended = {scope for scope in disputes if not _is_signed(table[scope], weights)}
        table, disputes = {s: claim for s, claim in table.items() if s not in ended}, disputes - ended
    return _Found(weights, fold, table, frozenset(disputes))


def _is_disputed(claim: Claim, fold: Fold) -> bool:
    """True if something newer than every report of its death speaks for the address."""
    if claim.category != Category.HARD or claim.actor != POLICY or fold.alive_at is None:
        return False
    dead_at = fold.dead_at.get(claim.scope, claim.since)
    return dead_at is not None and fold.alive_at > dead_at


def _is_signed(claim: Claim, weights: Mapping[str, Weight]) -> bool:
    weight = weights.get(claim.event_id or "")
    return isinstance(weight, Evidence) and weight.event.trust is Trust.SIGNED


def _for_review(case: _Case, weights: Mapping[str, Weight]) -> dict[str, str]:
    """Return the words for mere claims that were made on two days or more: a person should look."""
    claims = {id_: weight.why for id_, weight in weights.items() if isinstance(weight, Nothing) and weight.claimed}
    if len(claims) < 2:
        return {}
    events = {event.id: event for event in (*case.history.events, *case.batch)}
    days = {happened(events[id_]).date() for id_ in claims}
    if len(days) < 2:
        return {}
    return {e.id: f"for review, claimed on {len(days)} days; {claims[e.id]}" for e in case.batch if e.id in claims}


def _released(journal: Sequence[Change]) -> dict[str, datetime]:
    """Return when a person last released the address, by scope. What a wave released is the wave's matter."""
    lines = [line for line in journal if line.move is Move.RELEASE and _is_person(line.actor)]
    return {line.scope: line.at for line in sorted(lines, key=lambda line: line.at)}


def _is_person(actor: str) -> bool:
    return actor != POLICY and not actor.startswith(WAVE)


def _if_newer(weight: Weight, released: Mapping[str, datetime]) -> Weight:
    """Evidence that is older than a release by a person counts no more."""
    if not isinstance(weight, Evidence):
        return weight
    at = released.get(weight.scope)
    if at is None or happened(weight.event) > at:
        return weight
    return Nothing(f"not counted: older than the release in {weight.scope} of {at:%Y-%m-%d %H:%M}")


def _table(case: _Case, fold: Fold, weights: Mapping[str, Weight]) -> dict[str, Claim]:
    """Return what the table should say of the address, by scope."""
    entries = case.entries()
    claims = [claim for claim in fold.claims.values() if claim.until is None or claim.until > case.now]
    if not entries and len(claims) < 2:
        return {claim.scope: claim for claim in claims}
    used = frozenset(id_ for id_, weight in weights.items() if isinstance(weight, Evidence))
    held = frozenset(id_ for id_, weight in weights.items() if isinstance(weight, Nothing) and weight.held)
    proven = any(isinstance(weights[event.id], Proof) for event in case.batch)
    table: dict[str, Claim] = {}
    for scope in sorted({*entries, *(claim.scope for claim in claims)}):
        here = [claim for claim in claims if claim.scope == scope]
        entry = entries.get(scope)
        gone = entry is not None and entry.actor == POLICY and entry.event_id in held
        if entry is not None and not gone and not _revoked(entry, fold, case, weights):
            alive = proven or (fold.alive_at is not None and fold.alive_at > entry.since)
            here += [claim_of(entry)] if carried(entry, here, used, alive) else []
        if here:
            table[scope] = merge(here)
    return table


def _revoked(entry: Suppression, fold: Fold, case: _Case, weights: Mapping[str, Weight]) -> bool:
    """True if proof came late that the address lived before its last report, so that too few were left to suppress.

    Where no such proof is known, an entry stands although its reports are not all known any more.
    """
    last = weights.get(entry.event_id or "")
    if entry.actor != POLICY or not isinstance(last, Evidence):
        return False
    if any(claim.scope == entry.scope for claim in fold.claims.values()):
        return False
    return any(case.now - _KNOWN < at <= last.at for at in fold.proofs)


def _changes(case: _Case, found: _Found) -> list[Change]:
    """Return the journal lines that lead from the present entries to the table that was found."""
    entries, lines = case.entries(), []
    for scope, claim in found.table.items():
        entry, disputed = entries.get(scope), scope in found.disputes
        written = differs(entry, claim) or (entry is not None and entry.disputed is not None and not disputed)
        if written:
            lines.append(_suppress(case, claim))
        if disputed and (written or entry is None or entry.disputed is None):
            lines.append(_dispute(case, claim))
    return lines + [_release(case, entry, found) for scope, entry in entries.items() if scope not in found.table]


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


def _dispute(case: _Case, claim: Claim) -> Change:
    why = "something speaks for the address since it was last reported dead: for a person to review"
    return replace(_suppress(case, claim), move=Move.DISPUTE, why=why)


def _release(case: _Case, entry: Suppression, found: _Found) -> Change:
    wave = found.held(entry.event_id)
    return Change(
        address=entry.address,
        scope=entry.scope,
        move=Move.RELEASE,
        at=case.now,
        category=entry.category,
        reason=entry.reason,
        why=_why_released(entry, wave),
        event_id=entry.event_id,
        actor=f"{WAVE}{wave}" if wave else POLICY,
    )


def _why_released(entry: Suppression, wave: int) -> str:
    if wave:
        return f"{HELD}{wave}: far more addresses than usual were reported dead at the same provider"
    if entry.category == Category.HARD:
        return "something speaks for the address: too little is left, or a dispute ends it (policy.disputed)"
    return "mail was delivered: what soft failures were counted is forgotten"


def _text(weight: Weight, note: Note | None, found: _Found, changes: Sequence[Change]) -> str:
    """Return what one new event did, for a person."""
    if isinstance(weight, Nothing):
        return weight.why
    if note is None:
        return ""
    if isinstance(weight, Proof):
        released = [change.scope for change in changes if change.move is Move.RELEASE]
        disputed = sorted(found.disputes)
        return note.text + _scopes("; released in", released) + _scopes("; disputes the suppression in", disputed)
    return _against(weight, note, found.table.get(weight.scope), changes)


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
