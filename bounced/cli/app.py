"""The tree of commands: which name runs which function."""

from pathlib import Path
from typing import Annotated

import typer

from bounced.cli import classify

app = typer.Typer(
    name="bounced",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def root(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Else $BOUNCED_CONFIG, ./config.yaml, /etc/bounced/config.yaml."),
    ] = None,
) -> None:
    """Read bounces and complaints from your return paths, say why, and keep the list of whom not to mail."""
    ctx.obj = config


app.command("classify")(classify.classify)
