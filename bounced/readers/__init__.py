"""bytes -> Report: one module a dialect, found by walking this folder; the order in which they are asked; `read`.

A dialect is a module whose name has no leading underscore and that ends in `READER`. Nothing is registered anywhere.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum

from bounced.config import Limits
from bounced.errors import Unreadable
from bounced.model import Kind, RawMessage, Report
from bounced.readers._message import Message, parse
from bounced.readers._nested import MAX_DEPTH, inner_report
from bounced.readers._signs import is_automatic_sender, is_forwarded


class Rank(IntEnum):
    """Who is asked first: the standard before folklore, the sure sign before the wording."""

    FEEDBACK = 10  # a feedback machine part: a complaint quotes anything, also bounces
    OWN_FORMAT = 20  # a machine form of one maker, surer than the standard part beside it
    STANDARD = 30  # RFC 3464, RFC 8098
    SIGNED_FORMAT = 40  # a header or a first line that only this maker writes
    PROSE = 50  # known by its wording
    RESPONDER = 55  # a header by which an automatic reply declares itself, from nobody who reports failures
    FREE_TEXT = 60  # any text from a mail system that names an address and why it failed
    NOT_A_FAILURE = 70  # header signs of automatic mail: calendar, vacation
    LIBRARY = 80  # flufl.bounce, slow
    PHRASES = 90  # what only the wording of a person's or a responder's text tells
    UNNAMED = 95  # a report of which no more can be said than that it is one


@dataclass(frozen=True, slots=True)
class Reader:
    """`read` answers a Report or None, and never raises, whatever the mail."""

    name: str
    rank: Rank
    read: Callable[[Message], Report | None]


def _found() -> tuple[Reader, ...]:
    """Return the READER of every dialect in the folder by rank, then by name. A missing or doubled one is a bug."""
    readers: dict[str, Reader] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith("_"):
            continue
        reader = getattr(importlib.import_module(f"{__name__}.{module.name}"), "READER", None)
        if not isinstance(reader, Reader):
            raise TypeError(f"bounced/readers/{module.name}.py: has no READER")
        if reader.name in readers:
            raise TypeError(f"bounced/readers/{module.name}.py: the name {reader.name} is used twice")
        readers[reader.name] = reader
    return tuple(sorted(readers.values(), key=lambda reader: (reader.rank, reader.name)))


def read(raw: RawMessage, limits: Limits) -> Report:
    """Return what the mail claims; a mail that no reader knows is of kind `other`.

    Of a mail that was larger than the limit the first octets speak: a report says what it is about before it
    returns the original. Raises Unreadable, and nothing else, where a limit forbids reading.
    """
    report = read_message(parse(raw.content, limits))
    if not raw.truncated:
        return report
    note = f"only the first {len(raw.content)} of {raw.size} octets were read (limits.message_bytes)"
    return replace(report, notes=(*report.notes, note))


def read_message(message: Message, depth: int = 1) -> Report:
    """Return what the first reader that knows the mail says of it, or of the report within it.

    A report that passed a gateway or a person lies within another mail; it is looked for only where the outer mail
    names nobody (RFC 6522 section 1). Raises Unreadable.
    """
    for reader in READERS:
        report = reader.read(message)
        if report is not None:
            break
    else:
        report = Report(Kind.OTHER, "none")
    if report.puzzled or report.reader == "none":
        report = _within(message, depth) or report
    return _complete(report, message)


def _within(message: Message, depth: int) -> Report | None:
    content = inner_report(message) if depth < MAX_DEPTH else None
    if content is None:
        return None
    inner = read_message(parse(content, message.limits), depth + 1)
    if inner.kind not in (Kind.BOUNCE, Kind.DELAYED, Kind.DELIVERED):
        return None
    return replace(inner, forwarded=not is_automatic_sender(message))


def _complete(report: Report, message: Message) -> Report:
    """Return the report with the envelope and the original that readers need not fill in. Raises Unreadable."""
    if len(report.findings) > message.limits.recipients:
        said = f"{len(report.findings)} recipients, more than {message.limits.recipients} (limits.recipients)"
        raise Unreadable(said)
    return Report(  # written out: `dataclasses.replace` takes as long as some readers
        kind=report.kind,
        reader=report.reader,
        findings=report.findings,
        original=report.original or message.original(),
        envelope=message.envelope(),
        feedback=report.feedback,
        subtype=report.subtype,
        envelope_id=report.envelope_id,
        reporting_mta=report.reporting_mta,
        arrival_date=report.arrival_date,
        forwarded=report.forwarded or is_forwarded(message),
        puzzled=report.puzzled,
        notes=report.notes,
    )


READERS: tuple[Reader, ...] = _found()
