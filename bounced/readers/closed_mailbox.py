"""Automatic answers by which a system, not the owner, says that a mailbox is closed or out of use.

Tell-tale: an automatic answer from a no-reply address about another address. A person's own responder that says the
like is an automatic reply, and nothing acts on it.
"""

import re

from bounced.model import Finding, Kind, Report
from bounced.readers import Rank, Reader
from bounced.readers._addresses import ADDRESS
from bounced.readers._message import MACHINE, Message
from bounced.readers._patterns import Sign
from bounced.readers._responder import SURE, header_signs

_SYSTEM = Sign(r"(?i)\b(?:no|do-?not|donot|ne)[-_.]?(?:reply|repondre)\b|\bauto-?(?:reply|responder|response)\b")
_THING = (
    r"(?:inbox|mailbox|e-?mail(?:-| )?(?:address|account|adresse)?|address|account|postfach|adresse|compte|boîte|buzón|"
    r"cuenta|dirección|conta|endereço|casella|indirizzo|postvak|mailadres|skrzynka)"
)
_END = (
    r"(?:no longer (?:in use|active|used|valid|available|in service)|(?:permanently )?closed|deactivated|disabled|"
    r"discontinued|decommissioned|nicht mehr (?:aktiv|gültig|in gebrauch|in verwendung|verwendet|genutzt)|"
    r"n'est plus (?:active?|valide|utilisée?)|ya no (?:está en uso|está activa|se utiliza|es válida)|"
    r"não está mais (?:em uso|ativ[ao])|non è più (?:attiv[ao]|in uso|valid[ao])|niet meer (?:in gebruik|actief))"
)
_CLOSED = re.compile(rf"\b{_THING}\b(?:[^.!?]|\.(?=\w)){{0,200}}?\b{_END}", re.I)
_HEAD = 1_000


def read(message: Message) -> Report | None:
    """Return a bounce of the address that the text names, or else of the one that answers are to go to."""
    if not _SYSTEM(message.sender) or not message.types.isdisjoint(MACHINE):
        return None
    if header_signs(message).weight < SURE and not message.null_sender:
        return None
    match = _CLOSED.search(" ".join(message.text()[:_HEAD].split()))
    recipient = _about(match.group(), message) if match else None
    if recipient is None:
        return None
    return Report(Kind.BOUNCE, READER.name, (Finding(recipient, text=message.text()[:_HEAD].strip()),))


def _about(sentence: str, message: Message) -> str | None:
    """Return the address that the notice is about, if it is neither the sender's nor whom it was written to."""
    own = {a.lower() for name in ("From", "To") for v in message.headers(name) for a in ADDRESS.findall(v)}
    candidates = ADDRESS.findall(sentence) or ADDRESS.findall(message.header("Reply-To") or "")
    return next((address for address in candidates if address.lower() not in own), None)


READER = Reader("closed_mailbox", Rank.PROSE, read)
