"""A finding -> whom we mailed: the candidates in their order of trust, and which address failed behind it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bounced.address import domain_of
from bounced.correlate import text
from bounced.correlate.origin import our_domain
from bounced.correlate.shapes import decode
from bounced.model import Finding, Kind, Original, Report

#: Local parts by which feedback loops replace the address of the person who complained (RFC 6590).
_REDACTED = frozenset({"redacted", "hashed", "undisclosed", "recipient-redacted"})
#: Fields of the original in which a sender, or the mailbox provider, put the recipient's address.
_RECIPIENT_FIELDS = ("X-HmXmrOriginalRecipient", "X-ListMember", "X-Original-To", "Delivered-To")


#: The source that names whom the sender gave, whatever became of it on the way (RFC 3461 section 4.2).
ORIGINAL_RECIPIENT = "Original-Recipient"


@dataclass(frozen=True, slots=True)
class Named:
    """An address that a report names, and the field that names it."""

    source: str
    address: str


def named(report: Report, finding: Finding, ours: frozenset[str]) -> Iterator[Named]:
    """Yield the addresses that may be the one we mailed, normalised, most trusted source first.

    `ours` are the domains we send from: an address there is a list or an alias of ours, not whom we mailed,
    unless the report itself says that it failed.
    """
    if report.kind is Kind.COMPLAINT:
        yield from _of_complaint(report, finding, ours)
    else:
        yield from _of_bounce(report, finding, ours)


def failed_behind(finding: Finding, recipient: str | None) -> str | None:
    """Return the address that failed, or complained, in place of `recipient`, normalised.

    None if it is the same, is not told, or only stands for one that is not told.
    """
    final = text.single(finding.final_recipient) or text.single(finding.recipient)
    return None if final is None or final == recipient or redacted(final) else final


def redacted(address: str) -> bool:
    """True if the address stands for one that its provider does not tell."""
    local, _, domain = address.partition("@")
    return local.strip('"[]()*') in _REDACTED or not local.strip("*") or domain in {"redacted", "hidden", "invalid"}


def lone_to(original: Original | None) -> str | None:
    """Return the address in To of the original if there is no other in To and Cc, normalised."""
    if original is None:
        return None
    fields = [*original.all("To"), *original.all("Cc")]
    return text.single(fields[0]) if len(fields) == 1 else None


def _of_bounce(report: Report, finding: Finding, ours: frozenset[str]) -> Iterator[Named]:
    """Original-Recipient, our own VERP, To of a mail of ours, Final-Recipient, what the text names.

    To of a mail that nothing shows to be ours may be a list or an alias: it counts only where nobody else is named.
    """
    if address := text.single(finding.original_recipient):
        yield Named(ORIGINAL_RECIPIENT, address)
    alone = len(report.findings) == 1
    if alone:
        yield from _return_path(report.envelope.delivered_to, "address it came to")
    known = alone and our_domain(report.original, ours) is not None
    if known and (to := _stand_in(report.original, ours)):
        yield Named("To of the original", to)
    if final := text.single(finding.final_recipient):
        yield Named("Final-Recipient", final)
    if told := text.single(finding.recipient):
        yield Named("report", told)
    if alone and not known and (to := _stand_in(report.original, ours)):
        yield Named("To of the original", to)
    yield from _sender(report)


def _return_path(paths: Sequence[str], source: str) -> Iterator[Named]:
    """Yield whom an unsigned return path of a known make names (`list+user=domain@origin`)."""
    for path in paths:
        made = decode(path) if "=" in path else None
        if made and made.recipient:
            yield Named(f"{source} ({made.shape} VERP)", made.recipient)


def _sender(report: Report) -> Iterator[Named]:
    """An answer or a wish to leave speaks of whoever wrote it; a bounce never does."""
    if report.kind in (Kind.AUTO_REPLY, Kind.UNSUBSCRIBE) and (address := text.single(report.envelope.from_)):
        yield Named("From", address)


def _stand_in(original: Original | None, ours: frozenset[str]) -> str | None:
    """Return the lone To of the original if it can be whom we mailed: a newsletter often writes to itself."""
    to = lone_to(original)
    if to is None or original is None or redacted(to) or domain_of(to) in ours:
        return None
    return None if to in text.addresses(original.first("From")) else to


def _of_complaint(report: Report, finding: Finding, ours: frozenset[str]) -> Iterator[Named]:
    """What the report says of the original's envelope, then the original itself; redacted ones are no address."""
    for address in _complained(finding):
        yield Named("Original-Rcpt-To", address)
    original = report.original
    paths = [report.feedback.original_mail_from] if report.feedback else []
    paths += original.all("Return-Path") if original else ()
    yield from _return_path([path for path in paths if path], "return path of the original")
    for name in _RECIPIENT_FIELDS if original else ():
        held = text.single(original.first(name)) if original else None
        if held and not redacted(held) and domain_of(held) not in ours:
            yield Named(f"{name} of the original", held)
    to = _stand_in(original, ours)
    if to:
        yield Named("To of the original", to)


def _complained(finding: Finding) -> Iterator[str]:
    for value in (finding.original_recipient, finding.recipient):
        if (address := text.single(value)) and not redacted(address):
            yield address
