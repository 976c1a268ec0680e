"""`bounced canary`: whether bounces come back, tried with a mail that must bounce."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from bounced.cli.ledger import ledger
from bounced.cli.options import ConfigOption, FormatOption
from bounced.cli.render import Format, Row, show
from bounced.config import Config
from bounced.errors import ConfigError
from bounced.model import Canary, lost

app = typer.Typer(no_args_is_help=True, help="See whether bounces come back at all.")

_COLUMNS = ("sent_at", "recipient", "state", "returned_at", "seconds", "said", "problem")


@app.command()
def send(config: ConfigOption = None) -> None:
    """Send a canary now, whenever the next one is due: exit status 75 if the mail server does not take it."""
    from bounced.daemon.canary import CanarySender

    with ledger(config) as (settings, store):
        if settings.canary is None:
            raise ConfigError(["canary: is not configured"])
        sent = CanarySender(settings.canary, settings, store).send()
    if sent:
        typer.echo(f"sent to {sent.recipient}; its bounce is due by {sent.due_at:%Y-%m-%d %H:%M:%SZ}")


@app.command()
def status(
    limit: Annotated[int, typer.Option(min=1, max=500, help="So many of the latest.")] = 10,
    fmt: FormatOption = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """List the latest canaries, newest first; exit status 1 if one is missed, or none ever came back."""
    now = datetime.now(UTC)
    with ledger(config) as (settings, store):
        found = store.recent_canaries()
        alarm = store.standing_canary_alarm()
    show(_rows(found[:limit], now), fmt, _COLUMNS)
    if fmt is Format.TABLE:
        _tell(settings, alarm.why if alarm else None)
    well = alarm is None and lost(found, now) is None and any(each.returned_at for each in found)
    raise typer.Exit(0 if well else 1)


def _tell(settings: Config, alarm: str | None) -> None:
    if settings.canary is None:
        typer.echo("no canary is configured: none is sent", err=True)
    if alarm:
        typer.echo(f"alarm: {alarm}", err=True)


def _rows(found: list[Canary], now: datetime) -> Iterator[Row]:
    for each in found:
        seconds = round(each.took.total_seconds(), 1) if each.took else None
        yield {**asdict(each), "state": state_of(each, now), "seconds": seconds}


def state_of(each: Canary, now: datetime) -> str:
    """Return how a canary fares, in a word."""
    if each.returned_at:
        return "back"
    if each.problem:
        return "not sent"
    return "missed" if each.due_at <= now else "out"
