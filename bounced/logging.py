"""One log for everything: key=value on a terminal, JSON lines elsewhere; libraries' records go the same way.

A line says mailbox, reader, rule, outcome, milliseconds. Addresses and diagnostics appear at level debug only.
"""

import logging
import sys
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
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(console, colors=stream.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.NOTSET if settings.level == "debug" else logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _shared() -> list[Processor]:
    """Return what happens to our own lines and to those of libraries alike."""
    return [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _harmless,
    ]


def _formatter(console: bool, colors: bool) -> logging.Formatter:
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer()
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared(), structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _harmless_traceback,
            renderer,
        ],
    )


def _harmless(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Write out control and bidirectional characters in every text: no line can be forged, no terminal driven."""
    return {key: visible(value) if isinstance(value, str) else value for key, value in event.items()}


def _harmless_traceback(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Do the same for a traceback, line by line: an exception's text may quote a mail."""
    if isinstance(text := event.get("exception"), str):
        event["exception"] = "\n".join(visible(line) for line in text.split("\n"))
    return event
