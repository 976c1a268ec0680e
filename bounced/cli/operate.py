"""`bounced run`, `serve`, `poll`, `config check`, `doctor`, `db`: what an operator does with the program itself."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from bounced import logging
from bounced.cli.options import ConfigOption, FormatOption, config_path, configuration
from bounced.cli.render import Format, Row, show
from bounced.config import Config
from bounced.errors import ConfigError
from bounced.model import Disposition

config_app = typer.Typer(no_args_is_help=True, help="Look at the configuration.")
db_app = typer.Typer(no_args_is_help=True, help="Look after the database.")

_POLL_COLUMNS = ("mailbox", *Disposition, "problem")
_CHECK_COLUMNS = ("ok", "what", "found")


def run(config: ConfigOption = None) -> None:
    """Run the daemon in the foreground. SIGTERM ends it after the batch, SIGHUP reloads configuration and rules."""
    from bounced.daemon.main import run as run_daemon

    configuration(config)
    path = config_path(config)
    raise typer.Exit(run_daemon(path) if path else 2)


def serve(config: ConfigOption = None) -> None:
    """Answer over HTTP and do nothing else: for a host, or a process, beside the one that polls. Ended like `run`."""
    from bounced.daemon.main import run as run_daemon

    configuration(config)
    path = config_path(config)
    raise typer.Exit(run_daemon(path, works=False) if path else 2)


def poll(  # noqa: PLR0913  each parameter is an option of the command line
    names: Annotated[list[str] | None, typer.Argument(metavar="[MAILBOX]…", help="Else all; - reads one mail.")] = None,
    stdin: Annotated[bool, typer.Option("--stdin", help="The same as -: one mail from an MTA's pipe.")] = False,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="MAILDIR", help="With -: where mail goes that is no report, or needs a person."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print problems only.")] = False,
    fmt: FormatOption = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """Poll once: exit status 75 if it must be tried again, else 0."""
    settings = configuration(config)
    log = settings.log.model_copy(update={"level": "warning"})
    logging.configure(log if quiet and settings.log.level in ("debug", "info") else settings.log)
    again = _pipe(settings, keep) if stdin or names == ["-"] else _round(settings, names or [], fmt, quiet)
    raise typer.Exit(75 if again else 0)


def _pipe(settings: Config, keep: Path | None) -> bool:
    """Handle one mail from standard input; True if it must come again."""
    from bounced.daemon.once import take

    if keep is None:
        raise typer.BadParameter("want --keep MAILDIR: a pipe has no place where a person's mail could stay")
    return take(settings, keep) is Disposition.RETRY


def _round(settings: Config, names: list[str], fmt: Format, quiet: bool) -> bool:
    """Poll the mailboxes; True if one of them was down. With `quiet` only those are shown."""
    from bounced.daemon import wiring
    from bounced.daemon.once import poll_once

    rounds = list(poll_once(settings, wiring.sources(settings, names)))
    shown = [r for r in rounds if r.problem or not quiet]
    if shown or not quiet:
        show(({"mailbox": r.mailbox, **_by_name(r.ended), "problem": r.problem} for r in shown), fmt, _POLL_COLUMNS)
    return any(r.problem for r in rounds)


def _by_name(ended: Mapping[Disposition, int]) -> dict[str, int]:
    return {each.value: ended.get(each, 0) for each in Disposition}


@config_app.command("check")
def config_check(config: ConfigOption = None) -> None:
    """Say whether the configuration, its secrets and the rules can be used: exit status 0 or 2."""
    from bounced.daemon.wiring import problems, rules

    settings = configuration(config)
    found = [f"{config_path(config)}: {problem}" for problem in problems(settings)]
    try:
        rules(settings)
    except ConfigError as exc:
        found += exc.problems
    if found:
        raise ConfigError(found)
    boxes, hooks = len(settings.mailboxes), len(settings.webhooks)
    typer.echo(f"{config_path(config)}: good, with {boxes} mailbox(es) and {hooks} webhook(s)")


@db_app.command()
def upgrade(config: ConfigOption = None) -> None:
    """Make the tables, or bring them up to date; does nothing where they are."""
    from bounced.cli.ledger import ledger

    with ledger(config) as (_, store):
        if store.is_sqlite and not store.file.parent.is_dir():
            raise ConfigError([f"database.url: there is no folder {store.file.parent}: create it, and run this again"])
        store.upgrade()
        typer.echo("the database is up to date")


@db_app.command("check")
def db_check(config: ConfigOption = None) -> None:
    """Say whether the database answers, can be written and is up to date: exit status 0 or 1."""
    from bounced.cli.ledger import ledger

    with ledger(config) as (_, store):
        problems = store.check()
    for problem in problems:
        typer.echo(problem, err=True)
    if not problems:
        typer.echo("the database is well")
    raise typer.Exit(1 if problems else 0)


def doctor(fmt: FormatOption = Format.TABLE, config: ConfigOption = None) -> None:
    """Try configuration, rules, database, each mailbox and each endpoint; exit status 1 if anything is wrong."""
    from bounced.daemon.doctor import examine

    settings = configuration(config)
    failed = False

    def rows() -> Iterator[Row]:
        nonlocal failed
        for found in examine(settings):
            failed = failed or found.ok is False
            yield {"ok": {True: "ok", False: "WRONG", None: "note"}[found.ok], "what": found.what, "found": found.text}

    show(rows(), fmt, _CHECK_COLUMNS)
    raise typer.Exit(1 if failed else 0)
