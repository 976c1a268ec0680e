"""`bounced review`: what was read and not understood, by masked wording; and making rules of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bounced.cli.ledger import actor, ledger, moment
from bounced.cli.options import ConfigOption, FormatOption
from bounced.cli.render import Format, Row, cell, show
from bounced.cli.undo import YesOption, agreed
from bounced.model import Cause, Fault, Reason, Trial, Wording
from bounced.terminal import visible

if TYPE_CHECKING:
    from bounced.reviewing import Review

_COLUMNS = ("key", "cause", "amount", "addresses", "providers", "last_at", "text")
_EXAMPLES = ("event_id", "at", "address", "provider", "status", "text")

app = typer.Typer(no_args_is_help=True, help="Show what was not understood, and make rules of it.")

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="As `review list` shows it.")]
SinceOption = Annotated[str, typer.Option(help="What came from then on: a date, or an age such as 7d.")]


@app.command("list")
def list_(  # noqa: PLR0913  each parameter is an option of the command line
    since: SinceOption = "30d",
    cause: Annotated[Cause | None, typer.Option(help="Only for this cause.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what was dismissed or has a rule.")] = False,
    limit: Annotated[int | None, typer.Option(min=1)] = None,
    fmt: FormatOption = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """List what a person should look at, by wording, the most frequent first; exit status 1 if there is nothing."""
    with _review(config) as review:
        found = [each for each in review.wordings(_since(since), everything) if cause in (None, each.cause)][:limit]
    show((_row(each, fmt) for each in found), fmt, _COLUMNS)
    raise typer.Exit(0 if found else 1)


@app.command("show")
def show_(
    key: KeyArgument, since: SinceOption = "30d", fmt: FormatOption = Format.TABLE, config: ConfigOption = None
) -> None:
    """Tell of one wording: its newest reports, and a rule to begin with."""
    with _review(config) as review:
        found = _wording(review, key, since)
        made = review.suggest(found)
        text = review.yaml(made.proposal) if made else None
    if fmt is not Format.TABLE:
        examples = [asdict(each) for each in found.examples]
        show([{**_row(found, fmt), "suggestion": text, "examples": examples}], fmt, _COLUMNS)
        return
    for name, value in _row(found, fmt).items():
        typer.echo(f"{name:10}  {cell(value)}")
    show((asdict(each) for each in found.examples), fmt, _EXAMPLES)
    if text and made:
        typer.echo(f"\nA rule to begin with{f' ({made.guessed})' if made.guessed else ''}:\n\n{text}")


@app.command()
def accept(  # noqa: PLR0913  each parameter is an option of the command line
    key: KeyArgument,
    reason: Annotated[Reason | None, typer.Option(help="What it means; else what is suggested.")] = None,
    text: Annotated[str | None, typer.Option(metavar="PATTERN", help="RE2; else the phrase suggested.")] = None,
    id_: Annotated[str | None, typer.Option("--id", help="Else one made of the phrase.")] = None,
    provider: Annotated[str | None, typer.Option(help="Only at this provider.")] = None,
    fault: Annotated[Fault | None, typer.Option(help="Whose fault, if not what the reason implies.")] = None,
    soft: Annotated[bool | None, typer.Option("--never-hard/--may-be-hard", help="Cap the verdict at soft.")] = None,
    because: Annotated[str | None, typer.Option(metavar="TEXT", help="For whoever asks why.")] = None,
    since: SinceOption = "30d",
    yes: YesOption = False,
    config: ConfigOption = None,
) -> None:
    """Write a rule into the folder of your own rules (`rules.local`), once the whole set holds with it.

    Says first what it would change of the newest reports. Exit status 1 if it is refused, or you say no.
    """
    given = {
        "reason": reason,
        "text": text,
        "id": id_,
        "provider": provider,
        "fault": fault,
        "soft": soft,
        "because": because,
    }
    with _review(config) as review:
        suggested = review.suggest(_wording(review, key, since))
        if suggested is None:
            raise typer.BadParameter("no rule can be made of this wording")
        changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        proposal = replace(suggested.proposal, **changes)
        if proposal.reason is Reason.UNKNOWN:
            raise typer.BadParameter("say by --reason what it means; nothing speaks for one")
        proposal = replace(proposal, host=review.host_of(provider) if provider else None)
        _demand(trial := review.try_out(proposal, _since(since)))
        _tell(trial)
        if not agreed(f"Accept {proposal.id}?", yes):
            raise typer.Exit(1)
        _demand(written := review.accept(key, proposal, actor(), datetime.now(UTC)))
    typer.echo(f"written to {written.file}")
    typer.echo("a daemon that runs takes it up on `systemctl reload bounced`")
    typer.echo("`bounced replay --since 30d` shows what it changes of past reports, `--apply` makes it so")


@app.command()
def dismiss(key: KeyArgument, since: SinceOption = "30d", config: ConfigOption = None) -> None:
    """Ask no more about what came of a wording so far; it is listed again when more comes."""
    with _review(config) as review:
        found = _wording(review, key, since)
        review.dismiss(key, actor(), datetime.now(UTC))
    typer.echo(f"{found.amount} reports dismissed")


@contextmanager
def _review(config: Path | None) -> "Iterator[Review]":
    from bounced.daemon.wiring import rules
    from bounced.reviewing import Review

    with ledger(config) as (settings, store):
        yield Review(store, rules(settings), settings.rules.local)


def _since(text: str) -> datetime:
    return moment(text) or datetime.now(UTC)


def _wording(review: "Review", key: str, since: str) -> Wording:
    found = review.wording(key, _since(since))
    if found is None:
        typer.echo(f"nothing of the key {visible(key)!r} came since {since}", err=True)
        raise typer.Exit(1)
    return found


def _demand(trial: Trial) -> None:
    """End with exit status 1 where a rule cannot be used, and say why."""
    for problem in trial.problems:
        typer.echo(visible(problem), err=True)
    if trial.problems:
        raise typer.Exit(1)


def _tell(trial: Trial) -> None:
    typer.echo(trial.yaml)
    typer.echo(
        f"takes {trial.hits} of the newest {trial.asked} failures, {trial.changes} of them with another verdict",
        err=True,
    )
    for before, after, amount in trial.moves:
        typer.echo(f"  {amount:6}  {before} -> {after}", err=True)


def _row(found: Wording, fmt: Format) -> Row:
    row = {name: value for name, value in asdict(found).items() if name != "examples"}
    return row | {name: _counts(row[name], fmt) for name in ("providers", "statuses", "verdicts")}


def _counts(amounts: Sequence[tuple[str, int]], fmt: Format) -> object:
    if fmt in (Format.JSON, Format.JSONL):
        return dict(amounts)
    return ", ".join(f"{name} {amount}" for name, amount in amounts[:4])
