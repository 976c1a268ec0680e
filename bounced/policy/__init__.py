"""Verdict + history -> what the suppression table does: thresholds, scopes, waves, expiry. Pure."""

from bounced.policy.decide import decide
from bounced.policy.expiry import expire
from bounced.policy.holding import members
from bounced.policy.tide import breadth, quarter_of, tally
from bounced.policy.waves import Level, Outcomes, alarmed, closed, is_high, is_over, is_past, rising

__all__ = [
    "Level",
    "Outcomes",
    "alarmed",
    "breadth",
    "closed",
    "decide",
    "expire",
    "is_high",
    "is_over",
    "is_past",
    "members",
    "quarter_of",
    "rising",
    "tally",
]
