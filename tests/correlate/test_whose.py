"""Whose report it is, where no key signs: the order of the sources, forwarders, Message-ID."""

import pytest

from bounced.config import Correlation
from bounced.correlate import Correlator, cap
from bounced.model import (
    Category,
    Envelope,
    Fault,
    Feedback,
    Finding,
    Identity,
    Kind,
    Original,
    Reason,
    Report,
    Trust,
    Verdict,
)

from .conftest import NOW

CORRELATOR = Correlator(Correlation(domains=("shop.example",)))


def identify(report: Report, at: int = 0) -> Identity:
    return CORRELATOR.correlate(report, verdict(report.findings[at]), NOW)


def verdict(finding: Finding, reason: Reason = Reason.MAILBOX_UNKNOWN) -> Verdict:
    return Verdict(finding, Category.HARD, reason, Fault.RECIPIENT, "any")


def bounce(*findings: Finding, headers: tuple[tuple[str, str], ...] = (), **more: object) -> Report:
    return Report(Kind.BOUNCE, "rfc3464", findings, Original(headers) if headers else None, **more)  # type: ignore[arg-type]


def complaint(finding: Finding, *headers: tuple[str, str], **more: object) -> Report:
    return Report(Kind.COMPLAINT, "arf", (finding,), Original(headers), feedback=Feedback("abuse"), **more)  # type: ignore[arg-type]


BOTH = Finding("b@y.example", original_recipient="A@X.example", final_recipient="b@y.example")
FINAL = Finding("b@y.example", final_recipient="b@y.example")
TEXT = Finding("b@y.example")
OURS = ("Message-ID", "<1@shop.example>")


@pytest.mark.parametrize(
    ("report", "recipient", "final", "source"),
    [
        (bounce(BOTH), "a@x.example", "b@y.example", "Original-Recipient"),
        (bounce(BOTH, headers=(("To", "c@z.example"),)), "a@x.example", "b@y.example", "Original-Recipient"),
        (
            bounce(FINAL, headers=(OURS, ("To", "Ann <a@x.example>"))),
            "a@x.example",
            "b@y.example",
            "To of the original",
        ),
        (bounce(FINAL, headers=(OURS, ("To", "b@Y.example"))), "b@y.example", None, "To of the original"),
        (bounce(FINAL, headers=(("To", "Ann <a@x.example>"),)), "b@y.example", None, "Final-Recipient"),
        (bounce(Finding(None), headers=(("To", "Ann <a@x.example>"),)), "a@x.example", None, "To of the original"),
        (bounce(FINAL, headers=(OURS, ("To", "a@x.example, b@y.example"))), "b@y.example", None, "Final-Recipient"),
        (
            bounce(FINAL, headers=(OURS, ("To", "a@x.example"), ("Cc", "c@z.example"))),
            "b@y.example",
            None,
            "Final-Recipient",
        ),
        (bounce(FINAL, headers=(OURS, ("To", "news@shop.example"))), "b@y.example", None, "Final-Recipient"),
        (
            bounce(FINAL, headers=(("From", "i@i.example"), ("To", "i@i.example"))),
            "b@y.example",
            None,
            "Final-Recipient",
        ),
        (bounce(FINAL, TEXT, headers=(OURS, ("To", "a@x.example"))), "b@y.example", None, "Final-Recipient"),
        (bounce(FINAL), "b@y.example", None, "Final-Recipient"),
        (bounce(TEXT), "b@y.example", None, "report"),
        (bounce(Finding(None)), None, None, ""),
        (bounce(Finding("not an address")), None, None, ""),
        (bounce(Finding("rfc822; <b@y.example>")), "b@y.example", None, "report"),
    ],
)
def test_a_bounce_belongs_to_the_address_we_mailed(
    report: Report, recipient: str | None, final: str | None, source: str
) -> None:
    """The first source in the order of trust names the recipient; another address that failed stays apart."""
    identity = identify(report)

    assert (identity.recipient, identity.final_recipient, identity.source) == (recipient, final, source)


@pytest.mark.parametrize(
    ("report", "recipient", "source"),
    [
        (complaint(Finding("a@x.example")), "a@x.example", "Original-Rcpt-To"),
        (complaint(Finding("redacted@x.example")), None, ""),
        (complaint(Finding("redacted@x.example"), ("To", "a@x.example")), "a@x.example", "To of the original"),
        (complaint(Finding(None), ("To", "redacted@x.example")), None, ""),
        (complaint(Finding(None), ("To", "undisclosed-recipients:;")), None, ""),
        (
            complaint(Finding(None), ("X-HmXmrOriginalRecipient", "a@x.example"), ("To", "list@x.example")),
            "a@x.example",
            "X-HmXmrOriginalRecipient of the original",
        ),
        (complaint(Finding(None), ("X-ListMember", "a@x.example")), "a@x.example", "X-ListMember of the original"),
        (complaint(Finding(None), ("To", "news@shop.example")), None, ""),
    ],
)
def test_a_complaint_belongs_to_who_is_not_redacted(report: Report, recipient: str | None, source: str) -> None:
    """What a feedback loop blanks out names nobody."""
    identity = identify(report)

    assert (identity.recipient, identity.source) == (recipient, source)
    assert identity.final_recipient is None


def test_an_answer_speaks_of_its_writer() -> None:
    """An automatic reply and a wish to leave name their sender; a bounce never does."""
    envelope = Envelope(from_="Ann <a@x.example>")
    for kind, recipient in ((Kind.AUTO_REPLY, "a@x.example"), (Kind.UNSUBSCRIBE, "a@x.example"), (Kind.BOUNCE, None)):
        assert identify(Report(kind, "any", (Finding(None),), envelope=envelope)).recipient == recipient


@pytest.mark.parametrize(
    ("recipient", "final", "reason", "category"),
    [
        ("a@x.example", None, Reason.MAILBOX_UNKNOWN, Category.HARD),
        ("a@x.example", "b@x.example", Reason.MAILBOX_UNKNOWN, Category.HARD),
        ("a@x.example", "a@mx1.x.example", Reason.MAILBOX_UNKNOWN, Category.HARD),
        ("a@x.example", "b@x.example", Reason.MAILBOX_DISABLED, Category.SOFT),
        ("a@x.example", "b@y.example", Reason.MAILBOX_UNKNOWN, Category.SOFT),
        ("a@x.example", "a@notx.example", Reason.MAILBOX_UNKNOWN, Category.SOFT),
        ("a@x.example", "b@y.example", Reason.DOMAIN_MISSING, Category.SOFT),
        (None, "b@y.example", Reason.MAILBOX_UNKNOWN, Category.SOFT),
    ],
)
def test_a_forwarder_costs_nobody_the_address_we_mailed(
    recipient: str | None, final: str | None, reason: Reason, category: Category
) -> None:
    """Hard stays hard only for an unknown mailbox at our recipient's own domain."""
    before = verdict(FINAL, reason)

    after = cap(before, Identity(recipient, final, Trust.CLAIMED, "any", "any"))

    assert after.category is category
    assert ("via_forwarder" in after.basis) == (category is Category.SOFT)
    assert (after.reason, after.fault) == (reason, Fault.RECIPIENT)


@pytest.mark.parametrize(
    ("headers", "in_reply_to", "expected"),
    [
        ((("Message-ID", "<1.2@shop.example>"),), (), "1.2@shop.example"),
        ((("Message-Id", " <1.2@shop.example> (comment)"),), ("<other@x.example>",), "1.2@shop.example"),
        ((("Message-ID", "1.2@shop.example"),), (), "1.2@shop.example"),
        ((("Subject", "x"),), ("<1.2@shop.example>",), "1.2@shop.example"),
        ((("Message-ID", "<a b@shop.example>"),), (), None),
        ((("Message-ID", "<" + "a" * 300 + "@shop.example>"),), (), None),
    ],
)
def test_message_id(headers: tuple[tuple[str, str], ...], in_reply_to: tuple[str, ...], expected: str | None) -> None:
    """The original's own Message-ID, else the one that the report answers (Exchange), never one out of bounds."""
    report = bounce(TEXT, headers=headers, envelope=Envelope(in_reply_to=in_reply_to))

    assert identify(report).message_id == expected


@pytest.mark.parametrize(
    ("header", "trust"),
    [
        (("Message-ID", "<1@shop.example>"), Trust.MATCHED),
        (("Message-ID", "<1@SHOP.example>"), Trust.MATCHED),
        (("Return-Path", "<b@shop.example>"), Trust.MATCHED),
        (("Message-ID", "<1@evil-shop.example>"), Trust.CLAIMED),
        (("Message-ID", "<1@shop.example.evil.example>"), Trust.CLAIMED),
        (("From", "x@shop.example"), Trust.CLAIMED),
    ],
)
def test_without_a_key_our_own_domain_in_the_original_is_a_match(header: tuple[str, str], trust: Trust) -> None:
    """Told apart, so that reports on other people's mail show."""
    identity = identify(bounce(TEXT, headers=(header,)))

    assert identity.trust is trust
    assert identity.why


def test_what_was_forwarded_by_hand_is_only_a_claim() -> None:
    """Whatever domain it bears."""
    identity = identify(bounce(TEXT, headers=(OURS,), forwarded=True))

    assert identity.trust is Trust.CLAIMED
    assert "forwarded" in identity.why
