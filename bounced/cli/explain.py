"""`bounced explain`: the story of a mail, an event or an address, told to a person."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bounced.address import normalise
from bounced.cli.ledger import ledger
from bounced.cli.options import ConfigOption, configuration_if_any
from bounced.cli.render import cell
from bounced.config import Config
from bounced.model import Change, Event, Identity, Judged, Suppression, Verdict
from bounced.pipeline import Failure, Judgement, disposition_of, judge_one

if TYPE_CHECKING:
    from bounced.store import Store

_EVENTS_OF_AN_ADDRESS = 10

Line = tuple[str, object]


def explain(
    what: Annotated[str, typer.Argument(metavar="FILE|EVENT|ADDRESS", help="A mail (- for stdin), ev_…, or a@b.")],
    config: ConfigOption = None,
) -> None:
    """Tell why a mail, an event or an address was taken for what it was."""
    if what == "-" or Path(what).exists():
        lines = _files(Path(what), configuration_if_any(config))
    elif what.startswith("ev_"):
        lines = _event_by_id(what, config)
    elif normal := normalise(what):
        lines = _address(normal, config)
    else:
        raise typer.BadParameter(f"{what!r} is no file, no event (ev_…) and no address")
    for line in lines:
        typer.echo(line)


def _files(path: Path, settings: Config) -> Iterator[str]:
    from bounced.daemon.wiring import messages, reading

    stages = reading(settings)
    for name, raw in messages([path], settings.limits.message_bytes):
        yield cell(name)
        yield from _judgement(judge_one(stages, raw))


def _judgement(judgement: Judgement) -> Iterator[str]:
    if isinstance(judgement, Failure):
        yield f"  cannot be read: {cell(judgement.why)}"
        return
    report = judgement.report
    subtype = f" ({report.subtype})" if report.subtype else ""
    yield from _told(
        "  ",
        ("kind", f"{report.kind}{subtype}"),
        ("read by", report.reader),
        ("subject", report.envelope.subject),
        ("from", report.envelope.from_),
        ("reported by", report.reporting_mta),
        ("feedback", report.feedback.feedback_type if report.feedback else None),
        ("notes", report.notes),
        ("would be filed", disposition_of(judgement)),
    )
    for verdict, identity in judgement.verdicts:
        yield from _verdict(judgement, verdict, identity)


def _verdict(judged: Judged, verdict: Verdict, identity: Identity) -> Iterator[str]:
    finding = verdict.finding
    yield f"  {cell(identity.recipient or finding.recipient) or 'a recipient that is not named'}"
    yield from _told(
        "    ",
        ("verdict", _words(verdict.category, verdict.reason, verdict.fault)),
        ("rule", verdict.rule),
        ("matched", verdict.matched),
        ("rested on", ", ".join(verdict.basis)),
        ("against it", "; ".join(verdict.disagreed)),
        ("status", verdict.status),
        ("reply code", verdict.reply_code),
        ("action", finding.action),
        ("remote host", finding.remote_mta),
        ("provider", verdict.provider),
        ("diagnostic", finding.diagnostic or finding.text),
        ("failed behind", identity.final_recipient),
        ("named by", identity.source),
        ("trust", f"{identity.trust}: {identity.why}"),
        ("message id", identity.message_id),
        ("campaign", identity.tags.campaign),
        ("list", identity.tags.list),
        ("categories", identity.tags.categories),
    )


def _event_by_id(id_: str, config: Path | None) -> Iterator[str]:
    with ledger(config) as (_, store):
        event = store.event(id_)
        if event is None:
            typer.echo(f"there is no event {cell(id_)}", err=True)
            raise typer.Exit(1)
        yield from _event(event)
        if event.address:
            yield from _state(store, event.address)


def _event(event: Event) -> Iterator[str]:
    yield f"{event.id}, recorded {cell(event.at)}"
    yield from _told(
        "  ",
        ("address", event.address),
        ("verdict", _words(event.category, event.reason, event.fault)),
        ("decision", event.decision),
        ("kind", event.kind),
        ("read by", event.reader),
        ("rule", event.rule),
        ("matched", event.matched),
        ("rested on", ", ".join(event.basis)),
        ("against it", "; ".join(event.disagreed)),
        ("status", event.status),
        ("reply code", event.reply_code),
        ("action", event.action),
        ("remote host", event.remote_mta),
        ("reported by", event.reporting_mta),
        ("provider", event.provider),
        ("diagnostic", event.diagnostic),
        ("feedback", event.feedback_type),
        ("failed behind", event.final_recipient),
        ("named by", event.identified_by),
        ("trust", f"{event.trust}: {event.trust_why}"),
        ("message id", event.message_id),
        ("campaign", event.tags.campaign),
        ("list", event.tags.list),
        ("mail", f"{event.place.mailbox}/{event.place.folder} uid {event.place.uid}, dated {cell(event.reported_at)}"),
    )


def _address(normal: str, config: Path | None) -> Iterator[str]:
    from bounced.store import EventQuery

    with ledger(config) as (_, store):
        yield normal
        yield from _state(store, normal)
        found = list(store.events(EventQuery(address=normal, limit=_EVENTS_OF_AN_ADDRESS)))
        for event in found:
            yield from ("  " + line for line in _event(event))
        if not found:
            yield "  nothing was ever reported about it"


def _state(store: "Store", normal: str) -> Iterator[str]:
    """Yield what holds for an address now, and the journal that led there."""
    history = store.histories([normal], datetime.now(UTC))[normal]
    held = [entry for entry in history.suppressions if entry.holds(datetime.now(UTC))]
    yield from map(_entry, held or ())
    if not held:
        yield "  may be mailed"
    yield from map(_journal, store.journal_of(normal))


def _entry(entry: Suppression) -> str:
    until = f", until {cell(entry.until)}" if entry.until else ""
    return f"  suppressed in {cell(entry.scope)} since {cell(entry.since)}{until}: {cell(entry.why)}"


def _journal(line: Change) -> str:
    return f"  journal: {cell(line.at)} {line.move} in {cell(line.scope)} by {cell(line.actor)}: {cell(line.why)}"


def _words(category: object, reason: object, fault: object) -> str:
    if category is None:
        return "nothing failed" if reason is None else f"no failure ({reason})"
    return f"{category}, {reason}; fault: {fault}"


def _told(indent: str, *lines: Line) -> Iterable[str]:
    """Return the lines that have something to say, aligned; what strangers wrote is cut at 500 characters."""
    for name, value in lines:
        text = cell(value)
        if text:
            yield f"{indent}{name + ':':15}{text[:500]}"
