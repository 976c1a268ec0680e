"""`bounced evidence`: tell what you know of addresses that take mail."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from bounced.address import normalise
from bounced.cli.ledger import actor, address, ledger, moment
from bounced.cli.options import ConfigOption
from bounced.cli.render import Format, counted, progress
from bounced.errors import ConfigError
from bounced.model import Change, Move, Sign, SignOfLife

#: So far may another clock be ahead.
_SKEW = timedelta(minutes=5)
_AT_ONCE = 1_000
_SHOWN = 20

app = typer.Typer(
    no_args_is_help=True, help="Tell of deliveries, opens, clicks and logins: proof that an address lives."
)


@app.command()
def add(
    asked: Annotated[str, typer.Argument(metavar="ADDRESS")],
    kind: Annotated[Sign, typer.Option(help="How you know.")],
    at: Annotated[str | None, typer.Option(help="A date, an ISO time, or an age such as 2h; else now.")] = None,
    source: Annotated[str | None, typer.Option(help="Who knows; else you.")] = None,
    config: ConfigOption = None,
) -> None:
    """Tell that an address took mail, or its owner was there."""
    now = datetime.now(UTC)
    when = moment(at) or now
    if when > now + _SKEW:
        raise typer.BadParameter(f"--at {at}: is in the future; nobody can have seen it yet")
    changes = _commit([[SignOfLife(address(asked), kind, when, source or actor())]], config)
    typer.echo(f"{address(asked)}: {_told(changes)}")


@app.command("import")
def import_(
    file: Annotated[typer.FileText, typer.Argument(metavar="FILE", help="JSON lines; - for standard input.")],
    config: ConfigOption = None,
) -> None:
    """Take {"address", "kind", "at", "source"} a line: kind is delivered, open, click or login, at an ISO time.

    Nothing is taken from a file that has a line in error.
    """
    signs = list(_signs(progress(file, Format.TABLE, "lines read")))
    batches = [signs[n : n + _AT_ONCE] for n in range(0, len(signs), _AT_ONCE)]
    changes = _commit(progress(batches, Format.TABLE, f"times {_AT_ONCE:,} committed"), config)
    typer.echo(f"{counted(len(signs), 'sign')} of life: {_told(changes)}")


def _commit(batches: Iterable[Sequence[SignOfLife]], config: Path | None) -> list[Change]:
    from bounced.daemon.wiring import evidence

    with ledger(config) as (settings, store):
        witness = evidence(settings, store)
        return [change for batch in batches for change in witness(batch, datetime.now(UTC))]


def _signs(lines: Iterable[str]) -> Iterator[SignOfLife]:
    """Yield the sign of each line that is not empty. Raises ConfigError that lists the lines that are none."""
    signs, problems = [], []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                signs.append(_sign(line))
            except (ValueError, TypeError, AttributeError) as exc:
                problems.append(f"line {number}: {exc}")
    if problems:
        more = [f"and {counted(len(problems) - _SHOWN, 'line')} more"] if len(problems) > _SHOWN else []
        raise ConfigError([*problems[:_SHOWN], *more])
    yield from signs


def _sign(line: str) -> SignOfLife:
    """Return the sign of a line. Raises ValueError, or TypeError or AttributeError for values of the wrong kind."""
    given = json.loads(line)
    normal = normalise(given.get("address") or "")
    if normal is None:
        raise ValueError(f"{given.get('address')!r} is no mail address")
    now = datetime.now(UTC)
    at = datetime.fromisoformat(given["at"]) if given.get("at") else now
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if at > now + _SKEW:
        raise ValueError(f"at {given['at']}: is in the future; nobody can have seen it yet")
    return SignOfLife(normal, Sign(given.get("kind")), at, _source(given))


def _source(given: dict[str, object]) -> str:
    return str(given.get("source") or actor())


def _told(changes: Sequence[Change]) -> str:
    moves = [change.move for change in changes]
    return f"{counted(moves.count(Move.RELEASE), 'suppression')} released, {moves.count(Move.DISPUTE)} disputed"
