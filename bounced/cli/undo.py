"""`bounced suppressions undo` and `redo`: many addresses let go at once after a mistake, and that taken back."""

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bounced.cli.ledger import actor, ledger, moment, scope_name, words
from bounced.cli.options import ConfigOption, FormatOption
from bounced.cli.render import Format, cell, show
from bounced.model import Change, Notification

if TYPE_CHECKING:
    from bounced.store import Amount

_COLUMNS = ("scope", "reason", "provider", "amount")

#: All lines of one undo bear the same time, and the database keeps it to this.
_INSTANT = timedelta(microseconds=1)
_WHICH = "--since, --until, --provider, --reason, --rule, --wave, --scope, --by"
WhyOption = Annotated[str, typer.Option("--why", "-m", help="For whoever asks later.", metavar="TEXT", callback=words)]
DryRunOption = Annotated[bool, typer.Option("--dry-run", "-n", help="Count, and change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needed where nobody can answer.")]


def undo(  # noqa: PLR0913  each parameter is an option of the command line
    why: WhyOption,
    since: Annotated[str | None, typer.Option(help="Suppressed from then on: a date, or an age such as 6h.")] = None,
    until: Annotated[str | None, typer.Option(help="The same; not included.")] = None,
    provider: Annotated[str | None, typer.Option(help="That refused the mail, such as google.")] = None,
    reason: Annotated[str | None, typer.Option()] = None,
    rule: Annotated[str | None, typer.Option(help="That gave the verdict.")] = None,
    wave: Annotated[int | None, typer.Option(help="Addresses of that wave.")] = None,
    scope: Annotated[str | None, typer.Option(callback=scope_name)] = None,
    by: Annotated[str | None, typer.Option(help='Who wrote the entry, such as "import list.csv".')] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    fmt: FormatOption = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """Release every address that was suppressed so: counts first, then the question, then all or none.

    A released address does not come back without newer evidence. Exit status 1 if there is none, or you say no.
    """
    from bounced.store import UndoQuery, Word

    query = UndoQuery(moment(since), moment(until), provider, reason, rule, scope, wave, by)
    if query == UndoQuery():
        raise typer.BadParameter(f"name at least one of {_WHICH}")
    with ledger(config) as (_, store):
        _agree(store.undo_amounts(query), fmt, "Release", dry_run, yes)
        word = Word(actor(), datetime.now(UTC), why)
        released = store.undo(query, word, _tell())
    span = f"--since {word.at.isoformat()} --until {(word.at + _INSTANT).isoformat()}"
    back = f"bounced suppressions redo {span} --why {shlex.quote(f'taken back: {cell(why)}')}"
    typer.echo(f"{released} released; `{back}` would take that back", err=True)


def redo(  # noqa: PLR0913  each parameter is an option of the command line
    why: WhyOption,
    since: Annotated[str, typer.Option(help="Released from then on: a date, or an age such as 6h.")],
    until: Annotated[str | None, typer.Option(help="The same; not included.")] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    fmt: FormatOption = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """Suppress again, as they were, addresses that a person released in that time and nothing happened to since."""
    from bounced.store import Word

    begin, end = moment(since), moment(until) or datetime.now(UTC)
    assert begin is not None  # noqa: S101  the option is required
    with ledger(config) as (_, store):
        _agree(store.redo_amounts(begin, end), fmt, "Suppress", dry_run, yes)
        back = store.redo(begin, end, Word(actor(), datetime.now(UTC), why), _tell())
    typer.echo(f"{back} suppressed again", err=True)


def agreed(question: str, yes: bool) -> bool:
    """Return whether the person at the terminal says yes; without one, `--yes` must have been given."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody can be asked here: say --yes, or look first with --dry-run")
    return typer.confirm(question, err=True)


def _agree(amounts: "Sequence[Amount]", fmt: Format, verb: str, dry_run: bool, yes: bool) -> None:
    """Show what is meant, and end the command unless it is to be done."""
    show(map(asdict, amounts), fmt, _COLUMNS)
    total = sum(amount.amount for amount in amounts)
    if dry_run:
        raise typer.Exit(0 if total else 1)
    if not total or not agreed(f"{verb} {total} addresses?", yes):
        raise typer.Exit(1)


def _tell() -> Callable[[Sequence[Change]], Sequence[Notification]]:
    from bounced.daemon.wiring import told

    return told
