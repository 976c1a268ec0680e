"""`bounced privacy`: what is held on one person, and taking it out."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from bounced.cli.ledger import actor, address, ledger
from bounced.cli.options import ConfigOption
from bounced.cli.render import as_json
from bounced.cli.undo import DryRunOption, WhyOption, YesOption, agreed

app = typer.Typer(no_args_is_help=True, help="Show, or erase, all that is held on one address.")

AddressArgument = Annotated[str, typer.Argument(metavar="ADDRESS")]


@app.command()
def export(asked: AddressArgument, config: ConfigOption = None) -> None:
    """Print all that is held on an address as one JSON object: exit status 1 if nothing is.

    By table; reports as text, as far as they were kept.
    """
    with ledger(config) as (_, store):
        held = store.held_on(address(asked))
    for report in held.get("raw_evidence", ()):
        report["content"] = _text(report["content"])
    typer.echo(as_json({"address": address(asked), "held": held}, indent=2))
    raise typer.Exit(0 if held else 1)


@app.command()
def erase(  # noqa: PLR0913  each parameter is an option of the command line
    asked: AddressArgument,
    why: WhyOption,
    keep_hash: Annotated[
        bool, typer.Option("--keep-hash", help="Leave the suppression, under a keyed hash of the address.")
    ] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    config: ConfigOption = None,
) -> None:
    """Take an address out of everything that is kept; this cannot be undone. Exit status 1 if nothing is held.

    Events and journal lines stay without the name; reports and notifications that name it go, also where they name
    others. Without --keep-hash the address can be mailed again.
    """
    from bounced.store import Erasure

    normal, now = address(asked), datetime.now(UTC)
    with ledger(config) as (_, store):
        held = {table: len(rows) for table, rows in store.held_on(normal).items()}
        typer.echo(", ".join(f"{table}: {amount}" for table, amount in held.items()) or "nothing is held", err=True)
        if dry_run:
            raise typer.Exit(0 if held else 1)
        if not held or not agreed("Erase them for good?", yes):
            raise typer.Exit(1)
        erased = store.erase(Erasure(normal, actor(), why, now, keep_hash))
    kept = "; the suppression stands under a hash" if keep_hash and erased.suppressions else ""
    typer.echo(f"erased from {erased.events} events and {erased.journal} lines of the journal{kept}")


def _text(content: Any) -> str:
    from bounced.keeping import unpacked

    return unpacked(content).decode("utf-8", "replace")
