"""`bounced waves` and `bounced alarms`: what went wrong at one provider at once, and a person's word on it."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bounced.cli.ledger import actor, ledger
from bounced.cli.options import ConfigOption, FormatOption
from bounced.cli.render import Format, Row, cell, show
from bounced.model import Change, Move, Wave, WaveState

if TYPE_CHECKING:
    from bounced.store import Store

_WAVES = ("id", "provider", "reason", "state", "since", "closed_at", "held", "why")
_MEMBERS = ("address", "first_at", "last_at", "event_id")
_ALARMS = ("id", "provider", "reason", "fault", "raised_at", "cleared_at", "amount", "hours", "ceiling")

app = typer.Typer(no_args_is_help=True, help="Show, release and confirm what was held as too much to be believed.")

NumberArgument = Annotated[int, typer.Argument(metavar="WAVE", min=1)]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also those that are settled.")] = False,
    limit: Annotated[int | None, typer.Option(min=1)] = None,
    fmt: FormatOption = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """List waves that are open or wait for your word, newest first; exit status 1 if there is none."""
    with ledger(config) as (_, store):
        rows = list(_rows(store, store.all_waves(unsettled=not everything, limit=limit)))
    show(rows, fmt, _WAVES)
    raise typer.Exit(0 if rows else 1)


@app.command("show")
def show_(
    number: NumberArgument,
    fmt: FormatOption = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """Tell of a wave, and list the addresses that it holds."""
    with ledger(config) as (_, store):
        wave = _wave(store, number)
        (row,) = _rows(store, [wave])
        if fmt is Format.TABLE:
            for name, value in row.items():
                typer.echo(f"{name:10}  {cell(value)}")
        show((asdict(member) for member in store.held(number)), fmt, _MEMBERS)


@app.command()
def release(number: NumberArgument, yes: YesOption = False, config: ConfigOption = None) -> None:
    """Say that the addresses live: none of these reports ever counts."""
    _conclude(number, WaveState.RELEASED, yes, config)


@app.command()
def confirm(number: NumberArgument, yes: YesOption = False, config: ConfigOption = None) -> None:
    """Say that the addresses are dead: the reports count, and suppress as they would have."""
    _conclude(number, WaveState.CONFIRMED, yes, config)


def alarms(
    everything: Annotated[bool, typer.Option("--all", help="Also those that were cleared.")] = False,
    limit: Annotated[int | None, typer.Option(min=1)] = None,
    fmt: FormatOption = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """List where your mail is refused by your own fault or the message's, newest first, and whether the canary is
    missed; exit status 1 if all is well."""
    with ledger(config) as (_, store):
        found = [asdict(alarm) for alarm in store.all_alarms(standing=not everything, limit=limit)]
        lost = [alarm for alarm in store.canary_alarms() if everything or alarm.cleared_at is None]
    found += [{**asdict(alarm), "id": f"canary {alarm.id}", "reason": "canary_lost"} for alarm in lost]
    show(found[:limit], fmt, _ALARMS)
    raise typer.Exit(0 if found else 1)


def _conclude(number: int, state: WaveState, yes: bool, config: Path | None) -> None:
    from bounced.daemon.wiring import stages
    from bounced.watching import conclude

    with ledger(config) as (settings, store):
        wave = _wave(store, number)
        held = store.held_amounts([number]).get(number, 0)
        verb = "suppress" if state is WaveState.CONFIRMED else "release"
        if not yes:
            typer.confirm(f"{wave.name}: {wave.reason} at {cell(wave.provider)}. {verb} {held} addresses?", abort=True)
        changes = conclude(wave, state, actor(), stages(settings, store), datetime.now(UTC))
    typer.echo(f"{wave.name} is {state}: {_counted(changes)}")


def _counted(changes: Iterable[Change]) -> str:
    moves = [change.move for change in changes]
    return f"{moves.count(Move.SUPPRESS)} entries written, {moves.count(Move.RELEASE)} released"


def _wave(store: "Store", number: int) -> Wave:
    wave = store.wave(number)
    if wave is None:
        typer.echo(f"there is no wave {number}", err=True)
        raise typer.Exit(1)
    return wave


def _rows(store: "Store", waves: list[Wave]) -> Iterator[Row]:
    held = store.held_amounts([wave.id for wave in waves])
    for wave in waves:
        yield {**asdict(wave), "held": held.get(wave.id, 0)}
