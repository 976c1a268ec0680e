"""Complaints that Amazon SES reports as JSON, by SNS, in a mail or what forwards it.

Tell-tale: a text that holds `"notificationType": "Complaint"` (event publishing: `"eventType"`), bare or wrapped in
an SNS envelope. Of several `complainedRecipients` any may have complained: SES does not know which.
"""

from bounced.model import Feedback, Kind, Original, Report
from bounced.readers import Rank, Reader
from bounced.readers._dates import when
from bounced.readers._feedback import addresses, findings_for, is_redacted
from bounced.readers._json import Json, get, inner, objects, parse_object, string
from bounced.readers._message import MACHINE, Message

_PARTS = 4  # text parts that are looked at
_TEXTS = ("text/plain", "application/json", "text/html")


def read(message: Message) -> Report | None:
    """Return one finding for each recipient that may have complained; None for all else that SES reports."""
    if not message.types.isdisjoint(MACHINE) or message.types.isdisjoint(_TEXTS):
        return None
    notice = _notice(message)
    if notice is None:
        return None
    complaint, mail = inner(notice, "complaint"), inner(notice, "mail")
    named = addresses(string(one, "emailAddress") or "" for one in objects(get(complaint, "complainedRecipients")))
    named = [address for address in named if not is_redacted(address)]
    kind = (string(complaint, "complaintFeedbackType") or "abuse").lower()
    feedback = Feedback(
        kind,
        user_agent=string(complaint, "userAgent"),
        original_mail_from=string(mail, "source"),
        original_rcpt_to=tuple(named),
        source_ip=string(mail, "sourceIp"),
    )
    report = {"not-spam": (Kind.OTHER, "not-spam"), "auth-failure": (Kind.OTHER, "auth-failure")}
    what, subtype = report.get(kind, (Kind.COMPLAINT, None))
    notes = tuple(
        f"{word}: {string(complaint, word)}" for word in ("complaintSubType", "feedbackId") if string(complaint, word)
    )
    return Report(
        what,
        READER.name,
        findings_for(named, named),
        original=_original(mail),
        feedback=feedback,
        subtype=subtype,
        arrival_date=when(string(complaint, "arrivalDate")),
        notes=notes,
    )


def _notice(message: Message) -> Json | None:
    texts = [part for part in message.parts if not part.returned and part.content_type in _TEXTS]
    if b"omplain" not in message.octets and not any(part.encoded for part in texts):
        return None
    for part in texts[:_PARTS]:
        if b"omplain" not in part.content:
            continue
        found = parse_object(part.readable())
        wrapped = string_of(found, "Message")
        found = parse_object(wrapped) if wrapped else found
        kind = found and (string(found, "notificationType") or string(found, "eventType"))
        if found and kind and kind.lower() == "complaint":
            return found
    return None


def string_of(value: Json | None, name: str) -> str | None:
    """Return a text of any length under the name, or None."""
    found = get(value, name) if value else None
    return found if isinstance(found, str) else None


def _original(mail: Json) -> Original | None:
    """Return the header of the mail complained of, as far as SES was set to give it."""
    pairs = [(string(one, "name") or "", string(one, "value") or "") for one in objects(get(mail, "headers"))]
    pairs = [(name, value) for name, value in pairs if name]
    if not pairs:
        common = inner(mail, "commonHeaders")
        wanted = (("Subject", "subject"), ("Message-ID", "messageId"), ("Date", "date"))
        pairs = [(field, value) for field, key in wanted if (value := string(common, key))]
    return Original(tuple(pairs)) if pairs else None


READER = Reader("ses_complaint", Rank.FEEDBACK, read)
