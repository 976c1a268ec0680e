"""Amazon SES by SNS: the notification as a JSON document in a plain text mail.

Tell-tale: a body that begins with `{` and names a notificationType or eventType; also within the envelope that SNS
puts around it. Long lines come back broken by `!`, line end and blank. Complaints, of the same form, are read apart.
"""

import json
from collections.abc import Mapping

from bounced.model import Action, Finding, Kind, Original, Report
from bounced.readers import Rank, Reader
from bounced.readers._addresses import bare, typed
from bounced.readers._delivery_status import action_of, host
from bounced.readers._message import Message
from bounced.readers._replies import reply_code, status_code

_TELL_TALES = (b"notificationType", b"eventType")
_KINDS = {
    "bounce": Kind.BOUNCE,
    "delivery": Kind.DELIVERED,
    "deliverydelay": Kind.DELAYED,
}
_ACTIONS = {Kind.DELIVERED: Action.DELIVERED, Kind.DELAYED: Action.DELAYED}
_LISTS = ("bouncedRecipients", "delayedRecipients", "recipients")
_NOTHING: Mapping[str, object] = {}


def read(message: Message) -> Report | None:
    """Return what the notification says of each recipient; None for any other text."""
    if message.root.children and not any(name in message.octets for name in _TELL_TALES):
        return None
    if not message.whole_text[:200].lstrip().startswith("{"):
        return None
    body = _notification(_parsed(message.whole_text))
    kind = _KINDS.get(str(body.get("notificationType") or body.get("eventType") or "").replace(" ", "").lower())
    if kind is None:
        return None
    about = _object(body, {Kind.DELAYED: "deliveryDelay"}.get(kind, str(kind.value).replace("delivered", "delivery")))
    findings = tuple(_findings(about, kind))
    if not findings:
        return None
    return Report(
        kind,
        READER.name,
        findings,
        original=_original(_object(body, "mail")),
        reporting_mta=host(str(about.get("reportingMTA") or "")),
    )


def _parsed(text: str) -> Mapping[str, object]:
    """Return the JSON object at the beginning of `text`, whatever follows it; empty if there is none."""
    for candidate in (text, text.replace("!\n ", ""), text.replace("!\n", ""), text.replace("\n", "")):
        try:
            value, _ = json.JSONDecoder(strict=False).raw_decode(candidate.lstrip())
        except (ValueError, RecursionError):
            continue
        return value if isinstance(value, dict) else _NOTHING
    return _NOTHING


def _notification(value: Mapping[str, object]) -> Mapping[str, object]:
    inner = value.get("Message")
    return _parsed(inner) if isinstance(inner, str) else value


def _findings(about: Mapping[str, object], kind: Kind) -> list[Finding]:
    smtp = str(about.get("smtpResponse") or "")
    rows: object = next((about[name] for name in _LISTS if isinstance(about.get(name), list)), [])
    return [found for row in (rows if isinstance(rows, list) else []) if (found := _finding(row, kind, smtp))]


def _finding(row: object, kind: Kind, smtp: str) -> Finding | None:
    fields = row if isinstance(row, Mapping) else {"emailAddress": row}
    address = bare(str(fields.get("emailAddress") or ""))
    if not address or "@" not in address:
        return None
    status = str(fields.get("status") or "") or None
    kind_of_text, diagnostic = typed(str(fields.get("diagnosticCode") or smtp))
    action = str(fields.get("action") or "")
    return Finding(
        recipient=address,
        final_recipient=address,
        action=action_of(action, status) if action else _ACTIONS.get(kind, Action.FAILED),
        status=status or status_code(diagnostic),
        reply_code=reply_code(diagnostic),
        diagnostic=diagnostic or None,
        diagnostic_type=kind_of_text if diagnostic else None,
    )


def _original(mail: Mapping[str, object]) -> Original | None:
    rows = mail.get("headers")
    pairs = [
        (str(row.get("name")), str(row.get("value")))
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, Mapping)
    ]
    return Original(tuple(pairs[:1000])) if pairs else None


def _object(value: Mapping[str, object], name: str) -> Mapping[str, object]:
    inner = value.get(name)
    return inner if isinstance(inner, dict) else _NOTHING


READER = Reader("amazon_ses", Rank.OWN_FORMAT, read)
