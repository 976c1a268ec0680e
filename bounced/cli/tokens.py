"""`bounced tokens`: who may use the HTTP interface, and for what."""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bounced.cli.ledger import actor, ledger
from bounced.cli.options import ConfigOption, FormatOption
from bounced.cli.render import Format, Row, show

if TYPE_CHECKING:
    from bounced.store import Token

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke tokens of the HTTP interface.")

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_COLUMNS = ("name", "id", "scopes", "created_at", "created_by", "last_used_at", "revoked_at")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Of the program that will use it.")]


@app.command()
def create(
    name: NameArgument,
    scope: Annotated[
        list[str], typer.Option(help="check: ask about addresses; read: and list; write: change. May be repeated.")
    ],
    config: ConfigOption = None,
) -> None:
    """Print a new token. It is shown this once: only its digest is kept."""
    from bounced.store import TokenScope
    from bounced.store.tokens import mint

    if not _NAME.fullmatch(name):
        raise typer.BadParameter(f"{name!r}: want up to 64 of A-Z a-z 0-9 . _ -")
    unknown = sorted(set(scope) - set(TokenScope))
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: want {', '.join(TokenScope)}")
    secret, token = mint(name, [TokenScope(each) for each in scope], datetime.now(UTC), actor())
    with ledger(config) as (_, store):
        if not store.add_token(token):
            typer.echo(f"there is a token {name} already: revoke it first, or choose another name", err=True)
            raise typer.Exit(1)
    typer.echo(secret)


@app.command("list")
def list_(
    revoked: Annotated[bool, typer.Option("--revoked", help="Those too that are out of use.")] = False,
    fmt: FormatOption = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """List the tokens, by name, and when each was used last (to the minute)."""
    with ledger(config) as (_, store):
        show(map(_row, store.tokens(revoked)), fmt, _COLUMNS)


@app.command()
def revoke(name: Annotated[str, typer.Argument(metavar="NAME|ID")], config: ConfigOption = None) -> None:
    """Put a token out of use: within seconds nobody can use it any more. Exit status 1 if there is none."""
    with ledger(config) as (_, store):
        gone = store.revoke_token(name, datetime.now(UTC))
    typer.echo(f"{name} is revoked" if gone else f"there is no token {name} in use")
    raise typer.Exit(0 if gone else 1)


def _row(token: "Token") -> Row:
    shown = {column: getattr(token, column) for column in _COLUMNS}
    return shown | {"scopes": sorted(token.scopes)}
