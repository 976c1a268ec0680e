"""Postfix's policy delegation protocol (SMTPD_POLICY_README). Octets in, octets out.

A request is lines of `name=value` and an empty line, the reply `action=…` and an empty line.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from bounced.address import domain_of, normalise
from bounced.config import SenderScope
from bounced.serve.lookups.gate import Found, Gate
from bounced.serve.lookups.talk import Answered, Malformed
from bounced.store import EVERYWHERE

#: Octets of a request: Postfix sends some forty attributes, of which a few may be as long as a line of SMTP.
_LONGEST: Final = 65_536


class Policy:
    """One connection."""

    name = "policy"

    def __init__(self, gate: Gate, senders: Sequence[SenderScope], answered: Answered) -> None:
        self._gate, self._senders, self._answered = gate, senders, answered
        self._waiting = b""

    def feed(self, octets: bytes) -> bytes:
        """Return the replies to every request that is whole by now. Raises Malformed, after which nothing is read."""
        self._waiting += octets
        replies = b""
        while b"\n\n" in self._waiting:
            request, _, self._waiting = self._waiting.partition(b"\n\n")
            replies += b"action=%b\n\n" % self._action(request).encode()
        if len(self._waiting) > _LONGEST:
            raise Malformed(f"want a request of at most {_LONGEST} octets")
        return replies

    def _action(self, request: bytes) -> str:
        if len(request) > _LONGEST:
            raise Malformed(f"want a request of at most {_LONGEST} octets")
        pairs = (line.partition(b"=") for line in request.split(b"\n"))
        attributes = {name: value for name, equals, value in pairs if equals}
        if attributes.get(b"request") != b"smtpd_access_policy":
            raise Malformed("want request=smtpd_access_policy")
        found, text = self._gate.answer(attributes.get(b"recipient", b""), scope_of(attributes, self._senders))
        self._answered(found)
        if found is Found.SUPPRESSED:
            return f"REJECT {text}"
        return f"DEFER_IF_PERMIT 4.3.0 {text}" if found is Found.LATER else "DUNNO"


def scope_of(attributes: Mapping[bytes, bytes], senders: Sequence[SenderScope]) -> str:
    """Return the scope of the first entry of the configuration that fits the mail; `*` if none does."""
    for entry in senders:
        if _fits(entry, attributes):
            return entry.scope
    return EVERYWHERE


def _fits(entry: SenderScope, attributes: Mapping[bytes, bytes]) -> bool:
    """True if everything that the entry asks for is so."""
    same = (
        entry.sasl_username in (None, _text(attributes, b"sasl_username")),
        entry.policy_context in (None, _text(attributes, b"policy_context")),
    )
    return all(same) and (entry.sender is None or _sent_by(entry.sender, _text(attributes, b"sender")))


def _sent_by(wanted: str, sender: str) -> bool:
    """True if the sender is the address, or has the domain; signed return paths count for the address before `+`."""
    normal = normalise(sender)
    if normal is None:
        return False
    if "@" not in wanted:
        return domain_of(normal) == wanted
    local, _, domain = normal.rpartition("@")
    return wanted in (normal, f"{local.partition('+')[0]}@{domain}")


def _text(attributes: Mapping[bytes, bytes], name: bytes) -> str:
    return attributes.get(name, b"").decode(errors="replace")
