"""What several claims on one address and scope come to: one entry, and the journal line that leads there."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bounced.model import Category, Reason, Suppression
from bounced.policy.fold import POLICY, Claim
from bounced.policy.words import ends

_FOREVER = datetime.max.replace(tzinfo=UTC)
#: By category, then by reason, which cause gives an entry its name; what a person or an import wrote stands between.
_CATEGORIES = {Category.COMPLAINT: 4, "unsubscribe": 3, Category.HARD: 1, Category.SOFT: 0}
_BY_OTHERS = 2
_REASONS = (
    Reason.MAILBOX_UNKNOWN,
    Reason.ADDRESS_CHANGED,
    Reason.DOMAIN_MISSING,
    Reason.MAILBOX_DISABLED,
    Reason.MAILBOX_INACTIVE,
    *Reason,
)


def strength(category: str) -> int:
    """Return how strong a category is as a cause: a complaint is never renamed by a bounce."""
    return _CATEGORIES.get(category, _BY_OTHERS)


def merge(claims: Sequence[Claim]) -> Claim:
    """Return the one entry that several claims come to: the strongest cause names it, the latest end holds.

    The order of the claims does not matter, nor whether some were merged before.
    """
    winner = max(claims, key=_rank)
    last = max(claims, key=lambda claim: claim.until or _FOREVER)
    if last.until == winner.until:
        return winner
    return replace(winner, until=last.until, why=f"{winner.why}; {ends(last.until)} by {last.reason}")


def _rank(claim: Claim) -> tuple[int, int, str, datetime]:
    order = next((i for i, reason in enumerate(_REASONS) if reason == claim.reason), len(_REASONS))
    return strength(claim.category), -order, claim.reason, claim.until or _FOREVER


def claim_of(entry: Suppression) -> Claim:
    """Return a present entry as a claim of its own."""
    return Claim(
        scope=entry.scope,
        category=entry.category,
        reason=entry.reason,
        until=entry.until,
        event_id=entry.event_id,
        why=entry.why,
        actor=entry.actor,
        since=entry.since,
    )


def carried(entry: Suppression, claims: Iterable[Claim], used: frozenset[str], alive: bool) -> bool:
    """True if a present entry must be kept beside the claims that the known evidence makes.

    False if the evidence behind it is all known, so that the claims already hold it; and, once the address is
    proved `alive`, for what soft failures came to.
    """
    if entry.actor != POLICY:
        return True
    if alive and entry.category == Category.SOFT:
        return False
    held = any(strength(claim.category) >= strength(entry.category) for claim in claims)
    return not (held and entry.event_id in used)


def differs(entry: Suppression | None, wanted: Claim) -> bool:
    """True if the table must be changed to say what is wanted."""
    return entry is None or (entry.category, entry.reason, entry.until) != (
        wanted.category,
        wanted.reason,
        wanted.until,
    )
