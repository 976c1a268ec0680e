"""What a failure behind a forwarder may say of the address we mailed. Pure; the pipeline applies it."""

from dataclasses import replace

from bounced.address import domain_of
from bounced.model import Category, Identity, Reason, Verdict

#: Added to the basis of a verdict that was capped.
VIA_FORWARDER = "via_forwarder"


def cap(verdict: Verdict, identity: Identity) -> Verdict:
    """Return the verdict, from hard to soft where another address failed behind the one we mailed.

    Somebody's forwarding target is gone; the mailbox we wrote to answered. Only an unknown mailbox at our
    recipient's own domain (an alias there) stays hard.
    """
    final, recipient = identity.final_recipient, identity.recipient
    if verdict.category is not Category.HARD or final is None or final == recipient:
        return verdict
    if recipient and verdict.reason is Reason.MAILBOX_UNKNOWN and _same_house(domain_of(recipient), domain_of(final)):
        return verdict
    return replace(verdict, category=Category.SOFT, basis=(*verdict.basis, VIA_FORWARDER))


def recap(verdict: Verdict, identity: Identity) -> Verdict:
    """Return what `cap` makes of the verdict for another identity than it was capped for."""
    if VIA_FORWARDER in verdict.basis:
        basis = tuple(word for word in verdict.basis if word != VIA_FORWARDER)
        verdict = replace(verdict, category=Category.HARD, basis=basis)
    return cap(verdict, identity)


def _same_house(domain: str, other: str) -> bool:
    """True if one is the other, or a host below it: gateways put the host in as the domain."""
    return domain == other or other.endswith("." + domain) or domain.endswith("." + other)
