"""What the HTTP interface and the page ask of the review queue, and the rules as they are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from bounced.model import Proposal, Suggestion, Trial, Wording


class Reviewing(Protocol):
    """The review queue of one configuration."""

    def wordings(self, since: datetime, everything: bool = False) -> Sequence[Wording]:
        """Return what a person should look at, by wording, the most frequent first. Raises StoreDown."""

    def wording(self, key: str, since: datetime) -> Wording | None:
        """Return one wording, settled or not; None if nothing like it came from `since` on."""

    def suggest(self, found: Wording) -> Suggestion | None:
        """Return a rule to begin with; None where there is none to be made."""

    def host_of(self, provider: str) -> str | None:
        """Return a host of a provider, to stand in examples."""

    def yaml(self, proposal: Proposal) -> str:
        """Return a rule as it stands in a rule file."""

    def try_out(self, proposal: Proposal, since: datetime) -> Trial:
        """Return what a rule would come to; nothing is changed."""

    def accept(self, key: str, proposal: Proposal, actor: str, now: datetime) -> Trial:
        """Write the rule among the operator's own, if the whole set holds with it."""

    def dismiss(self, key: str, actor: str, now: datetime) -> None:
        """Ask no more about what came of a wording until now."""


@dataclass(frozen=True, slots=True)
class RuleShown:
    """A rule, its conditions each in a line, and the texts that prove it."""

    id: str
    layer: str
    reason: str
    category: str | None
    fault: str
    file: str
    local: bool
    because: str
    when: Sequence[tuple[str, str]]
    matches: Sequence[str]
    rejects: Sequence[str]


def given_proposal(review: Reviewing, suggested: Proposal, given: Mapping[str, Any]) -> Proposal:
    """Return what was suggested, with what somebody said instead."""
    changes = {name: value for name, value in given.items() if value is not None}
    provider = changes.get("provider")
    return replace(suggested, **changes, host=review.host_of(provider) if provider else None)
