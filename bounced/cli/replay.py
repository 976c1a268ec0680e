"""`bounced replay`: what the present rules, or others, would say of past reports."""

import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bounced.cli.ledger import ledger, moment
from bounced.cli.options import ConfigOption, FormatOption
from bounced.cli.render import Format, Row, show
from bounced.cli.undo import YesOption, agreed
from bounced.model import Kept

if TYPE_CHECKING:
    from bounced.daemon.replay import Replayed

_COLUMNS = ("what", "before", "now", "amount", "address", "scope")


def replay(  # noqa: PLR0913  each parameter is an option of the command line
    since: Annotated[str, typer.Option(help="Handled from then on: a date, or an age such as 7d.")],
    until: Annotated[str | None, typer.Option(help="The same; not included.")] = None,
    rules: Annotated[Path | None, typer.Option(metavar="DIR", help="Rules to stand for the shipped.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Correct events and suppressions.")] = False,
    why: Annotated[str, typer.Option("--why", "-m", metavar="TEXT", help="For the journal.")] = "",
    yes: YesOption = False,
    fmt: FormatOption = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """Judge past reports again: old verdicts against new, and who would be suppressed or released.

    Reports are kept as long as `evidence.keep_days` says. Exit status 1 if nothing would change, or you say no.
    """
    from bounced.daemon.replay import Replay, Span

    now = datetime.now(UTC)
    span = Span(moment(since) or now, moment(until) or now, rules)
    if rules is not None and not rules.is_dir():
        raise typer.BadParameter(f"{rules}: want a folder of rule files")
    with ledger(config) as (settings, store):
        run = Replay(settings, store, now)
        total = store.kept_amount(span.since, span.until)
        found = run.compare(span, lambda pages: _bar(pages, total))
        show(_rows(found), fmt, _COLUMNS)
        _say(found)
        if not found.different:
            raise typer.Exit(1)
        if apply:
            question = f"Correct {len(found.different)} verdicts?"
            if not agreed(question, yes):
                raise typer.Exit(1)
            by = f"the rules in {rules}" if rules else "the present rules"
            lines = run.apply(found, why or f"judged again by {by}")
            typer.echo(f"{len(found.different)} verdicts corrected, {lines} lines in the journal", err=True)


def _rows(found: "Replayed") -> Iterator[Row]:
    for (before, now), amount in sorted(found.matrix.items(), key=lambda item: (item[0][0] == item[0][1], -item[1])):
        yield {"what": "same" if before == now else "verdict", "before": before, "now": now, "amount": amount}
    for change in found.gained:
        yield _address("gained", change.address, change.scope, "free", f"{change.category} {change.reason}")
    for entry in found.lost:
        yield _address("lost", entry.address, entry.scope, f"{entry.category} {entry.reason}", "free")


def _address(what: str, address: str, scope: str, before: str, now: str) -> Row:
    return {"what": what, "before": before, "now": now, "amount": None, "address": address, "scope": scope}


def _say(found: "Replayed") -> None:
    """Write the sums where they disturb no format."""
    left = [
        f"{found.cut} were cut (evidence.max_bytes)" if found.cut else "",
        f"{found.failed} could not be judged" if found.failed else "",
    ]
    sums = f"{found.messages} reports, {len(found.different)} verdicts differ: "
    sums += f"{len(found.gained)} addresses would be suppressed, {len(found.lost)} would not be"
    typer.echo("; ".join(filter(None, [sums, *left])), err=True)


def _bar(pages: Iterable[list[Kept]], total: int) -> Iterator[list[Kept]]:
    """Yield the pages; on a terminal, show how far it has come."""
    if not sys.stderr.isatty():
        yield from pages
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("judging again", total=total)
        for page in pages:
            yield page
            bar.advance(task, len(page))
