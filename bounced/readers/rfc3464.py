"""The standard: message/delivery-status and its internationalised form, whoever wrote it.

Tell-tale: a part of that type outside the returned original (RFC 3464, RFC 6533). How makers deviate from the
form is told in `_delivery_status`, what a whole report says beyond its fields here.
"""

import re
from collections import Counter
from dataclasses import replace

from bounced.model import Action, Finding, Kind, Report
from bounced.readers import Rank, Reader
from bounced.readers._addresses import ADDRESS, typed, xtext
from bounced.readers._dates import when
from bounced.readers._delivery_status import DeliveryStatus, Group, delivery_status, finding, host, merged
from bounced.readers._message import DELIVERY_STATUS, Message
from bounced.readers._paragraphs import about

_GIVEN_UP = re.compile(r"\bexpired\b|\bgiv(?:en|ing) up\b|\bgave up\b|no further attempts", re.I)
_DIALOGUE = 32_768  # octets of a mail in which a dialogue is looked for before its text is made
_DIALOGUE_SIGNS = (b"\n>>> ", b"end of DATA")
_SHORT = 12  # a diagnostic of fewer characters says nothing ("69", "")


def read(message: Message) -> Report | None:
    """Return one finding a recipient; None without such a part, or if it names no recipient."""
    if message.types.isdisjoint(DELIVERY_STATUS):
        return None
    texts = [p.text() for p in message.parts if not p.returned and p.content_type in DELIVERY_STATUS]
    return report_of(delivery_status("\n\n".join(texts)), message, READER.name)


def report_of(status: DeliveryStatus, message: Message, reader: str) -> Report | None:
    """Return the report that the fields make; None if they name no recipient."""
    dialogue = any(message.octets.find(sign, 0, _DIALOGUE) >= 0 for sign in _DIALOGUE_SIGNS)
    told = [_told(_whole(finding(group), group, message), message, dialogue) for group in status.recipients]
    findings = tuple([one for one in told if one.recipient])
    if len(findings) > 1:
        findings = _apart(merged(findings))
    meant = _meant(findings)
    if not meant:
        return None
    envelope_id = status.message.get("original-envelope-id")
    return Report(
        kind=kind_of(meant),
        reader=reader,
        findings=meant,
        envelope_id=xtext(envelope_id) if envelope_id else None,
        reporting_mta=host(status.message.get("reporting-mta")),
        arrival_date=when(status.message.get("arrival-date")),
        notes=("one diagnostic for all, which names one recipient only",) if len(meant) < len(findings) else (),
    )


def kind_of(findings: tuple[Finding, ...]) -> Kind:
    """Return `bounce` if anything failed, else `delayed` if anything waits, else `delivered`."""
    actions = {one.action for one in findings}
    if Action.FAILED in actions:
        return Kind.BOUNCE
    return Kind.DELAYED if Action.DELAYED in actions else Kind.DELIVERED


def _whole(one: Finding, group: Group, message: Message) -> Finding:
    """Return the finding with the whole address where the report gives a local part alone.

    Its domain is not guessed: the returned original must be addressed to nobody else with that local part.
    """
    if one.recipient is not None:
        return one
    local = typed(group.get("original-recipient") or group.get("final-recipient") or "")[1].strip("<>").lower()
    original = message.original() if local else None
    values = (*original.all("To"), *original.all("Cc")) if original else ()
    known = {address.lower() for value in values for address in ADDRESS.findall(value)}
    fitting = [address for address in known if address.rpartition("@")[0] == local]
    return replace(one, recipient=fitting[0], final_recipient=fitting[0]) if len(fitting) == 1 else one


def _told(one: Finding, message: Message, dialogue: bool) -> Finding:
    """Return the finding with what the human part says of it, where its own diagnostic says nothing, and the command
    that was refused, where the mail shows a `dialogue`.

    A delay whose time ran out is a failure: OpenSMTPD's last report has `Action: delayed`, 4.4.7 and "expired".
    """
    if len(one.diagnostic or "") < _SHORT:
        one = replace(one, text=about(message.text(), one.final_recipient or one.recipient))
    if dialogue and one.action is Action.FAILED:
        one = replace(one, command=refused_command(message.text(), one.diagnostic or ""))
    ran_out = one.action is Action.DELAYED and (one.status or "").endswith(".4.7") and one.will_retry_until is None
    if ran_out and _GIVEN_UP.search(f"{one.diagnostic} {one.text}"):
        return replace(one, action=Action.FAILED)
    return one


def refused_command(transcript: str, diagnostic: str) -> str | None:
    """Return the command whose answer the diagnostic is, where the human part shows it; None else.

    sendmail shows the dialogue (`>>> DATA`, `<<< 550 …`), Postfix adds `(in reply to end of DATA command)`.
    """
    if "in reply to" in transcript and diagnostic.strip():
        before = re.escape(" ".join(diagnostic.split())[-40:])
        hit = re.search(before + r" \(in reply to (?:end of )?([A-Z]{4})\b", " ".join(transcript.split()))
        return hit[1] if hit else None
    command = None
    for line in transcript.splitlines() if ">>> " in transcript else ():
        if line.startswith(">>> "):
            command = line[4:].split(None, 1)[0].upper() if line[4:].strip() else None
        elif line.startswith("<<< ") and command and diagnostic.startswith(line[4:24].strip()):
            return command
    return None


def _apart(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings told apart: where one address that was mailed led to several, each goes by its own.

    Else the failure of one member would count against an alias that others still read.
    """
    times = Counter((one.original_recipient or "").lower() for one in findings if one.final_recipient)
    return tuple(
        replace(one, recipient=one.final_recipient)
        if one.final_recipient and times[(one.original_recipient or "").lower()] > 1 and one.original_recipient
        else one
        for one in findings
    )


def _meant(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return those of several that a shared diagnostic means, if it names some of them only.

    nullmailer reports every recipient of a mail as failed, with what was said of one.
    """
    diagnostics = {one.diagnostic for one in findings}
    if len(findings) < 2 or len(diagnostics) > 1 or None in diagnostics:
        return findings
    named = {match.lower() for match in ADDRESS.findall(diagnostics.pop() or "")}
    meant = tuple(one for one in findings if (one.recipient or "").lower() in named)
    return meant or findings


READER = Reader("rfc3464", Rank.STANDARD, read)
