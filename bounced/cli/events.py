"""`bounced events`: what was recorded, newest first."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from bounced.cli.ledger import address, ledger, moment
from bounced.cli.options import ConfigOption, FormatOption
from bounced.cli.render import Format, Row, show
from bounced.model import Category, Event, Kind, Reason

COLUMNS = ("at", "id", "kind", "address", "category", "reason", "fault", "provider", "rule", "decision")


def events(  # noqa: PLR0913  each parameter is an option of the command line
    since: Annotated[str | None, typer.Option(help="A date, or an age such as 7d or 12h.")] = None,
    until: Annotated[str | None, typer.Option(help="The same; not included.")] = None,
    kind: Annotated[Kind | None, typer.Option()] = None,
    category: Annotated[Category | None, typer.Option()] = None,
    reason: Annotated[Reason | None, typer.Option()] = None,
    about: Annotated[str | None, typer.Option("--address", metavar="ADDRESS")] = None,
    campaign: Annotated[str | None, typer.Option()] = None,
    list_: Annotated[str | None, typer.Option("--list")] = None,
    provider: Annotated[str | None, typer.Option()] = None,
    mailbox: Annotated[str | None, typer.Option()] = None,
    limit: Annotated[int, typer.Option(help="0: all.", min=0)] = 50,
    fmt: FormatOption = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """List what came in and what it was taken for, newest first."""
    from bounced.store import EventQuery

    query = EventQuery(
        since=moment(since),
        until=moment(until),
        kind=kind,
        category=category,
        reason=reason,
        address=address(about) if about else None,
        campaign=campaign,
        list=list_,
        provider=provider,
        mailbox=mailbox,
        limit=limit or None,
    )
    with ledger(config) as (_, store):
        show(rows(store.events(query)), fmt, COLUMNS)


def rows(found: Iterable[Event]) -> Iterator[Row]:
    """Yield each event as an object; the key, which says nothing to a person, is left out."""
    for event in found:
        row = asdict(event)
        del row["key"]
        yield row
