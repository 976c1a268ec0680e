"""How many complaints can be tied to a person, on real mails, as they came and as they would come from our senders."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bounced.config import Limits
from bounced.correlate import Mail, stamp
from bounced.model import Kind, Original, Place, RawMessage, Report, Trust
from bounced.readers import read

from .conftest import NOW
from .forge import ANN, SIGNER, TAGS, identify

LABELLED = Path(__file__).parents[2].parent / "shared" / "corpus"


def complaints() -> list[Report]:
    """Return the mails that are labelled, and read, as complaints of a person."""
    if not (LABELLED / "labels.jsonl").is_file():
        pytest.skip(f"no labelled mails in {LABELLED}")
    rows = map(json.loads, (LABELLED / "labels.jsonl").read_text().splitlines())
    files = [LABELLED / "mail" / row["file"] for row in rows if row["kind"] == "complaint"]
    raws = (path.read_bytes() for path in files)
    reports = (read(RawMessage(Place("m", "f", 0, 1), raw, len(raw)), Limits()) for raw in raws)
    return [report for report in reports if report.kind is Kind.COMPLAINT]


def as_ours(report: Report, recipient: str = ANN) -> Report:
    """Return the report as it would be of a mail that we stamped: only where it returns what we put in."""
    made = stamp(SIGNER, Mail(recipient, TAGS), NOW)
    original = report.original and Original(tuple(_theirs(report.original) | made.headers.items()))
    feedback = report.feedback
    if feedback and feedback.original_mail_from:
        feedback = replace(feedback, original_mail_from=made.return_path)
    return replace(report, original=original, feedback=feedback)


def _theirs(original: Original) -> set[tuple[str, str]]:
    return {(name, value) for name, value in original.headers if name.lower() not in ("message-id", "list-unsubscribe")}


def tied(reports: list[Report]) -> int:
    """Return how many name somebody."""
    return sum(any(identify(report, at).recipient for at, _ in enumerate(report.findings)) for report in reports)


def test_the_share_of_complaints_tied_to_a_person(record_property: Callable[[str, object], None]) -> None:
    """More than half as they come; all that return a piece of ours, if we had sent them."""
    reports = complaints()
    stamped = [as_ours(report, identify(report).recipient or ANN) for report in reports]
    record_property("complaints", len(reports))
    record_property("tied_without", tied(reports))
    record_property("tied_with", tied(stamped))

    assert tied(reports) * 2 > len(reports)
    assert tied(stamped) == len(reports)
    assert sum(identify(report).trust is Trust.SIGNED for report in stamped) == len(reports)
    print(f"{len(reports)} complaints: tied as they came {tied(reports)}, with our headers {tied(stamped)}")


def test_with_our_headers_a_complaint_is_signed_whatever_is_hidden() -> None:
    """One finding, for the person we mailed, though another address or none is named."""
    for report in map(as_ours, complaints()):
        if len(report.findings) == 1 and report.original:
            identity = identify(report)
            assert (identity.recipient, identity.trust) == (ANN, Trust.SIGNED)
