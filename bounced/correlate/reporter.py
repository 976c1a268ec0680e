"""Who sent a complaint, and whether he may: DKIM by our own server, the known feedback loops, RFC 9477."""

from dataclasses import dataclass

from bounced.address import domain_of
from bounced.correlate import text
from bounced.correlate.authentication import verified_domains
from bounced.model import Report

#: The mailboxes that no user of a domain is given: RFC 2142 sections 4 and 5.
_ROLES = frozenset({"abuse", "postmaster"})


@dataclass(frozen=True, slots=True)
class Vetted:
    """Whether a reporter is believed about this recipient, and why."""

    believed: bool
    why: str
    verified: bool = False


class Vetting:
    """Knows our mail server's name and the reporters believed about anybody."""

    def __init__(self, authserv_id: str | None, reporters: tuple[str, ...]) -> None:
        self._authserv_id = authserv_id
        self._reporters = frozenset(reporters)

    def vet(self, report: Report, recipient: str | None) -> Vetted:
        """Return whether the complaint counts as evidence about `recipient`.

        Its From must be confirmed by DKIM. Then a known reporter is believed about anybody, the postmaster of a
        domain about the people there, and anybody else about nobody: the users of a provider are not the provider.
        """
        if self._authserv_id is None:
            return Vetted(False, "no authserv_id is configured, so no reporter can be verified")
        sender = text.single(report.envelope.from_)
        if sender is None:
            return Vetted(False, "the reporter names no single From address")
        domain = domain_of(sender)
        verified = verified_domains(report.envelope.authentication_results, self._authserv_id)
        if not any(covers(signer, domain) for signer in verified):
            return Vetted(False, f"{self._authserv_id} verified no DKIM signature of {domain}")
        if self._known(sender, domain):
            return Vetted(True, f"reported by {domain}, DKIM verified by {self._authserv_id}", True)
        if recipient and covers(domain, domain_of(recipient)) and sender.partition("@")[0] in _ROLES:
            return Vetted(True, f"reported by {sender} for the recipient's own domain, DKIM verified", True)
        return Vetted(False, f"{domain} is verified by DKIM, but is no known reporter", True)

    def _known(self, sender: str, domain: str) -> bool:
        return sender in self._reporters or any(covers(known, domain) for known in self._reporters)


def covers(domain: str, other: str) -> bool:
    """True if `other` is the domain or below it."""
    return other == domain or other.endswith("." + domain)
