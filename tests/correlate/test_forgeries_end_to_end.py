"""Every forgery as the mail it would be, through all stages: nobody is suppressed, and all is told."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import pytest

from bounced.config import parse
from bounced.daemon import wiring
from bounced.model import Disposition, Event, Kind, Outcome, Place, RawMessage, Report, Trust
from bounced.pipeline import handle, judge_here

from .conftest import NOW
from .forge import ANN, SIGNING, bounce
from .test_forgeries import FORGERIES, GOOD, Forgery


def mail(report: Report, number: int) -> bytes:
    """Return a report as its forger would write it: what the report object says, in its fields."""
    complaint = report.kind is Kind.COMPLAINT
    kind, part = ("feedback-report", _feedback(report)) if complaint else ("delivery-status", _status(report))
    envelope = report.envelope
    lines = [
        *(f"Authentication-Results: {one}" for one in envelope.authentication_results),
        *("Delivered-To: " + one.replace("\r\n", "\r\n ") for one in envelope.delivered_to),
        f"From: {envelope.from_ or 'MAILER-DAEMON@forger.example'}",
        "Subject: Undelivered Mail Returned to Sender",
        f"Message-ID: <dsn{number}@forger.example>",
        *(f"In-Reply-To: {one}" for one in envelope.in_reply_to),
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type={kind}; boundary="=_b"',
        "",
        "--=_b",
        "Content-Type: text/plain; charset=utf-8",
        "",
        "This is a report.",
        "",
        "--=_b",
        f"Content-Type: message/{kind}",
        "",
        *part,
        "",
    ]
    if report.original:
        lines += ["--=_b", "Content-Type: text/rfc822-headers", ""]
        lines += [*(f"{name}: {value}" for name, value in report.original.headers), ""]
    return "\r\n".join([*lines, "--=_b--", ""]).encode("utf-8", "surrogatepass")


def _status(report: Report) -> Iterator[str]:
    yield "Reporting-MTA: dns; mx.forger.example"
    if report.envelope_id:
        yield f"Original-Envelope-Id: {report.envelope_id}"
    for finding in report.findings:
        yield ""
        if finding.original_recipient:
            yield f"Original-Recipient: {finding.original_recipient}"
        yield f"Final-Recipient: rfc822; {finding.final_recipient or finding.recipient or ''}"
        yield from ("Action: failed", "Status: 5.1.1", "Diagnostic-Code: smtp; 550 5.1.1 User unknown")


def _feedback(report: Report) -> Iterator[str]:
    yield from ("Feedback-Type: abuse", "User-Agent: forger/1.0", "Version: 1")
    for finding in report.findings:
        if finding.recipient:
            yield f"Original-Rcpt-To: {finding.recipient}"
    if report.feedback and report.feedback.original_mail_from:
        yield f"Original-Mail-From: {report.feedback.original_mail_from}"
    if report.feedback and report.feedback.cfbl_feedback_id:
        yield f"CFBL-Feedback-ID: {report.feedback.cfbl_feedback_id}"


#: Wishes to leave and answers are no reports that could be written so; they are tried as report objects alone.
REPORTS = [forgery for forgery in FORGERIES if forgery.report.kind in (Kind.BOUNCE, Kind.COMPLAINT)]


@dataclass(frozen=True)
class After:
    """What came of all forgeries: outcome and events by number of the mail, and who was suppressed.

    `suppressed_by_truth`: who was after a true report came too.
    """

    outcomes: dict[int, Outcome]
    events: dict[int, list[Event]]
    suppressed: list[str]
    suppressed_by_truth: list[str]


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> After:
    """Handle all forgeries in one batch, then a true report."""
    settings = {
        "database": {"url": f"sqlite:///{tmp_path_factory.mktemp('forged')}/b.db"},
        "correlation": {"domains": ["shop.example"], "authserv_id": "mx.shop.example", "signing": SIGNING},
    }
    config = parse(settings, {})
    contents = [mail(forgery.report, n) for n, forgery in enumerate(REPORTS, 1)]
    with closing(wiring.store(config)) as store:
        store.upgrade()
        stages = replace(wiring.stages(config, store), judge=judge_here(wiring.reading(config)))
        ended = handle([raw(n, content) for n, content in enumerate(contents, 1)], stages, NOW)
        outcomes = {outcome.place.uid: outcome for outcome in ended}
        found = {n: [e for id_ in one.events if (e := store.event(id_))] for n, one in outcomes.items()}
        suppressed = [entry.address for entry in store.suppressions()]
        handle([raw(1_000, mail(bounce(ANN, to=GOOD), 1_000))], stages, NOW)
        return After(outcomes, found, suppressed, [entry.address for entry in store.suppressions()])


def raw(number: int, content: bytes) -> RawMessage:
    return RawMessage(Place("m", "INBOX", 1, number), content, len(content), NOW)


def test_nobody_is_suppressed(after: After) -> None:
    """And it is not that nobody ever would be."""
    assert after.suppressed == []
    assert after.suppressed_by_truth == [ANN]


@pytest.mark.parametrize(("number", "forgery"), list(enumerate(REPORTS, 1)), ids=lambda f: getattr(f, "story", ""))
def test_each_is_in_the_ledger_with_its_reason(after: After, number: int, forgery: Forgery) -> None:
    """What exceeds a limit is in quarantine, with the limit's name."""
    outcome, events = after.outcomes[number], after.events[number]
    if outcome.disposition is Disposition.QUARANTINE:
        assert "limits." in outcome.detail
        return
    assert events
    assert {event.trust for event in events} == {Trust.CLAIMED}
    assert any(forgery.why in event.trust_why for event in events), [event.trust_why for event in events]


def test_they_are_many(after: After) -> None:
    """Nearly all of them are read, and are in the ledger."""
    assert len([one for one in after.events.values() if one]) > 60
