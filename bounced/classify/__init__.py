"""Report and rules to verdicts: what failed, whose fault it was, and which rule says so. Pure once loaded."""

from bounced.classify.proof import Proof
from bounced.classify.rules import Rules

__all__ = ["Proof", "Rules"]
