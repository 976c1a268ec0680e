"""Judging for the commands: in time, in order, in this process or in others."""

import time
from collections.abc import Iterator

import pytest

from bounced.cli import judging
from bounced.config import Config, Limits
from bounced.model import Judged, Place, RawMessage, Report
from bounced.pipeline import Failure, Reading

MAIL = b"From: MAILER-DAEMON@mx.example.org\nSubject: failure notice\n\n<ann@example.net>:\n550 5.1.1 no such user\n"


def named(count: int) -> Iterator[tuple[str, RawMessage]]:
    for number in range(count):
        yield f"{number}.eml", RawMessage(Place("files", "", 0, number), MAIL, len(MAIL))


def test_a_message_that_overruns_its_time_is_stopped() -> None:
    """What works without end is ended, even where it catches every exception; the failure names the limit."""

    def endless(raw: RawMessage) -> Report:
        while True:
            try:
                sum(range(1000))
            except Exception:
                continue

    stages = Reading(read=endless, classify=lambda report: (), correlate=None)  # type: ignore[arg-type]
    (_, raw), *_ = named(1)
    began = time.monotonic()

    found = judging._in_time(stages, raw, 0.2)

    assert isinstance(found, Failure)
    assert "0.2 s" in found.why and "limits.seconds" in found.why
    assert time.monotonic() - began < 5


def test_many_messages_are_shared_out_and_come_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first in this process, the others in batches in other processes: one result for each all the same."""
    monkeypatch.setattr(judging, "_FEW", 3)
    monkeypatch.setattr(judging, "_BATCH", 4)

    found = list(judging.judged(named(12), Config(limits=Limits(workers=1))))

    assert [name for name, _ in found] == [f"{number}.eml" for number in range(12)]
    assert all(isinstance(one, Judged) and one.report.findings[0].recipient == "ann@example.net" for _, one in found)
