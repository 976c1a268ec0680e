"""Changes of the suppression table that no mail caused: a person's, an expiry's, and those of positive evidence."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bounced.model import Change, SignOfLife
from bounced.pipeline import Compose, Ledger, Stages


def change(changes: Sequence[Change], ledger: Ledger, compose: Compose, now: datetime) -> None:
    """Commit changes that no mail caused (a person's, an expiry's), with their notifications."""
    with ledger.begin() as tx:
        tx.journal(changes)
        tx.announce(compose((), changes, now))


def witness(signs: Sequence[SignOfLife], stages: Stages, now: datetime) -> list[Change]:
    """Commit positive evidence that the sender knows of, in one transaction, and return what it changed.

    For POST /v1/evidence and `bounced evidence`: soft failures that happened before a sign are forgotten, and what
    they suppressed is released; an entry of a dead address becomes `disputed`, or ends where the policy says so.
    Addresses must be normalised. A sign of tomorrow counts as one of now; one known already, or older, as nothing.
    """
    past = [replace(sign, at=min(sign.at, now)) for sign in signs]
    with stages.ledger.begin() as tx:
        tx.testify(past)
        histories = tx.histories(sorted({sign.address for sign in past}), now)
        _, changes = stages.decide((), histories, now, tx.waves(now))
        tx.journal(changes)
        tx.announce(stages.compose((), changes, now))
    return list(changes)
