"""Where in a report a token of ours may stand, and what it must have been made for to count there."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bounced.address import domain_of
from bounced.correlate.signer import Checked, Signer
from bounced.correlate.token import Purpose
from bounced.model import Kind, Report

#: The header of ours that names recipient and tags under seal.
REFERENCE_HEADER = "X-Bounced-Ref"
_MAX_TOKENS = 20

#: What the address that a report came in by must have been made for.
_ARRIVAL = {Kind.COMPLAINT: Purpose.FBL, Kind.UNSUBSCRIBE: Purpose.UNSUB}
#: What may speak for a recipient, by the kind of report. Whoever complains may leave the list as well.
_AUTHORISED = {Kind.COMPLAINT: frozenset(Purpose), Kind.UNSUBSCRIBE: frozenset({Purpose.UNSUB})}
#: Fields of the original, and what their token is for, most telling first.
_ORIGINAL = (
    ("Return-Path", Purpose.BOUNCE),
    (REFERENCE_HEADER, Purpose.BOUNCE),
    ("CFBL-Feedback-ID", Purpose.FBL),
    ("CFBL-Address", Purpose.FBL),
    ("List-Unsubscribe", Purpose.UNSUB),
    ("Message-ID", Purpose.BOUNCE),
)


#: Fields whose value is one word, which a gateway may have broken (RFC 9477 section 3.3 ignores blanks in one).
_ONE_WORD = frozenset({REFERENCE_HEADER, "CFBL-Feedback-ID"})


@dataclass(frozen=True, slots=True)
class Carried:
    """A token as found: in which field, for which purpose, what it is worth, and whether it counts for this kind."""

    field: str
    purpose: Purpose
    checked: Checked
    authorised: bool


def carried(report: Report, signer: Signer, now: datetime) -> tuple[Carried, ...]:
    """Return the tokens in a report, each spelling once a purpose, most telling place first, at most 20."""
    authorised = _AUTHORISED.get(report.kind, frozenset({Purpose.BOUNCE}))
    found: dict[tuple[str, Purpose], Carried] = {}
    for field, purpose, value in _places(report):
        domain = domain_of(value.strip().strip("<>")).lower()
        for match in signer.find(value):
            spelt = (match[0].lower(), purpose)
            if spelt not in found:
                checked = signer.check(match, purpose, now, domain)
                found[spelt] = Carried(field, purpose, checked, purpose in authorised)
            if len(found) == _MAX_TOKENS:
                return tuple(found.values())
    return tuple(found.values())


def _places(report: Report) -> Iterator[tuple[str, Purpose, str]]:
    """Yield field, purpose and value of whatever may carry a token."""
    arrival = _ARRIVAL.get(report.kind, Purpose.BOUNCE)
    for value in report.envelope.delivered_to:
        yield "address it came to", arrival, value
    if report.feedback and report.feedback.original_mail_from:
        yield "Original-Mail-From", Purpose.BOUNCE, report.feedback.original_mail_from
    for field, purpose in _ORIGINAL if report.original else ():
        for value in report.original.all(field) if report.original else ():
            yield f"{field} of the original", purpose, _joined(value) if field in _ONE_WORD else value
    if report.envelope_id:
        yield "Original-Envelope-Id", Purpose.BOUNCE, report.envelope_id
    if report.feedback and report.feedback.cfbl_feedback_id:
        yield "CFBL-Feedback-ID", Purpose.FBL, _joined(report.feedback.cfbl_feedback_id)
    if report.original is None:
        for value in report.envelope.in_reply_to:
            yield "Message-ID it answers", Purpose.BOUNCE, value


def _joined(value: str) -> str:
    return "".join(value.split())
