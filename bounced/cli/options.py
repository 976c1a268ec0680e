"""Options that several commands share, and where the configuration is found."""

import os
from pathlib import Path
from typing import Annotated

import typer

from bounced.cli.render import Format
from bounced.config import Config, load
from bounced.errors import ConfigError

_PLACES = (Path("config.yaml"), Path("/etc/bounced/config.yaml"))


def _given_here_or_before(ctx: typer.Context, value: Path | None) -> Path | None:
    before = ctx.find_root().obj
    return value or (before if isinstance(before, Path) else None)


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        callback=_given_here_or_before,
        help="Else $BOUNCED_CONFIG, ./config.yaml, /etc/bounced/config.yaml.",
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How to print it.")]


def config_path(given: Path | None) -> Path | None:
    """Return the configuration file to use; None if there is none at all."""
    named = given or (Path(found) if (found := os.environ.get("BOUNCED_CONFIG")) else None)
    return named or next((place for place in _PLACES if place.is_file()), None)


def configuration(given: Path | None) -> Config:
    """Return the configuration. Raises ConfigError if there is none or it does not check."""
    path = config_path(given)
    if path is None:
        raise ConfigError(["no configuration: name one by --config or $BOUNCED_CONFIG, or write ./config.yaml"])
    return load(path)


def configuration_if_any(given: Path | None) -> Config:
    """Return the configuration, or the defaults where there is no file: enough for what needs no mailbox."""
    path = config_path(given)
    return load(path) if path else Config()
