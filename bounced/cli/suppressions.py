"""`bounced check` and `bounced suppressions`: who is not to be mailed, why, and a person's word against it."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bounced.changing import change
from bounced.cli.ledger import actor, address, ledger, moment, scope_name, words
from bounced.cli.options import ConfigOption, FormatOption
from bounced.cli.render import Format, Row, cell, show
from bounced.errors import ConfigError
from bounced.model import Change, Move, Reason, Suppression

if TYPE_CHECKING:
    from bounced.store import Store

_COLUMNS = ("address", "scope", "category", "reason", "since", "until", "disputed", "why")

#: Those of failures and complaints, and what persons and lists give; an imported list may bring others.
_REASONS = (*sorted(Reason), "manual", "unsubscribe")

app = typer.Typer(no_args_is_help=True, help="List, add and release suppressed addresses.")

ScopeOption = Annotated[str, typer.Option(help="A stream or a list; * is everywhere.", callback=scope_name)]
WhyOption = Annotated[str, typer.Option("--why", "-m", help="For whoever asks later.", metavar="TEXT", callback=words)]


def check(
    asked: Annotated[str, typer.Argument(metavar="ADDRESS")],
    scope: ScopeOption = "*",
    fmt: Annotated[Format | None, typer.Option("--format", "-f", help="Instead of a sentence.")] = None,
    config: ConfigOption = None,
) -> None:
    """Say whether an address is suppressed: exit status 0 and why, if it is; 1 if it may be mailed."""
    normal = address(asked)
    with ledger(config) as (_, store):
        held = store.suppressed([normal], scope).get(normal)
        found = held and replace(held, address=normal)
    if fmt:
        show([_row(found) if found else {"address": normal, "scope": scope, "suppressed": False}], fmt, _COLUMNS)
    else:
        typer.echo(_sentence(found) if found else f"{normal} is not suppressed" + _in(scope))
    raise typer.Exit(0 if found else 1)


@app.command("list")
def list_(  # noqa: PLR0913  each parameter is an option of the command line
    scope: Annotated[str | None, typer.Option(callback=scope_name)] = None,
    category: Annotated[str | None, typer.Option()] = None,
    reason: Annotated[str | None, typer.Option()] = None,
    domain: Annotated[str | None, typer.Option()] = None,
    disputed: Annotated[bool, typer.Option("--disputed", help="Only what positive evidence contradicts.")] = False,
    since: Annotated[str | None, typer.Option(help="A date, or an age such as 7d.")] = None,
    limit: Annotated[int | None, typer.Option(min=1)] = None,
    fmt: FormatOption = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """List who is suppressed now."""
    from bounced.store import SuppressionQuery

    query = SuppressionQuery(
        scope=scope,
        category=category,
        reason=reason,
        domain=domain,
        disputed=disputed,
        since=moment(since),
        holding_at=datetime.now(UTC),
        limit=limit,
    )
    with ledger(config) as (settings, store):
        if domain and settings.privacy.hashed:
            raise ConfigError(["--domain: nobody can tell it, the database keeps hashes for addresses"])
        found = map(_row, store.suppressions(query))
        first = next(found, None)
        if first is None and reason is not None and reason not in _REASONS:
            raise typer.BadParameter(f"no entry has the reason {reason!r}; the words are {', '.join(_REASONS)}")
        show(chain([] if first is None else [first], found), fmt, _COLUMNS)


@app.command()
def add(
    asked: Annotated[str, typer.Argument(metavar="ADDRESS")],
    why: WhyOption,
    scope: ScopeOption = "*",
    days: Annotated[
        float | None, typer.Option(help="For so many days; else without end.", min=0.001, max=36_500)
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Suppress an address by hand. One that is suppressed there for at least as long already stays as it is."""
    from bounced.store import standing

    now = datetime.now(UTC)
    until = now + timedelta(days=days) if days else None
    normal = address(asked)
    with ledger(config) as (_, store):
        held = [entry for entry in _entries(store, normal, now) if entry.holds(now)]
        name = store.name_of(normal)
    if stands := standing(held, scope, until):
        typer.echo(f"it stays as it is: {_sentence(replace(stands, address=normal))}")
        return
    line = Change(name, scope, Move.SUPPRESS, now, "manual", "manual", why, until, actor=actor())
    _commit([line], config, now)
    typer.echo(f"{normal} is suppressed{_in(scope)}" + (f" until {cell(until)}" if until else ""))


@app.command()
def release(
    asked: Annotated[str, typer.Argument(metavar="ADDRESS")],
    why: WhyOption,
    scope: Annotated[
        str | None, typer.Option(help="Only there; else wherever it is suppressed.", callback=scope_name)
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Let an address be mailed again. Its events and its journal stay; exit status 1 if it was not suppressed."""
    now, normal = datetime.now(UTC), address(asked)
    with ledger(config) as (_, store):
        held = [s for s in _entries(store, normal, now) if scope in (None, s.scope)]
    lines = [
        Change(s.address, s.scope, Move.RELEASE, now, s.category, s.reason, why, None, s.event_id, actor())
        for s in held
    ]
    if not lines:
        typer.echo(f"{normal} is not suppressed" + _in(scope or "*"))
        raise typer.Exit(1)
    _commit(lines, config, now)
    typer.echo(f"{normal} may be mailed again (was: {', '.join(f'{s.reason} in {s.scope}' for s in held)})")


def _entries(store: "Store", normal: str, now: datetime) -> tuple[Suppression, ...]:
    """Return what the table holds on an address, in every scope; also what was kept of a person who was forgotten."""
    return (*store.histories([normal], now)[normal].suppressions, *store.entries_of_the_forgotten(normal))


def _commit(lines: list[Change], config: Path | None, now: datetime) -> None:
    from bounced.daemon.wiring import stages

    with ledger(config) as (settings, store):
        change(lines, store, stages(settings, store).compose, now)


def _row(entry: Suppression) -> Row:
    return {**asdict(entry), "suppressed": True}


def _sentence(entry: Suppression) -> str:
    until = f" until {cell(entry.until)}" if entry.until else ""
    head = f"{entry.address} is suppressed{_in(entry.scope)} since {cell(entry.since)}{until}"
    disputed = f"\ndisputed since {cell(entry.disputed)}: the address has shown life" if entry.disputed else ""
    return f"{head}: {cell(entry.reason)}\n{cell(entry.why)} ({cell(entry.actor)}){disputed}"


def _in(scope: str) -> str:
    return "" if scope == "*" else f" in {cell(scope)}"
