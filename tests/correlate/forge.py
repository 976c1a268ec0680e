"""What a true sender mints and a forger has at hand: signers, their configuration, and reports as literals."""

from datetime import timedelta

from bounced.config import Correlation
from bounced.correlate import Correlator, Mail, Signer
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
    Tags,
    Verdict,
)

from .conftest import NOW

ANN, BOB = "ann@x.example", "bob@y.example"
TAGS = Tags("spring", "news")
SECRET, OLD_SECRET, EVIL_SECRET = "q" * 16 + "-new-secret", "p" * 16 + "-old-secret", "e" * 16 + "-evil-secret"
SIGNING = {
    "keys": [
        {"id": "k2", "secret": SECRET},
        {"id": "k1", "secret": OLD_SECRET, "not_after": (NOW + timedelta(days=10)).isoformat()},
        {"id": "k0", "secret": OLD_SECRET, "not_after": (NOW - timedelta(days=1)).isoformat()},
    ],
    "domains": ["bounces.shop.example", "b.brand.example"],
}
SETTINGS = Correlation.model_validate(
    {"domains": ["shop.example"], "authserv_id": "mx.shop.example", "signing": SIGNING}
)
CORRELATOR = Correlator(SETTINGS)
SIGNER = CORRELATOR.signer or Signer(SETTINGS.signing)
MAIL = Mail(ANN, TAGS, "1@shop.example")


def signer(**changes: object) -> Signer:
    """Return a signer with another configuration."""
    return Signer(Correlation.model_validate({"signing": {**SIGNING, **changes}}).signing)


def verdict(finding: Finding, category: Category = Category.HARD) -> Verdict:
    reason = Reason.ABUSE if category is Category.COMPLAINT else Reason.MAILBOX_UNKNOWN
    return Verdict(finding, category, reason, Fault.RECIPIENT, "any", "5.1.1")


def bounce(
    *recipients: str | Finding,
    to: str | tuple[str, ...] = (),
    original: tuple[tuple[str, str], ...] = (),
    envid: str | None = None,
) -> Report:
    """Return a failure report that came to the addresses `to`."""
    findings = tuple(one if isinstance(one, Finding) else Finding(one, final_recipient=one) for one in recipients)
    envelope = Envelope(delivered_to=(to,) if isinstance(to, str) else to, message_id="<dsn@forger.example>")
    returned = Original(original) if original else None
    return Report(Kind.BOUNCE, "rfc3464", findings, returned, envelope, envelope_id=envid)


def complaint(
    recipient: str | None,
    *original: tuple[str, str],
    from_: str = "feedback@arf.mail.yahoo.com",
    results: tuple[str, ...] = (),
    mail_from: str | None = None,
    cfbl: str | None = None,
    to: tuple[str, ...] = (),
) -> Report:
    """Return a feedback report with these Authentication-Results on top."""
    envelope = Envelope(from_=from_, authentication_results=results, delivered_to=to)
    feedback = Feedback("abuse", original_mail_from=mail_from, cfbl_feedback_id=cfbl)
    return Report(Kind.COMPLAINT, "arf", (Finding(recipient),), Original(original), envelope, feedback)


def identify(report: Report, at: int = 0, correlator: Correlator = CORRELATOR) -> Identity:
    finding = report.findings[at]
    category = Category.COMPLAINT if report.kind is Kind.COMPLAINT else Category.HARD
    return correlator.correlate(report, verdict(finding, category), NOW)
