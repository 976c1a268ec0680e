"""Reports of failure: each sample under tests/samples says beside it what must be found, and by which reader."""

from pathlib import Path

import pytest
import yaml

from bounced.config import Limits
from bounced.model import Kind, Place, RawMessage, Report
from bounced.readers import READERS, read

SAMPLES = Path(__file__).parent.parent / "samples"
DIALECTS = (
    "amazon_ses", "aol", "domino", "exchange", "exim", "free_text", "groupwise", "list_manager", "nobody",
    "postfix_session", "qmail",
    "rfc3464", "sendmail", "status_in_text", "unnamed",
)  # fmt: skip
PATHS = [path for dialect in DIALECTS for path in sorted((SAMPLES / dialect).glob("*.eml"))]
samples = pytest.mark.parametrize("path", PATHS, ids=lambda p: f"{p.parent.name}/{p.stem}")


def read_bytes(content: bytes) -> Report:
    return read(RawMessage(Place("test", "INBOX", 1, 1), content, len(content)), Limits())


def told(path: Path) -> dict[str, object]:
    found = yaml.safe_load(path.with_suffix(".yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


@samples
def test_a_sample_is_read_as_told(path: Path) -> None:
    """Reader, kind, each recipient with what is said of it, and the Message-ID of what was returned."""
    wanted, report = told(path), read_bytes(path.read_bytes())

    assert (report.reader, report.kind) == (wanted["reader"] or "none", wanted["kind"])
    findings = wanted["findings"]
    assert isinstance(findings, list)
    assert [finding.recipient for finding in report.findings] == [f["recipient"] for f in findings]
    for finding, want in zip(report.findings, findings, strict=True):
        said = want.pop("said", "")
        assert {name: getattr(finding, name) for name in want} == want
        assert said in (finding.text or "")
    original = wanted.get("original")
    if isinstance(original, dict):
        assert report.original is not None
        assert {name: report.original.first(name) for name in original} == original


@samples
@pytest.mark.parametrize("end", [b"\r\n", b"\r"], ids=["CRLF", "CR"])
def test_line_ends_change_nothing(path: Path, end: bytes) -> None:
    """LF, CRLF and bare CR give the same report."""
    content = path.read_bytes()

    assert read_bytes(content.replace(b"\n", end)) == read_bytes(content)


@samples
def test_a_sample_cut_anywhere_is_still_read(path: Path) -> None:
    """A mail that lost its end raises nothing and names nobody whom the mail does not name."""
    content = path.read_bytes()
    for size in range(0, len(content), max(1, len(content) // 60)):
        for finding in read_bytes(content[:size]).findings:
            assert (finding.recipient or "")[:3].lower() in content.decode("utf-8").lower()


def test_the_returned_original_says_nothing_about_its_own_delivery() -> None:
    """Every returned original of the samples quotes `user unknown` and `550 5.1.1`; no mail is judged by that."""
    content = (SAMPLES / "qmail" / "within_a_gateway_mail.eml").read_bytes()

    assert b"550 5.1.1 roses" in content
    assert [finding.reply_code for finding in read_bytes(content).findings] == [None]


def test_every_reader_has_a_sample() -> None:
    """A dialect without a sample is a claim without proof; flufl.bounce speaks only where no other does."""
    claimed = {str(told(path).get("reader")) for path in SAMPLES.glob("*/*.eml")}

    assert {reader.name for reader in READERS} - {"flufl"} <= claimed


def test_people_are_left_alone() -> None:
    """Mail that only talks about bounces is no report."""
    for path in (SAMPLES / "nobody").glob("*.eml"):
        assert read_bytes(path.read_bytes()).kind is Kind.OTHER
