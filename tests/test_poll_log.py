"""What the log says of each message: one line for whatever was filed, none for what stays where it was."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from bounced.config import Config, parse
from bounced.daemon import wiring
from bounced.daemon.judging import Judges, Notes
from bounced.daemon.polling import log_outcomes
from bounced.model import Place, RawMessage
from bounced.pipeline import Stages, handle

LETTER = b"From: ann@example.org\r\nTo: bounces@example.com\r\nSubject: Hello\r\n\r\nAre you there?\r\n"
REPORT = (Path(__file__).parent / "samples" / "rfc3464").glob("*.eml")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return parse({"database": {"url": f"sqlite:///{tmp_path}/b.db"}, "limits": {"workers": 1}})


@pytest.fixture
def judges(config: Config) -> Iterator[Judges]:
    with closing(Judges(config)) as judges:
        yield judges


@pytest.fixture
def stages(config: Config) -> Iterator[Stages]:
    with closing(wiring.store(config)) as store:
        store.upgrade()
        yield wiring.stages(config, store)


def test_a_report_that_comes_again_is_told_of_and_a_letter_is_not(judges: Judges, stages: Stages) -> None:
    """Also where it comes long after the first: it is moved, and whoever watches looks for where it went."""
    report = sorted(REPORT)[0].read_bytes()
    told = [
        told_of(judges, stages, 2 * round_ + n, mail) for round_ in (0, 1) for n, mail in ((1, report), (2, LETTER))
    ]

    assert [(line["log_level"], line["outcome"], line["why"]) for line in told] == [
        ("info", "processed", None),
        ("info", "left", None),
        ("info", "processed", "seen before"),
        ("debug", "left", "seen before"),
    ]


def told_of(judges: Judges, stages: Stages, uid: int, mail: bytes) -> structlog.typing.EventDict:
    """Return the line about a mail that comes in a batch of its own."""
    raw = RawMessage(Place("returns", "INBOX", 1, uid), mail, len(mail))
    notes = Notes(judges, stages)
    with structlog.testing.capture_logs() as lines:
        log_outcomes("returns", handle([raw], notes.stages, datetime.now(UTC)), notes)
    (line,) = (each for each in lines if each["event"] == "message")
    return dict(line)
