"""The machine part of feedback reports: its fields, what is redacted, and for whom the returned mail was.

RFC 5965 section 3 (fields), RFC 6430 (not-spam), RFC 6590 (redaction), RFC 6591 (auth-failure), RFC 9477 (CFBL).
"""

import re
from collections.abc import Iterable

from bounced.model import Feedback, Finding, Kind, Original
from bounced.readers._addresses import ADDRESS
from bounced.readers._fields import Fields

_WITHHELD = re.compile(
    r"^(?:redacted|undisclosed|hidden|hashed|anonym\w*|removed|suppressed|withheld|masked|x{3,}$|\*+)", re.I
)
#: A keyed hash in place of the local part: hex of MD5 and up, or base64 of SHA-1 and up (RFC 6590 section 3).
_HASH = re.compile(
    r"^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[A-Za-z0-9+/]{27}=|[A-Za-z0-9+/]{43}=)$", re.I
)
_AUTH_TYPES = frozenset({"auth-failure", "authfailure", "auth_failure", "dkim", "dmarc", "spf"})
_AUTH_TOOL = re.compile(r"\b(?:open)?(?:dmarc|dkim)|dmarc", re.I)
_OPT_OUT = frozenset({"opt-out", "opt-out-list", "optout", "unsubscribe"})
_NOT_SPAM = frozenset({"not-spam", "notspam", "not_spam", "miscategorized"})
_KNOWN = frozenset({"abuse", "fraud", "virus", "other"})
#: Where receivers and senders write the one recipient into the mail, surest first; `To` is asked between.
_RECIPIENT_FIELDS = ("X-HmXmrOriginalRecipient", "X-Rcpt-To", "X-Envelope-To", "X-ListMember", "X-Recipient")
_DELIVERY_FIELDS = ("X-Apparently-To", "Apparently-To", "X-Original-To", "Envelope-To", "Delivered-To")
_MAX_VALUE = 2_000
_WORD = re.compile(r"[a-z0-9_-]+")


def addresses(values: Iterable[str]) -> list[str]:
    """Return the mail addresses in the values, in order, each once; display names and comments are passed over.

    Of each value the first 2,000 characters are searched.
    """
    return list(dict.fromkeys(found for value in values for found in ADDRESS.findall(value[:_MAX_VALUE])))


def is_redacted(address: str) -> bool:
    """Return True if the address hides who it was: by a word, by asterisks, or by a keyed hash (RFC 6590)."""
    local, _, domain = address.strip("<>").rpartition("@")
    return bool(_WITHHELD.match(local) or _HASH.match(local) or _WITHHELD.match(domain) or not local)


def feedback_of(fields: Fields, original: Original | None) -> Feedback:
    """Return the machine part as it stands; Feedback-Type in lower case, without comments, `other` if missing."""
    word = _WORD.search((fields.first("Feedback-Type") or "").lower())
    original_to = addresses(fields.all("Original-Rcpt-To"))
    hidden = "Redacted-Address" in fields or any(map(is_redacted, original_to))
    cfbl = fields.first("CFBL-Feedback-ID") or (original.first("CFBL-Feedback-ID") if original else None)
    return Feedback(
        feedback_type=word.group() if word else "other",
        user_agent=fields.first("User-Agent"),
        version=fields.first("Version"),
        original_mail_from=_first_address(fields.first("Original-Mail-From")),
        original_rcpt_to=tuple(original_to),
        source_ip=fields.first("Source-IP"),
        reported_domain=fields.all("Reported-Domain"),
        auth_failure=fields.first("Auth-Failure"),
        incidents=_count(fields.first("Incidents")),
        cfbl_feedback_id=cfbl,
        redacted=hidden or _withheld_in(original),
    )


def kind_of(feedback: Feedback, fields: Fields) -> tuple[Kind, str | None]:
    """Return kind and subtype: what says that mail was fine, or that authentication failed, complains of nothing.

    Tools that report DMARC failures do not all write Auth-Failure, nor all the type: the tool's name tells too.
    """
    kind = feedback.feedback_type
    if kind in _AUTH_TYPES or feedback.auth_failure or _AUTH_TOOL.search(feedback.user_agent or ""):
        return Kind.OTHER, "auth-failure"
    if "Identity-Alignment" in fields or "DKIM-Failure" in fields:
        return Kind.OTHER, "auth-failure"
    if kind in _NOT_SPAM:
        return Kind.OTHER, "not-spam"
    if kind in _OPT_OUT:
        return Kind.UNSUBSCRIBE, kind
    return Kind.COMPLAINT, None


def is_known(feedback: Feedback) -> bool:
    """Return True if the type is one that complaints have (RFC 5965 section 7.3)."""
    return feedback.feedback_type in _KNOWN


def complainers(fields: Fields, original: Original | None) -> list[str]:
    """Return the addresses that the returned mail was sent to, as far as they are told and not redacted.

    The report's own word first, then what stands in the returned mail; `To` only where it names one address.
    """
    told = addresses((*fields.all("Removal-Recipient"), *fields.all("Original-Rcpt-To")))
    seen = [address for address in told if not is_redacted(address)]
    return seen or mailed_to(original)


def mailed_to(original: Original | None) -> list[str]:
    """Return the one address that the header of a returned mail says it went to, in a list; empty if none is sure."""
    if original is None:
        return []
    for names in (_RECIPIENT_FIELDS, ("To",), _DELIVERY_FIELDS):
        for name in names:
            found = addresses(original.all(name))
            if len(found) == 1 and not is_redacted(found[0]):
                return found
            if name == "To" and any(map(is_redacted, found)):
                return []  # whoever hid it there means it to be hidden
    return []


def findings_for(recipients: Iterable[str], told: Iterable[str] = ()) -> tuple[Finding, ...]:
    """Return a finding for each recipient; one without recipient where nobody is named."""
    said = {address.lower() for address in told}
    found = tuple(Finding(a, original_recipient=a if a.lower() in said else None, action=None) for a in recipients)
    return found or (Finding(None, action=None),)


def _first_address(value: str | None) -> str | None:
    found = addresses((value,)) if value else []
    return found[0] if found else None


def _count(value: str | None) -> int:
    digits = (value or "").strip()[:9]
    return max(1, int(digits)) if digits.isascii() and digits.isdigit() else 1


def _withheld_in(original: Original | None) -> bool:
    return original is not None and any(map(is_redacted, addresses(original.all("To"))))
