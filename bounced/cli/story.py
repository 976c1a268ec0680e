"""The story of an address, or of one event: what holds, what would end it, how it came about, each report."""

import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bounced.cli.ledger import ledger
from bounced.cli.render import cell
from bounced.cli.telling import told, words
from bounced.config import Config
from bounced.daemon.wiring import located
from bounced.model import Category, Change, Event, SignOfLife, Suppression

if TYPE_CHECKING:
    from bounced.store import Store


def of_event(id_: str, raw: bool, config: Path | None) -> Iterator[str]:
    """Yield the lines on one event and its address; with `raw`, the report too. Ends the command if there is none."""
    with ledger(config) as (settings, store):
        event = store.event(id_)
        if event is None:
            typer.echo(f"there is no event {cell(id_)}", err=True)
            raise typer.Exit(1)
        yield from _event(event)
        if file := located(settings, event.place):
            yield from told("  ", ("file", file))
        if event.address:
            yield from _state(settings, store, event.address)
        if raw:
            yield from _report(store, event)


def of_address(normal: str, config: Path | None) -> Iterator[str]:
    """Yield the lines on everything that is known of an address, its reports newest first."""
    from bounced.store import EventQuery

    with ledger(config) as (settings, store):
        yield normal
        yield from _state(settings, store, normal)
        heard = False
        for event in store.events(EventQuery(address=normal, superseded=True)):
            heard = True
            yield from ("  " + line for line in _event(event))
        if not heard:
            yield "  nothing was ever reported about it, or it is not kept any more"


def _event(event: Event) -> Iterator[str]:
    yield f"{event.id}, recorded {cell(event.at)}"
    yield from told(
        "  ",
        ("address", event.address),
        ("verdict", words(event.category, event.reason, event.fault)),
        ("decision", event.decision),
        ("superseded", f"counts no more; see {event.superseded_by}" if event.superseded_by else None),
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
        ("subject", event.subject),
        ("campaign", event.tags.campaign),
        ("list", event.tags.list),
        ("mail", f"{event.place.mailbox}/{event.place.folder} uid {event.place.uid}, dated {cell(event.reported_at)}"),
    )


def _state(settings: Config, store: "Store", normal: str) -> Iterator[str]:
    """Yield what holds for an address now in each scope, what would end it, and the journal that led there."""
    now = datetime.now(UTC)
    history = store.histories([normal], now)[normal]
    forgotten = store.entries_of_the_forgotten(normal)
    held = [entry for entry in (*history.suppressions, *forgotten) if entry.holds(now)]
    for entry in held:
        yield _entry(entry)
        yield from (f"    would be released by {way}" for way in _ways(settings, entry, normal))
    if not held:
        yield "  may be mailed"
    yield from map(_sign, history.signs)
    for name in (normal, *dict.fromkeys(entry.address for entry in forgotten)):
        yield from map(_journal, store.journal_of(name))


def _entry(entry: Suppression) -> str:
    until = f", until {cell(entry.until)}" if entry.until else ", without end"
    disputed = f"; disputed since {cell(entry.disputed)}" if entry.disputed else ""
    under = f" under {cell(entry.address)}" if entry.address.startswith("hmac:") else ""
    return (
        f"  suppressed in {cell(entry.scope)}{under} since {cell(entry.since)}{until}{disputed}: "
        f"{cell(entry.category)}, {cell(entry.why)} ({cell(entry.actor)})"
    )


def _ways(settings: Config, entry: Suppression, normal: str) -> Iterator[str]:
    """Yield each thing that would end an entry, the nearest first."""
    if entry.until:
        yield f"time: it ends by itself on {entry.until:%Y-%m-%d}"
    if entry.category == Category.SOFT:
        yield "proof that the address lives: a report of delivery, or `bounced evidence`"
    elif entry.category == Category.HARD and settings.policy.disputed == "release":
        yield "proof that the address lives, newer than the last report (policy.disputed: release)"
    elif entry.category == Category.HARD:
        yield "nothing but your word: proof that the address lives only makes it disputed (policy.disputed: keep)"
    else:
        yield "nothing but your word"
    scope = "" if entry.scope == "*" else f" --scope {shlex.quote(cell(entry.scope))}"
    whom = shlex.quote(cell(normal)) + scope
    yield f"`bounced suppressions release {whom} --why …`; older evidence counts no more then"


def _sign(sign: SignOfLife) -> str:
    return f"  sign of life: {cell(sign.at)} {sign.kind}" + (f" ({cell(sign.source)})" if sign.source else "")


def _journal(line: Change) -> str:
    cause = f" [{cell(line.category)} {cell(line.reason)}]"
    until = f" until {cell(line.until)}" if line.until else ""
    event = f", event {cell(line.event_id)}" if line.event_id else ""
    return (
        f"  journal: {cell(line.at)} {line.move} in {cell(line.scope)}{until} by {cell(line.actor)}{event}{cause}: "
        f"{cell(line.why)}"
    )


def _report(store: "Store", event: Event) -> Iterator[str]:
    """Yield the report line by line, with whatever could do harm written out."""
    from bounced.keeping import octets

    kept = store.kept(event.digest)
    if kept is None:
        yield "the report is not kept (evidence.keep_days)"
        return
    part = "; it was cut" if kept.cut else ""
    yield f"the report, {kept.size} octets, without the body of the mail that it returns{part}:"
    for line in octets(kept).decode("utf-8", "replace").splitlines():
        yield "| " + cell(line)
