"""`bounced suppressions map`: the suppression table as a map that Postfix reads while nobody can be asked."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bounced.cli.ledger import ledger, scope_name
from bounced.cli.options import ConfigOption
from bounced.errors import BouncedError, ConfigError
from bounced.model import Suppression

#: What postmap makes beside its source, by type of map.
_MADE = {"hash": ".db", "cdb": ".cdb", "lmdb": ".lmdb"}


class MapFormat(StrEnum):
    """The text that postmap reads, and also what it makes of it."""

    POSTMAP = "postmap"
    HASH = "hash"
    CDB = "cdb"
    LMDB = "lmdb"


def map_(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Text; postmap adds .cdb and so on.")],
    fmt: Annotated[MapFormat, typer.Option("--format", "-f", help="Only the text, or also what Postfix reads.")],
    scope: Annotated[str, typer.Option(help="What is suppressed there, and everywhere.", callback=scope_name)] = "*",
    config: ConfigOption = None,
) -> None:
    """Write a static access map for Postfix: who is suppressed now. A file that is there is replaced whole."""
    with ledger(config) as (settings, store):
        if settings.privacy.hashed:
            raise ConfigError(["privacy.addresses: hashed: a map cannot name anybody; Postfix can ask a socketmap"])
        written, left_out = _write(store.refused(scope, datetime.now(UTC)), output, fmt)
    typer.echo(f"{output}: {written} suppressed address(es)")
    if left_out:
        typer.echo(f"{left_out} left out: a map cannot name what was forgotten, or needs quotes", err=True)


def _write(entries: Iterable[Suppression], output: Path, fmt: MapFormat) -> tuple[int, int]:
    """Write text and map beside their places, then move both there; return how many are in it, and how many are not."""
    counts = [0, 0]
    try:
        with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as folder:
            source = Path(folder, output.name)
            with source.open("w", encoding="utf-8") as out:
                out.writelines(_lines(entries, counts))
                out.flush()
                os.fsync(out.fileno())
            source.chmod(0o644)
            _place(source, output, fmt)
    except OSError as exc:
        raise BouncedError(f"{output} cannot be written: {exc.strerror}") from exc
    return counts[0], counts[1]


def _lines(entries: Iterable[Suppression], counts: list[int]) -> Iterator[str]:
    from bounced.serve.lookups import refusal

    for entry in entries:
        named = "@" in entry.address and not any(c in entry.address for c in ' "#\\')
        counts[not named] += 1
        if named:
            yield f"{entry.address}\tREJECT {refusal(entry)}\n"


def _place(source: Path, output: Path, fmt: MapFormat) -> None:
    """Move the text to its place, and before it what postmap makes of it."""
    if fmt is not MapFormat.POSTMAP:
        made = _MADE[fmt.value]
        _postmap(source, fmt)
        source.with_name(source.name + made).chmod(0o644)
        source.with_name(source.name + made).replace(output.with_name(output.name + made))
    source.replace(output)


def _postmap(source: Path, fmt: MapFormat) -> None:
    """Run Postfix's postmap, away from its configuration. Raises BouncedError with what it says."""
    program = shutil.which("postmap") or shutil.which("postmap", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise BouncedError(f"postmap is not here: it comes with Postfix, and only it makes {fmt.value}")
    done = subprocess.run([program, f"{fmt.value}:{source}"], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise BouncedError(f"postmap cannot make {fmt.value}: {done.stderr.strip()[-300:]}")
