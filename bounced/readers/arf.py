"""Feedback reports in the Abuse Reporting Format: complaints, opt-outs, not-spam and authentication failures.

Tell-tale: a part message/feedback-report, or a text part that holds its fields. RFC 5965, 6430, 6590, 6591, 6650,
9477. Real reporters write Version 0.1, other part types, field blocks in two, no third part: all are read.
"""

from bounced.model import Kind, Original, Report
from bounced.readers import Rank, Reader
from bounced.readers._dates import when
from bounced.readers._feedback import (
    complainers,
    feedback_of,
    findings_for,
    is_known,
    kind_of,
)
from bounced.readers._fields import Fields
from bounced.readers._message import FEEDBACK, MACHINE, WHOLE_ORIGINAL, Message, Part, header_block

_TELL_TALE = b"feedback-type"
_LOOK = 16_384  # octets of a part in which the fields are looked for
_FAILURES = MACHINE - frozenset(FEEDBACK)
_SPELT = (b"eedback-Type", b"eedback-type")  # what must stand in the mail for a text part to hold the fields
_PACKED = frozenset({"application/octet-stream", "text/feedback-report", "application/feedback-report"})
_ODD_TYPES = _PACKED | {"text/plain"}


def read(message: Message) -> Report | None:
    """Return the report; one finding for each named recipient, or one without where the reporter names none.

    A report whose type is missing or unknown is one for a person: it must not be refused (RFC 6650 section 4.5).
    """
    found = _machine_part(message)
    if found is None:
        return None
    fields, part = found
    original = message.original() or _odd_original(message, part)
    feedback = feedback_of(fields, original)
    if feedback.feedback_type == "xarf":
        return None
    kind, subtype = kind_of(feedback, fields)
    return Report(
        kind,
        READER.name,
        findings_for(complainers(fields, original), feedback.original_rcpt_to),
        original=original,
        feedback=feedback,
        subtype=subtype,
        envelope_id=fields.first("Original-Envelope-Id"),
        reporting_mta=_host(fields.first("Reporting-MTA")),
        arrival_date=when(fields.first("Arrival-Date") or fields.first("Received-Date")),
        forwarded=not message.types.isdisjoint(WHOLE_ORIGINAL),
        puzzled=kind is Kind.COMPLAINT and not (is_known(feedback) and "Feedback-Type" in fields),
        notes=_notes(fields),
    )


def _machine_part(message: Message) -> tuple[Fields, Part] | None:
    """Return the fields and the part they stand in: the part type tells, and failing that the fields themselves."""
    part = message.part(*FEEDBACK)
    if part is not None:
        fields = Fields(part.content[:_LOOK])
        return fields, part
    if not message.types.isdisjoint(_FAILURES):
        return None
    readable = b"eedback-" in message.octets and any(spelt in message.octets for spelt in _SPELT)
    if not readable and message.types.isdisjoint(_PACKED):
        return None
    for candidate in message.parts:
        if candidate.returned or candidate.content_type not in (_ODD_TYPES if readable else _PACKED):
            continue
        head = candidate.content[:_LOOK]
        if _TELL_TALE in head.lower():
            fields = Fields(_paragraph(head))
            if "Feedback-Type" in fields and ("User-Agent" in fields or "Version" in fields):
                return fields, candidate
    return None


def _paragraph(text: bytes) -> bytes:
    """Return the block of lines about the tell-tale, without its neighbours."""
    at = text.lower().find(_TELL_TALE)
    begin, end = text.rfind(b"\n\n", 0, at), text.find(b"\n\n", at)
    return text[begin + 2 if begin >= 0 else 0 : end if end >= 0 else len(text)]


def _odd_original(message: Message, machine: Part) -> Original | None:
    """Return the header of a returned mail that came under a wrong part type, behind the machine part."""
    behind = message.parts[message.parts.index(machine) + 1 :]
    for part in behind:
        fields = Fields(header_block(part.content[:_LOOK]))
        if len(fields.pairs()) >= 3 and ("From" in fields or "Received" in fields or "Subject" in fields):
            return Original(fields.pairs())
    return None


def _host(value: str | None) -> str | None:
    return value.rpartition(";")[2].strip() or None if value else None


def _notes(fields: Fields) -> tuple[str, ...]:
    notes = []
    abuse = " ".join((*fields.all("Abuse-Type"), *fields.all("Feedback-Subtype"), *fields.all("Trap")))
    if "Arrival-Date" in fields and "Received-Date" in fields:
        notes.append("malformed: Arrival-Date beside Received-Date (RFC 5965 section 3.2)")
    if "spamtrap" in abuse.lower().replace("-", "").replace(" ", ""):
        notes.append("the mail hit a spam trap")
    if "Redacted-Address" in fields:
        notes.append("the reporter redacted the address")
    return tuple(notes)


READER = Reader("arf", Rank.FEEDBACK, read)
