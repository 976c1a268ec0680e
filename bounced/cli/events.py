"""`bounced events`: what was recorded, newest first."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from typing import Annotated, Final

import typer

from bounced.address import normalise_domain
from bounced.cli.ledger import address, ledger, moment
from bounced.cli.options import ConfigOption, FormatOption
from bounced.cli.render import Format, Row, show
from bounced.model import Category, Event, Fault, Kind, Reason, Trust

COLUMNS = ("at", "id", "kind", "address", "category", "reason", "fault", "provider", "rule", "decision")
#: Events that are written at once.
_STEP: Final = 1_000


def events(  # noqa: PLR0913  each parameter is an option of the command line
    since: Annotated[str | None, typer.Option(help="A date, or an age such as 7d or 12h.")] = None,
    until: Annotated[str | None, typer.Option(help="The same; not included.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only hard, soft and complaint.")] = False,
    kind: Annotated[Kind | None, typer.Option()] = None,
    category: Annotated[Category | None, typer.Option()] = None,
    reason: Annotated[Reason | None, typer.Option()] = None,
    fault: Annotated[Fault | None, typer.Option()] = None,
    trust: Annotated[Trust | None, typer.Option()] = None,
    about: Annotated[str | None, typer.Option("--address", metavar="ADDRESS")] = None,
    begins: Annotated[str | None, typer.Option(help="How an address begins.", metavar="TEXT")] = None,
    domain: Annotated[str | None, typer.Option(help="Of the address.")] = None,
    campaign: Annotated[str | None, typer.Option()] = None,
    list_: Annotated[str | None, typer.Option("--list")] = None,
    tag: Annotated[str | None, typer.Option(help="One of the categories that the sender gave the mail.")] = None,
    provider: Annotated[str | None, typer.Option()] = None,
    rule: Annotated[str | None, typer.Option(help="That gave the verdict.")] = None,
    mailbox: Annotated[str | None, typer.Option()] = None,
    superseded: Annotated[bool, typer.Option("--superseded", help="Also what a later judgement replaced.")] = False,
    oldest: Annotated[bool, typer.Option("--oldest", help="The oldest first.")] = False,
    limit: Annotated[int, typer.Option(help="0: all.", min=0)] = 50,
    fmt: FormatOption = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """List what came in and what it was taken for, newest first. CSV has every column, as over HTTP."""
    from bounced.store import EventQuery

    begin, end = moment(since), moment(until)
    if begin and end and begin >= end:
        raise typer.BadParameter(f"--since {since} is not before --until {until}")
    query = EventQuery(
        since=begin,
        until=end,
        failed=failed,
        kind=kind,
        category=category,
        reason=reason,
        fault=fault,
        trust=trust,
        address=address(about) if about else None,
        begins=begins.lower() if begins else None,
        domain=_domain(domain) if domain else None,
        campaign=campaign,
        list=list_,
        tag=tag,
        provider=provider,
        rule=rule,
        mailbox=mailbox,
        superseded=superseded,
        oldest=oldest,
        limit=limit or None,
    )
    with ledger(config) as (_, store):
        if fmt is Format.CSV:
            _write_csv(store.events(query))
        else:
            show(rows(store.events(query)), fmt, COLUMNS)


def _write_csv(found: Iterator[Event]) -> None:
    from bounced.serve.exported import Form
    from bounced.serve.sheets import EVENTS

    sys.stdout.write(EVENTS.head(Form.CSV))
    while some := list(islice(found, _STEP)):
        sys.stdout.write(EVENTS.lines(Form.CSV, some))


def _domain(text: str) -> str:
    normal = normalise_domain(text)
    if normal is None:
        raise typer.BadParameter(f"{text!r} is no domain")
    return normal


def rows(found: Iterable[Event]) -> Iterator[Row]:
    """Yield each event as an object; the key, which says nothing to a person, is left out."""
    for event in found:
        row = asdict(event)
        del row["key"]
        yield row
