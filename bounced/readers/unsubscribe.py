"""Wishes to be taken off a list: answers to the mailto of List-Unsubscribe, and Apple Mail's.

Tell-tale: `X-Apple-Unsubscribe`, a subject that says nothing else than the wish, or a mail of next to no words to an
address like `unsubscribe+token@`. RFC 2369 section 3.2. Who wishes it is told by the token in the address that was
written to; the From field alone proves nothing.
"""

import re

from bounced.model import Finding, Kind, Report
from bounced.readers import Rank, Reader
from bounced.readers._charset import fold
from bounced.readers._feedback import addresses
from bounced.readers._message import MACHINE, Message
from bounced.readers._responder import SURE, from_a_mail_system, header_signs

_WISH = (
    r"unsubscribe|un-subscribe|unsub|remove|remove me|opt[- ]?out|list[- ]unsubscribe|"
    r"abmelden|abmeldung|austragen|abbestellen|afmelden|uitschrijven|avregistrera|avprenumerera|afmeld|avmeld|"
    r"désabonner|désabonnement|désinscription|désinscrire|desabonnement|darse de baja|dar de baja|baja|"
    r"cancelar suscripción|cancelar inscrição|descadastrar|cancellami|cancellazione|disiscrizione|disiscrivimi|"
    r"wypisz|odhlásit|leiratkozás|отписаться|отписка|отписать|配信停止|退会|退订|取消订阅|수신거부"
)
_SUBJECT = re.compile(rf"^\W*(?:{_WISH})(?:\s*[:\-#]?\s*[\w.@+=/<>\[\]{{}}-]{{0,200}})?\W*$", re.I)
_BARE = re.compile(rf"^\W*(?:{_WISH})\W*$", re.I)
_TARGET = re.compile(
    r"\b(?:unsub|opt-?out|remove|leave|abmeld|list-?unsub|u[+=-])[\w+=.-]*@|[+=-](?:unsub(?:scribe)?|leave|optout)@",
    re.I,
)
#: An address of ours that was made for one wish: as the mail of a button it needs no words.
_TOKEN = re.compile(r"(?:^|[<\s])(?:unsub(?:scribe)?|list-unsub\w*|opt-?out)[+=.-][\w+=.-]{4,}@", re.I)
_LITTLE = 300  # characters
_LISTS = frozenset({"list-id", "list-unsubscribe", "list-post"})


def read(message: Message) -> Report | None:
    """Return the wish of whoever wrote it; None where a mail only speaks of unsubscribing, or tells of a failure."""
    if not message.types.isdisjoint(MACHINE):
        return None
    if (message.header("X-Apple-Unsubscribe") or "").strip().lower() == "true" or _asks(message):
        return report_of(message, READER.name)
    return None


def report_of(message: Message, reader: str) -> Report:
    """Return the report of a wish; its finding holds the sender, as nobody else is named."""
    sender = addresses((message.sender,))[:1]
    finding = Finding(sender[0] if sender else None, action=None)
    return Report(Kind.UNSUBSCRIBE, reader, (finding,))


def _asks(message: Message) -> bool:
    if message.fields.any_of(_LISTS):
        return False
    subject, to = fold(message.subject[:400]), message.headers("To")
    if _SUBJECT.match(subject):
        return bool(_BARE.match(subject)) or any(map(_TARGET.search, to))
    return any(map(_TOKEN.search, to)) and _says_little(message)


def _says_little(message: Message) -> bool:
    """Return True if next to nothing but the address that was written to speaks: the mail of a button."""
    automatic = header_signs(message).weight >= SURE or from_a_mail_system(message)
    return not automatic and len(message.text().strip()) <= _LITTLE


READER = Reader("unsubscribe", Rank.FEEDBACK, read)
