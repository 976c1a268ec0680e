"""Wishes to be taken off a list that a person wrote into an answer.

Tell-tale: a short text of their own, above what they quote, that asks for it and for little else. Asked last.
"""

import re

from bounced.model import Report
from bounced.readers import Rank, Reader
from bounced.readers._charset import fold
from bounced.readers._message import MACHINE, Message
from bounced.readers.unsubscribe import report_of

_MAX_WISH = 300  # characters: who writes more has more to say, and a person should read it
_QUOTE = re.compile(
    r"^[ \t]*(?:>|on .{5,120} wrote:|am .{5,120} schrieb|le .{5,120} a écrit|el .{5,120} escribió|"
    r"il .{5,120} ha scritto|op .{5,120} schreef|-{2,}\s*(?:original|ursprüng|forward|weiter|mensaje|message)|_{10,}|"
    r"from:\s|von:\s|de\s?:\s|da:\s|sent from my|von meinem|envoyé de(?:puis)? mon|enviado desde|-- ?$)",
    re.I | re.M,
)
_ASKS = re.compile(
    r"\b(?:unsubscribe(?: me| us| this|\W*$)|(?:take|remove|delete) (?:me|us|my|this|our)\b[^.!?\n]{0,40}"
    r"\b(?:list|mailing|database|address|e-?mail)|stop (?:sending|e-?mailing|mailing|spamming)|remove me\W*$|"
    r"opt me out|"
    r"(?:do not|don't|no longer) (?:want|wish)[^.!?\n]{0,30}\b(?:receive|get|e-?mails|newsletter)|"
    r"no more (?:e-?mails|mails))"
    r"|(?:bitte|möchte)[^.!?\n]{0,60}\b(?:abmelden|austragen|abbestellen|vom verteiler|aus (?:dem|ihrem) verteiler|"
    r"keine (?:weiteren )?(?:e-?mails|mails|newsletter))"
    r"|me désabonner|me désinscrire|désabonnez|désinscrivez|retirez[- ]moi|ne plus recevoir"
    r"|dar(?:me|se)? de baja|denme de baja|no (?:deseo|quiero) recibir|descadastr"
    r"|não (?:quero|desejo) (?:mais )?receber"
    r"|cancellatemi|non (?:voglio|desidero) (?:più )?ricevere|disiscriv|uitschrijven|schrijf me uit"
    r"|geen (?:mails|e-mails|nieuwsbrie)|отпишите|удалите[^.!?\n]{0,40}рассылк|не (?:хочу|желаю) получать"
    r"|配信(?:を)?停止|退订|取消订阅|수신\s?거부",
    re.I,
)
_LISTS = frozenset({"list-id", "list-unsubscribe", "list-post", "precedence"})
_ANSWERS = frozenset({"in-reply-to", "references"})


def read(message: Message) -> Report | None:
    """Return the wish of the sender; None for newsletters, for long letters and for what only quotes such words."""
    if not message.types.isdisjoint(MACHINE) or message.fields.any_of(_LISTS):
        return None
    if not message.fields.any_of(_ANSWERS) and not message.sender:
        return None
    own = _own_words(message)
    if 0 < len(own) <= _MAX_WISH and _ASKS.search(own):
        return report_of(message, READER.name)
    return None


def _own_words(message: Message) -> str:
    text = fold(message.text()[:4_000])
    quote = _QUOTE.search(text)
    return (text[: quote.start()] if quote else text).strip()


READER = Reader("unsubscribe_words", Rank.PHRASES, read)
