"""Complaints and mails that report no failure: each sample says beside it what must be found."""

from pathlib import Path

import pytest
import yaml

from bounced.config import Limits
from bounced.model import Place, RawMessage, Report
from bounced.readers import read

SAMPLES = Path(__file__).parent.parent / "samples"
DIALECTS = (
    "arf", "auto_reply", "calendar", "challenge", "closed_mailbox", "dmarc", "jmrp",
    "mdn", "people", "ses_complaint", "ticket",
    "unsubscribe", "xarf",
)  # fmt: skip


def samples() -> list[Path]:
    return [path for dialect in DIALECTS for path in sorted((SAMPLES / dialect).glob("*.eml"))]


def read_bytes(content: bytes) -> Report:
    return read(RawMessage(Place("test", "INBOX", 1, 1), content, len(content)), Limits())


def picked(thing: object, wanted: dict[str, object]) -> dict[str, object]:
    """Return those attributes of `thing` that are wanted, in the plain types of YAML."""
    found = {name: getattr(thing, name) for name in wanted}
    return {
        k: list(v) if isinstance(v, tuple) else v if v is None or isinstance(v, bool | int) else str(v)
        for k, v in found.items()
    }


def assert_as_told(report: Report, told: dict[str, object]) -> None:
    """Compare a report with what stands beside its sample; what is not named there is free."""
    wanted = dict(told)
    if "reader" in wanted:
        wanted["reader"] = wanted["reader"] or "none"
    findings, feedback, original = (wanted.pop(name, None) for name in ("findings", "feedback", "original"))
    assert picked(report, wanted) == wanted
    if isinstance(findings, list):
        assert [picked(f, w) for f, w in zip(report.findings, findings, strict=True)] == findings
    if isinstance(feedback, dict):
        assert report.feedback is not None
        assert picked(report.feedback, feedback) == feedback
    if isinstance(original, dict):
        assert report.original is not None
        assert {name: report.original.first(name) for name in original} == original


@pytest.mark.parametrize("path", samples(), ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_sample_is_read_as_told(path: Path) -> None:
    """Kind, reader and whatever else its yaml names; `reader: null` where no reader may claim it."""
    assert_as_told(read_bytes(path.read_bytes()), yaml.safe_load(path.with_suffix(".yaml").read_text()))


@pytest.mark.parametrize("path", samples(), ids=lambda p: f"{p.parent.name}/{p.stem}")
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_line_ends_change_nothing(path: Path, end: bytes) -> None:
    """A mail exported by any system reads the same."""
    plain = path.read_bytes().replace(b"\r\n", b"\n")

    assert read_bytes(plain.replace(b"\n", end)) == read_bytes(plain)


def test_every_dialect_has_samples() -> None:
    """A folder that was renamed does not pass for tested."""
    assert {path.parent.name for path in samples()} == set(DIALECTS)
