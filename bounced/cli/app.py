"""The tree of commands: which name runs which function."""

from pathlib import Path
from typing import Annotated

import typer

from bounced import __version__
from bounced.cli import (
    canary,
    classify,
    demo,
    events,
    evidence,
    explain,
    hashing,
    operate,
    privacy,
    replay,
    report,
    review,
    rules,
    sent,
    static_map,
    suppressions,
    tokens,
    transfer,
    undo,
    verp,
    waves,
    webhooks,
)

app = typer.Typer(
    name="bounced",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"bounced {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Else $BOUNCED_CONFIG, ./config.yaml, /etc/bounced/config.yaml."),
    ] = None,
) -> None:
    """Read bounces and complaints from your return paths, say why, and keep the list of whom not to mail."""
    ctx.obj = config


for command in (
    operate.run,
    operate.serve,
    operate.poll,
    demo.demo,
    classify.classify,
    explain.explain,
    suppressions.check,
    events.events,
    report.report,
    waves.alarms,
    replay.replay,
    operate.doctor,
):
    app.command()(command)
suppressions.app.command("import")(transfer.import_)
suppressions.app.command("map")(static_map.map_)
suppressions.app.command()(transfer.export)
suppressions.app.command()(undo.undo)
suppressions.app.command()(undo.redo)
operate.db_app.command()(hashing.pseudonymise)
for name, group in (
    ("suppressions", suppressions.app),
    ("waves", waves.app),
    ("canary", canary.app),
    ("evidence", evidence.app),
    ("webhooks", webhooks.app),
    ("tokens", tokens.app),
    ("rules", rules.app),
    ("review", review.app),
    ("verp", verp.app),
    ("sent", sent.app),
    ("privacy", privacy.app),
    ("config", operate.config_app),
    ("db", operate.db_app),
):
    app.add_typer(group, name=name)
