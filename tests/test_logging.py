"""One log: its two forms, what libraries say in it, and what strangers cannot do to it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bounced.config import Log
from bounced.logging import configure


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_elsewhere_than_on_a_terminal_a_line_is_an_object(stream: io.StringIO) -> None:
    configure(Log(), stream)

    structlog.get_logger("bounced.poll").info("message", mailbox="returns", ms=1.5)

    line = json.loads(stream.getvalue())
    assert (line["event"], line["mailbox"], line["ms"], line["level"]) == ("message", "returns", 1.5, "info")
    assert line["timestamp"].endswith("Z")


def test_on_a_terminal_it_is_key_and_value(stream: io.StringIO) -> None:
    configure(Log(format="console"), stream)

    structlog.get_logger("bounced.poll").info("message", mailbox="returns", rule="full.said")

    assert "mailbox=returns rule=full.said" in stream.getvalue()


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_line_cannot_be_forged(stream: io.StringIO, form: str) -> None:
    """Line breaks, escape sequences and reversed text are written out."""
    configure(Log.model_validate({"format": form}), stream)

    structlog.get_logger("x").info("message", why="a\n2026 fake \x1b[2J \u202e")
    try:
        raise ValueError("\x1b[2J\u202e")
    except ValueError:
        structlog.get_logger("x").exception("failed")

    assert not {"\x1b", "\u202e"} & set(stream.getvalue())
    assert stream.getvalue().splitlines()[0].count("fake") == 1


def test_libraries_speak_in_the_same_form_and_only_when_it_matters(stream: io.StringIO) -> None:
    configure(Log(), stream)

    logging.getLogger("apscheduler.scheduler").info("Added job")
    logging.getLogger("uvicorn.error").info("Started")
    logging.getLogger("apscheduler.executors.default").error("Job raised %s", "KeyError")

    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert (line["event"], line["logger"]) == ("Job raised KeyError", "apscheduler.executors.default")


def test_debug_is_for_debugging(stream: io.StringIO) -> None:
    configure(Log(), stream)
    structlog.get_logger("x").debug("event", address="ann@example.com")
    assert not stream.getvalue()

    configure(Log(level="debug"), stream)
    structlog.get_logger("x").debug("event", address="ann@example.com")
    assert "ann@example.com" in stream.getvalue()


def test_a_line_that_cannot_be_written_stops_nothing(stream: io.StringIO) -> None:
    configure(Log(), stream)
    stream.close()

    structlog.get_logger("bounced.poll").info("message", mailbox="returns")
