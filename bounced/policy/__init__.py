"""Verdict + history -> what the suppression table does: thresholds, scopes, expiry. Pure."""

from bounced.policy.decide import decide
from bounced.policy.expiry import expire

__all__ = ["decide", "expire"]
