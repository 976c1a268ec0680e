"""Abuse reports in XARF: version 3 within a feedback report, version 4 as a JSON document, older ones in YAML.

Tell-tale: `Feedback-Type: xarf`, a header `X-XARF` or `X-ARF`, or a JSON part that says `xarf_version` or has
`ReporterInfo` and `Report`. xarf.org. Spam counts as a complaint; what else we are said to have done, a person reads.
"""

import base64
import binascii
import re

from bounced.model import Feedback, Finding, Kind, Original, Report
from bounced.readers import Rank, Reader
from bounced.readers._dates import when
from bounced.readers._feedback import addresses, findings_for, is_redacted, mailed_to
from bounced.readers._fields import Fields
from bounced.readers._json import Json, get, inner, objects, parse_object, string
from bounced.readers._message import FEEDBACK, MACHINE, Message, Part, header_block

_DOCUMENTS = ("application/json", "application/xarf+json", "application/x-arf", "text/json")
_FIELDS = frozenset({"x-xarf", "x-arf"})
_SPAM = frozenset({"spam", "messaging/spam", "messaging", "bulk_messaging", "messaging/bulk_messaging"})
_FRAUD = frozenset({"phishing", "fraud", "scam"})
_PARTS = 6  # parts in which the document is looked for
_MAX_PAYLOAD = 262_144
_YAML = re.compile(rb"^(?:Reported-From|Category|Report-Type|Report-ID):", re.M | re.I)


def read(message: Message) -> Report | None:
    """Return a complaint where spam is reported, else `other` for a person. None if it is no XARF."""
    declared = _declared(message)
    if not declared and message.types.isdisjoint(_DOCUMENTS):
        return None
    document = next(filter(None, map(_document, _candidates(message, declared))), None)
    if document is not None:
        return _report(document, message)
    if not declared:
        return None
    return _old(message) or Report(Kind.OTHER, READER.name, subtype="abuse-report", puzzled=True)


def _declared(message: Message) -> bool:
    part = message.part(*FEEDBACK)
    if part is not None and "xarf" in (Fields(part.content[:16_384]).first("Feedback-Type") or "").lower():
        return True
    return message.fields.any_of(_FIELDS)


def _candidates(message: Message, declared: bool) -> list[Part]:
    """Return the parts that may hold the document: JSON by type, and any leaf where the mail declares itself."""
    kept = [p for p in message.parts if not p.children and not p.returned and p.content_type not in MACHINE]
    typed = [p for p in kept if p.content_type in _DOCUMENTS]
    return (typed + [p for p in kept if p not in typed] if declared else typed)[:_PARTS]


def _document(part: Part) -> Json | None:
    text = part.text().lstrip("\ufeff \n\t")
    found = parse_object(text) if text.startswith("{") else None
    if found is None and text[:2] in ("ey", "ew"):  # base64 of `{"` or `{\n`, encoded once more
        found = parse_object(_base64(text).decode("utf-8", "replace"))
    if found is None:
        return None
    third = get(found, "ReporterInfo") is not None and isinstance(get(found, "Report"), dict)
    return found if third or string(found, "xarf_version", "XarfVersion") else None


def _report(document: Json, message: Message) -> Report:
    body = inner(document, "Report") or document
    kind = _type_of(document, body)
    original = _evidence(body) or _evidence(document) or message.original()
    named = [a for a in addresses(_recipients(body)) if not is_redacted(a)]
    spam, fraud = _is(kind, _SPAM), _is(kind, _FRAUD) and bool(named or original)
    feedback = Feedback(
        feedback_type="abuse" if spam else "fraud" if fraud else kind,
        user_agent=string(document, "generator") or string(inner(document, "ReporterInfo"), "ReporterOrg"),
        version=string(document, "xarf_version", "Version"),
        original_mail_from=string(body, "SmtpMailFromAddress", "smtp_from"),
        original_rcpt_to=tuple(named),
        source_ip=string(body, "SourceIp", "source_identifier", "Source"),
        reported_domain=tuple(filter(None, (string(body, "ReportedDomain", "Domain"),))),
    )
    if not spam and not fraud:
        return Report(
            Kind.OTHER, READER.name, original=original, feedback=feedback, subtype="abuse-report", puzzled=True
        )
    return Report(
        Kind.COMPLAINT,
        READER.name,
        findings_for(named or mailed_to(original), named),
        original=original,
        feedback=feedback,
        arrival_date=when(string(body, "Date", "timestamp")),
    )


def _type_of(document: Json, body: Json) -> str:
    """Return `class/type` in lower case, either alone where the other is missing."""
    word = string(body, "category", "class", "ReportClass") or string(document, "category", "class") or ""
    kind = string(body, "type", "ReportType") or string(document, "type") or ""
    return "/".join(filter(None, (word.lower(), kind.lower())))[:80] or "other"


def _is(kind: str, words: frozenset[str]) -> bool:
    return kind in words or kind.rpartition("/")[2] in words


def _recipients(body: Json) -> list[str]:
    found = (get(body, "SmtpRcptToAddress"), get(body, "smtp_to"), get(body, "SmtpRcptTo"), get(body, "recipient"))
    texts = [x for one in found for x in (one if isinstance(one, list) else [one])]
    return [text[:1_000] for text in texts if isinstance(text, str)]


def _evidence(body: Json) -> Original | None:
    """Return the header of the first mail among the evidence."""
    for sample in objects(get(body, "Samples", "evidence", "Attachments")):
        kind = (string(sample, "ContentType", "content_type") or "").lower()
        payload = get(sample, "Payload", "data", "content")
        if isinstance(payload, str) and kind.startswith(("message/", "text/rfc822")):
            pairs = Fields(header_block(_octets(payload))).pairs()
            if len(pairs) > 1:
                return Original(pairs)
    return None


def _octets(payload: str) -> bytes:
    head = payload[:_MAX_PAYLOAD]
    raw = head.encode("utf-8", "replace")
    if ":" in head[:80]:
        return raw.replace(b"\r\n", b"\n")
    return _base64(head).replace(b"\r\n", b"\n")


def _base64(text: str) -> bytes:
    packed = "".join(text[:_MAX_PAYLOAD].split())
    try:
        return base64.b64decode(packed[: len(packed) // 4 * 4])
    except (binascii.Error, ValueError):
        return b""


def _old(message: Message) -> Report | None:
    """Return what versions 0.1 and 0.2 say: YAML lines in the second part."""
    for part in message.parts:
        if part.returned or part.children or not _YAML.search(part.content[:16_384]):
            continue
        fields = Fields(part.content[:16_384])
        if "Report-Type" not in fields and "Category" not in fields:
            continue
        kind = (fields.first("Report-Type") or fields.first("Category") or "other").strip().lower()
        feedback = Feedback(
            "abuse" if "spam" in kind else kind, user_agent=fields.first("User-Agent"), source_ip=fields.first("Source")
        )
        if "spam" not in kind:
            return Report(Kind.OTHER, READER.name, feedback=feedback, subtype="abuse-report", puzzled=True)
        findings: tuple[Finding, ...] = findings_for(mailed_to(message.original()))
        return Report(Kind.COMPLAINT, READER.name, findings, feedback=feedback, arrival_date=when(fields.first("Date")))
    return None


READER = Reader("xarf", Rank.FEEDBACK, read)
