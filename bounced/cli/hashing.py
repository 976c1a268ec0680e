"""`bounced db pseudonymise`: a database that keeps addresses becomes one that keeps hashes of them."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import typer

from bounced.cli.ledger import actor, ledger
from bounced.cli.options import ConfigOption
from bounced.cli.undo import DryRunOption, YesOption, agreed
from bounced.errors import ConfigError

_WARNING = "Nobody can get the addresses back. Is every other bounced on this database stopped, and a back-up made?"


def pseudonymise(dry_run: DryRunOption = False, yes: YesOption = False, config: ConfigOption = None) -> None:
    """Put a keyed hash for each address that the database keeps, and take the reports and subjects out of it.

    Counts first. Set `privacy.addresses: hashed` and `privacy.key` before, stop every other bounced, and keep the key
    safe: without it nobody is found any more. Broken off, run it again: it goes on where it was.
    """
    with ledger(config) as (settings, store):
        if not settings.privacy.hashed:
            raise ConfigError(["privacy.addresses: want hashed, with privacy.key; then run this again"])
        if (form := store.form()) == "hashed":
            typer.echo("the database keeps hashes already")
            return
        amounts = store.hashing_amounts()
        for table, amount in amounts.items():
            if amount:
                typer.echo(f"{amount:>11,} {'reports removed' if table == 'raw_evidence' else table}")
        if form is not None:
            typer.echo("it was begun before, and goes on")
        if dry_run:
            return
        if not agreed(_WARNING, yes):
            raise typer.Exit(1)
        with _bar(amounts) as told:
            store.hash_addresses(actor(), datetime.now(UTC), told)
    typer.echo("the database keeps hashes for addresses; back-ups and logs made before do not")


@contextmanager
def _bar(amounts: Mapping[str, int]) -> Iterator[Callable[[str, int], None]]:
    """Lend what hears of each table and its rows; on a terminal it shows how far it has come."""
    if not sys.stderr.isatty():
        yield lambda _table, _amount: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=sum(amounts.values()))
        yield lambda table, amount: bar.update(task, advance=amount, description=table)
