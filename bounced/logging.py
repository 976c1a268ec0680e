"""One log for everything: key=value on a terminal, JSON lines elsewhere; libraries' records look the same.

A line says mailbox, reader, rule, outcome, milliseconds. Addresses and diagnostics appear at level debug only.
"""

import logging
import sys
from contextlib import suppress
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bounced.config import Log
from bounced.terminal import visible

#: Loggers of libraries that say more at `info` than an operator wants to read.
_CHATTY = ("apscheduler", "alembic", "httpx2", "httpcore2", "imapclient", "uvicorn", "pebble", "google", "msal")


def configure(settings: Log, stream: TextIO | None = None) -> None:
    """Send every log line to `stream` (standard error) in the form that `settings` name. May be called again."""
    stream = stream or sys.stderr
    console = settings.format == "console" or (settings.format == "auto" and stream.isatty())
    rendered = _rendered(console, colors=stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(rendered))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.NOTSET if settings.level == "debug" else logging.WARNING)
    structlog.configure(  # straight to the stream: a record of the standard library costs more than the line itself
        processors=[structlog.contextvars.merge_contextvars, *_shared(), *rendered],
        logger_factory=lambda name="bounced": _Out(stream, name),
        wrapper_class=structlog.make_filtering_bound_logger(settings.level),
        cache_logger_on_first_use=False,
    )


class _Out(structlog.WriteLogger):
    """Writes lines of ours. One that cannot be written is lost, and stops nothing."""

    def __init__(self, stream: TextIO, name: str) -> None:
        super().__init__(stream)
        self.name = name

    def msg(self, message: str) -> None:
        """Write a line."""
        with suppress(OSError, ValueError):
            super().msg(message)

    log = debug = info = warn = warning = error = exception = critical = fatal = failure = err = msg


def _shared() -> list[Processor]:
    """Return what happens to our own lines and to those of libraries alike."""
    return [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _harmless,
    ]


def _rendered(console: bool, colors: bool) -> list[Processor]:
    """Return what makes a line out of an event."""
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer()
    )
    return [structlog.processors.format_exc_info, _harmless_traceback, renderer]


def _formatter(rendered: list[Processor]) -> logging.Formatter:
    """Return what makes a line out of a library's record."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared(), structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
    )


def _harmless(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Write out control and bidirectional characters in every text: no line can be forged, no terminal driven."""
    return {key: visible(value) if isinstance(value, str) else value for key, value in event.items()}


def _harmless_traceback(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Do the same for a traceback, line by line: an exception's text may quote a mail."""
    if isinstance(text := event.get("exception"), str):
        event["exception"] = "\n".join(visible(line) for line in text.split("\n"))
    return event
