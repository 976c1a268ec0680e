"""Whether a returned original is a mail of ours, as far as it says so itself: anybody can write that."""

from bounced.address import domain_of
from bounced.correlate import text
from bounced.model import Original


def our_domain(original: Original | None, ours: frozenset[str]) -> str | None:
    """Return the domain of ours that the Message-ID or the return path of the original bears; None if neither does."""
    if original is None or not ours:
        return None
    for value in (text.message_id(original.first("Message-ID")), text.single(original.first("Return-Path"))):
        domain = domain_of(value or "").lower()
        if domain in ours:
            return domain
    return None
