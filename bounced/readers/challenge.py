"""Challenges: a filter holds the mail until its sender proves to be a person. No failure yet, and no link is followed.

Tell-tale: a field of such a filter; a text or a diagnostic that asks the sender to confirm, by a link or an answer.
Also where the challenge wears the form of a delivery report, or is the refusal of an SMTP dialogue. RFC 3834
section 1.1 counts challenges among automatic replies.
"""

import re

from bounced.model import Kind, Report
from bounced.patterns import Words
from bounced.readers import Rank, Reader
from bounced.readers._charset import fold
from bounced.readers._fields import Fields
from bounced.readers._message import DELIVERY_STATUS, MACHINE, Message

_FIELDS = frozenset(
    {
        "x-boxtrapper",
        "x-boxbe-notice",
        "x-choicemail-registration-request",
        "x-spamarrest-id",
        "x-sa-challenge",
        "x-tmda-confirm-done",
        "x-ask-version",
        "x-challenge",
        "x-uol-antispam",
        "x-bluebottle-request",
    }
)
_PROOFS = (
    *(
        "confirm",
        "verify",
        "verifi",
        "authenticat",
        "authoris",
        "authoriz",
        "approv",
        "validat",
        "whitelist",
        "release",
    ),
    *("bestätig", "freischalt", "freigabe", "confirmer", "valider", "confirmar", "verificar", "confermare", "bevestig"),
    *("potwierd", "подтвер"),
)
_PROOF = f"(?:{'|'.join(_PROOFS)})"
#: What a diagnostic says that asks for proof; a sender callout that failed ("sender verify failed") asks for none.
_DIAGNOSTIC = re.compile(
    r"\b(?:sender|server|address|message|e-?mail)s?\b[^.]{0,40}\b(?:requires?|needs?|awaits?|awaiting|pending|must be)"
    r"\b[^.]{0,25}\b(?:confirm|verif|approv|authoriz|whitelist)"
    r"|\bnot (?:been )?(?:pre-?approved|yet (?:confirmed|approved|verified))"
    r"|challenge[- /]?response|\bto (?:confirm|verify|prove) (?:that )?(?:you|this|your|the sender)\b",
    re.I,
)
_WAY = re.compile(r"https?:|\bvisit\b|\bnotice\b|\binstructions?\b|\breply\b|\bclick\b|\blink\b", re.I)
_SUBJECT = re.compile(
    r"\bplease (?:confirm|verify|authenticate)\b(?!.*\b(?:address|account|order|subscription|registration|booking))"
    r"|\b(?:message|e-?mail|mail) (?:requires|needs|awaiting|pending) (?:your |sender )?"
    r"(?:confirmation|verification|approval|authentication)|\bverify#|"
    r"\b(?:verification|confirmation|authori[sz]ation) (?:required|needed|requested)\b|"
    r"\bconf(?:irm)?#\w|\bconfirm(?:ation)? (?:of |request)[^\n]{0,20}(?:message|mail|sender|delivery)|"
    r"\bsender (?:verification|confirmation|authentication|validation)\b|antispam uol|\bchallenge[- ]response\b",
    re.I,
)
_PROVE = re.compile(rf"{_PROOF}|deliver|\bprove\b|human|can receive|approved|allowed senders|guest list", re.I)
_STEP = re.compile(
    r"\b(?:click|visit|follow|open|go to|reply|respond|answer|send an empty|fill (?:out|in)|klicken|antworten|cliquez|"
    r"répond|haga clic|respond|clique|cliccare|rispond|kliknij|нажмите|ответьте)",
    re.I,
)
_HELD = re.compile(
    r"(?:your|this|the) (?:e-?mail|message|mail)\b[^.!?]{0,100}\b(?:held|quarantin|waiting|pending|on hold|"
    r"intercepted|not (?:yet )?been delivered|has been placed|will be delivered|not be delivered until)"
    r"|(?:do(?:es)? not|don't) (?:recogni[sz]e|know) (?:you|your|this)|unknown sender|first time (?:you|i)"
    r"|not (?:yet )?(?:on|in) (?:my|the|his|her|their|our) (?:\w+ )?(?:list|address book|whitelist)"
    r"|only (?:accept|allow|receive|from)[^.!?]{0,60}"
    r"(?:senders|people|addresses|contacts) (?:i|we|that|who|have|approved|known)"
    r"|protect(?:s|ed|ion|ing)?[^.!?]{0,40}(?:spam|junk|unsolicited)|(?:real|live) (?:\w+ )?(?:human|person)|not a spam"
    r"|(?:spam|junk)[^.!?]{0,40}(?:protect|block|filter|control|verification)|approved senders|guest list",
    re.I | re.S,
)
#: What at least must be there, in lower case: many words cost no more than one.
_WORTH = Words(("confirm", "approv", "verif", "challeng", "whitelist", "prove"))
_WORTH_TEXT = Words((*_PROOFS, "prove", "human", "guest list", "allowed senders", "antispam", "challenge"))
_HEAD = 2_000
_LINE = 400  # characters of the subject that are looked at


def read(message: Message) -> Report | None:
    """Return an automatic reply of subtype `challenge`, without findings: nobody is known to be unreachable."""
    status = message.part(*DELIVERY_STATUS)
    if status is not None:
        content = status.content[:_HEAD]
        asks = _WORTH.occur(content.lower()) and _diagnostic_asks(Fields(content))
    else:
        asks = _signed(message) or (message.types.isdisjoint(MACHINE) and _text_asks(message))
    return Report(Kind.AUTO_REPLY, READER.name, subtype="challenge") if asks else None


def _signed(message: Message) -> bool:
    return message.fields.any_of(_FIELDS)


def _diagnostic_asks(fields: Fields) -> bool:
    """Return True if every diagnostic asks the sender to prove something and says how."""
    diagnostics = fields.all("Diagnostic-Code")
    return bool(diagnostics) and all(_DIAGNOSTIC.search(text) and _WAY.search(text) for text in diagnostics)


def _text_asks(message: Message) -> bool:
    """Return True if two of three agree: the subject asks, the text asks for a step, the text says the mail is held."""
    line = message.subject[:_LINE]
    subject = _WORTH_TEXT.occur(fold(line).encode()) and bool(_SUBJECT.search(line))
    if not subject and not (_likely(message) and _WORTH_TEXT.occur(fold(message.text()[:_HEAD]).encode())):
        return False
    opening = fold(message.text()[:_HEAD])
    asks = bool(_STEP.search(opening)) and bool(_PROVE.search(opening))
    return subject + asks + bool(_HELD.search(opening)) >= 2


def _likely(message: Message) -> bool:
    """Return True if the mail answers one of ours by a machine: only then its text is searched without the subject."""
    fields = message.fields
    return "Auto-Submitted" in fields or "auto" in (message.header("Precedence") or "") or message.null_sender


READER = Reader("challenge", Rank.OWN_FORMAT, read)
