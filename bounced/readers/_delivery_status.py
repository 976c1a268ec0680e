"""The fields of message/delivery-status (RFC 3464, RFC 6533), read by what they are and not by blank lines."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from bounced.model import Action, Finding
from bounced.readers._addresses import recipient, typed
from bounced.readers._dates import when
from bounced.readers._replies import reply_code

MAX_DIAGNOSTIC = 4_000

_OPENERS = ("original-recipient", "final-recipient", "action")
_PER_RECIPIENT = frozenset(
    {
        *_OPENERS,
        "status",
        "remote-mta",
        "diagnostic-code",
        "last-attempt-date",
        "final-log-id",
        "will-retry-until",
        "localized-diagnostic",
        "x-actual-recipient",
        "x-display-name",
        "x-supplementary-info",
    }
)
_PER_MESSAGE = frozenset(
    {"original-envelope-id", "reporting-mta", "dsn-gateway", "received-from-mta", "arrival-date", "x-postfix-queue-id"}
)
_KNOWN = _PER_RECIPIENT | _PER_MESSAGE
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9_-]{2,60})[ \t]*:[ \t]*(.*)")
_WHOLE_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9_-]{2,60})[ \t]*:[ \t]*([^\n]*(?:\n[ \t]+[^\n]*)*)", re.M)
_GAP = re.compile(r"\n[ \t]*\n\s*")
#: Behind a diagnostic, a line that has a colon after its first word and yet is none of the fields.
_SENTENCE_LIKE_A_FIELD = re.compile(
    r"diagnostic-code[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*"
    r"(?!(?:x-|last-|final-|will-|remote-|status|action|original-|localized-))[a-z]",
    re.M | re.I,
)
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_HOST = re.compile(r"[^\s();,|]{1,255}")
_ACTIONS = {action.value: action for action in Action} | {
    "failure": Action.FAILED,
    "expired": Action.FAILED,
    "undeliverable": Action.FAILED,
    "deliverable": Action.DELIVERED,
    "delay": Action.DELAYED,
}
_BY_CLASS = {"2": Action.DELIVERED, "4": Action.FAILED, "5": Action.FAILED}

Group = dict[str, str]


@dataclass(slots=True)
class DeliveryStatus:
    """The fields of one report: those of the message, and those of each recipient, names in lower case."""

    message: Group = field(default_factory=dict)
    recipients: list[Group] = field(default_factory=list)


def delivery_status(text: str) -> DeliveryStatus:
    """Return the fields in `text`, whatever its blank lines do.

    A recipient begins where Original-Recipient, Final-Recipient or Action comes again, or the first two of them
    after a blank line behind a complete one. Lines that are neither field nor indented continue the field above
    (multi-line replies are often left unfolded).
    """
    found = DeliveryStatus()
    group: Group | None = None
    for number, block in enumerate(_GAP.split(text.strip())):
        after_blank = number > 0
        for written, value in _fields(block):
            name = written.lower()
            if name not in _KNOWN:
                name = _canonical(name)
            if name in _OPENERS and (group is None or _opens(name, group, after_blank)):
                group = {}
                found.recipients.append(group)
            fields = found.message if group is None or name in _PER_MESSAGE else group
            if name not in fields:
                fields[name] = (value if "\n" not in value else " ".join(value.split()))[:MAX_DIAGNOSTIC].rstrip()
            after_blank = False
    _adopt(found)
    return found


def _opens(name: str, group: Group, after_blank: bool) -> bool:
    if name in group:
        return True
    complete = "final-recipient" in group and ("action" in group or "status" in group)
    return after_blank and complete and name != "action"


def _adopt(found: DeliveryStatus) -> None:
    """Move what precedes the opener of a lone recipient (Status written first) into its group."""
    if len(found.recipients) == 1 and not _PER_RECIPIENT.isdisjoint(found.message):
        for name in _PER_RECIPIENT & found.message.keys():
            found.recipients[0].setdefault(name, found.message.pop(name))


def _fields(block: str) -> list[tuple[str, str]]:
    """Return the fields of a block without blank lines, names as written, values not yet unfolded."""
    found: list[tuple[str, str]] = _WHOLE_FIELD.findall(block)
    lines = len(found)
    for _, value in found:
        if "\n" in value:
            lines += value.count("\n")
    at = block.find("iagnostic-")
    if lines != block.count("\n") + 1 or (at > 0 and _SENTENCE_LIKE_A_FIELD.match(block, at - 1)):
        return _odd_fields(block)
    return found


def _odd_fields(block: str) -> list[tuple[str, str]]:
    """Return the fields of a block in which lines stand that are neither field nor indented."""
    found: list[tuple[str, str]] = []
    for line in block.split("\n"):
        match = None if line[:1] in (" ", "\t", "") else _FIELD.match(line)
        above = found[-1][0].lower() if found else ""
        if match and (above != "diagnostic-code" or _is_field(match.group(1).lower())):
            found.append((match.group(1), match.group(2)))
        elif found and len(found[-1][1]) < MAX_DIAGNOSTIC:
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
    return found


def _is_field(name: str) -> bool:
    """True unless the line only looks like a field within a reply that was left unfolded."""
    return name in _KNOWN or _canonical(name) in _KNOWN or name.startswith("x-")


def _canonical(name: str) -> str:
    """Return the name of the field; one whose first letters were cut off is completed."""
    if name.startswith("x-") or len(name) < 5:
        return name
    return next((known for known in _OPENERS if known.endswith(name) and len(known) - len(name) <= 2), name)


def finding(group: Group) -> Finding:
    """Return what one recipient's fields say. Its `recipient` is the address that was mailed, if the report knows."""
    written = group.get("diagnostic-code")
    kind, diagnostic = typed(written) if written else (None, "")
    said = _STATUS.search(group.get("status", ""))
    status = said.group(1) if said else None
    original, final = _addresses(group)
    code = reply_code(diagnostic) if kind in (None, "smtp", "unknown", "esmtp") else None
    return Finding(
        recipient=original or final,
        original_recipient=original,
        final_recipient=final,
        action=action_of(group.get("action"), status),
        status=status,
        reply_code=code,
        diagnostic=diagnostic or None,
        diagnostic_type=kind if diagnostic else None,
        remote_mta=host(group.get("remote-mta")),
        will_retry_until=when(group.get("will-retry-until")),
        last_attempt=when(group.get("last-attempt-date")),
    )


def _addresses(group: Group) -> tuple[str | None, str | None]:
    """Return the address that was mailed, if the report knows it apart, and the one that failed."""
    original = recipient(group.get("original-recipient", ""))
    final = recipient(group.get("final-recipient", ""))
    actual = recipient(group.get("x-actual-recipient", ""))
    if final and actual and original is None and actual.lower() != final.lower():
        return final, actual  # sendmail: the alias stands in Final-Recipient
    return original, final or actual


def action_of(value: str | None, status: str | None) -> Action:
    """Return the action; an unknown or missing one follows from the class of the status, else it failed."""
    word = (value or "").strip().lower().split(" ")[0].strip(";.,\"'")
    known = _ACTIONS.get(word)
    if known is Action.DELAYED and status is not None and status.startswith("5"):
        return Action.FAILED
    if known is not None:
        return known
    return _BY_CLASS[status[0]] if status else Action.FAILED


def host(value: str | None) -> str | None:
    """Return the name in `dns; name (comment)`, or None."""
    match = _HOST.match(typed(value or "")[1].lstrip(" <"))
    return match.group().strip("<>[].").lower() or None if match else None


def merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings, each pair of addresses once for an action: of two, the one that says more."""
    best: dict[tuple[str, str, Action | None], Finding] = {}
    for one in findings:
        key = ((one.recipient or "").lower(), (one.final_recipient or "").lower(), one.action)
        other = best.get(key)
        if other is None or _detail(one) > _detail(other):
            best[key] = one
    return tuple(best.values())


def _detail(one: Finding) -> tuple[int, str]:
    return len(one.diagnostic or one.text or ""), one.status or ""
