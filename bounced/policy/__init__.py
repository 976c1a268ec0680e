"""Verdict + history -> what the suppression table does: thresholds, scopes, waves, expiry. Pure."""

from bounced.policy.decide import decide
from bounced.policy.expiry import expire
from bounced.policy.holding import Series, foretold, is_dead, members, provider_of
from bounced.policy.tide import breadth, quarter_of, tally
from bounced.policy.waves import Level, Outcomes, alarmed, closed, is_high, is_over, is_past, rising

__all__ = [
    "Level",
    "Outcomes",
    "Series",
    "alarmed",
    "breadth",
    "closed",
    "decide",
    "expire",
    "foretold",
    "is_dead",
    "is_high",
    "is_over",
    "is_past",
    "members",
    "provider_of",
    "quarter_of",
    "rising",
    "tally",
]
