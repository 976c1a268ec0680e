"""`bounced suppressions import` and `export`: whole lists, from other systems and for them."""

import csv
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, BinaryIO, TextIO

import typer

from bounced.cli.ledger import ledger, scope_name
from bounced.cli.options import ConfigOption
from bounced.cli.render import as_json, cell, csv_cell
from bounced.exchange import COLUMNS, Doubt, Entry, Refused, Sorting, Source, names, open_source
from bounced.model import Suppression
from bounced.spreadsheet import escaped

if TYPE_CHECKING:
    from bounced.store import Taken

_STEP = 1_000


class ExportFormat(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What the user asked for on the command line."""

    dry_run: bool
    yes: bool
    skip_bad: bool

    def may_go_on(self) -> bool:
        """Ask, where there is somebody to ask. Raises BadParameter where there is nobody and nothing was said."""
        if self.yes:
            return True
        if not sys.stdin.isatty():
            raise typer.BadParameter("nobody can be asked here: --yes imports, --dry-run only looks")
        return typer.confirm("Import them?")


def import_(  # noqa: PLR0913  each parameter is an option of the command line
    path: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, JSON or JSON lines; - is standard input.")],
    as_: Annotated[
        str | None, typer.Option("--as", metavar="FORMAT", help="Where its columns do not tell: " + ", ".join(names()))
    ] = None,
    scope: Annotated[
        str, typer.Option(help="For entries that name none: a stream or a list; * is everywhere.", callback=scope_name)
    ] = "*",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Import the rest where lines are refused.")] = False,
    errors: Annotated[Path | None, typer.Option(metavar="FILE", help="Write every refused line there, as CSV.")] = None,
    config: ConfigOption = None,
) -> None:
    """Suppress the addresses of a list: all of it, or nothing; again changes nothing.

    Blocks, soft bounces that nobody gave up, members and allow-lists are no suppressions and are left out. Exit status
    1 if lines are refused: then nothing is imported, unless --skip-bad.
    """
    from bounced.store import Terms

    if as_ not in (None, *names()):
        raise typer.BadParameter(f"there is no format {as_!r}; want one of {', '.join(names())}")
    if not scope or len(scope) > 64 or not scope.isprintable():
        raise typer.BadParameter(f"{scope!r} is no scope")
    wishes = _Wishes(dry_run, yes, skip_bad)
    with _reading(path) as stream, _errors(errors) as tell, ledger(config) as (settings, store):
        source = open_source(stream, as_)
        if isinstance(source, Doubt):
            raise typer.BadParameter(f"{path}: {source.why}")
        typer.echo(f"{cell(str(path))}: {source.layout.title} ({source.form})")
        days = settings.policy.soft.suppress_days
        passing = None if days is None else timedelta(days=days)
        sorting = Sorting(settings.policy.allow, tell)
        with store.taking_in(Terms(f"import {path.name}", datetime.now(UTC), scope, passing)) as intake:
            intake.add(_counted(sorting, source, stream))
            _tell(sorting)
            stops = bool(sorting.refused) and not skip_bad
            if dry_run or stops or not yes:
                _say(intake.plan(), "would be " if dry_run or stops else "to be ")
            if stops:
                typer.echo("nothing was imported: correct these lines, or leave them out by --skip-bad", err=True)
            if dry_run or stops or not wishes.may_go_on():
                raise typer.Exit(1 if sorting.refused else 0)
            _say(intake.commit(), "")


def export(
    fmt: Annotated[ExportFormat, typer.Option("--format", "-f", help="How to write it.")] = ExportFormat.CSV,
    scope: Annotated[str | None, typer.Option(help="Only entries of this scope.", callback=scope_name)] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Else standard output.")] = None,
    config: ConfigOption = None,
) -> None:
    """Write every entry that holds now; `import` reads it back as it was, and a spreadsheet finds no formula in it."""
    from bounced.store import SuppressionQuery

    with ledger(config) as (_, store), _writing(output) as out:
        entries = store.suppressions(SuppressionQuery(scope=scope, holding_at=datetime.now(UTC)))
        _WRITERS[fmt](entries, out)


def _as_csv(entries: Iterable[Suppression], out: TextIO) -> None:
    """Write the entries with every cell safe, yet exact; on a terminal, harmless too."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    safe: Callable[[str], str] = csv_cell if out.isatty() else escaped
    writer.writerows([safe(_plain(getattr(entry, name))) for name in COLUMNS] for entry in entries)


def _as_jsonl(entries: Iterable[Suppression], out: TextIO) -> None:
    for entry in entries:
        out.write(as_json({name: getattr(entry, name) for name in COLUMNS}) + "\n")


_WRITERS = {ExportFormat.CSV: _as_csv, ExportFormat.JSONL: _as_jsonl}


def _plain(value: str | datetime | None) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value or ""


@contextmanager
def _writing(path: Path | None) -> Iterator[TextIO]:
    """Lend where to write: a file that takes its name only when it is whole, readable by its owner alone."""
    if path is None:
        yield sys.stdout
        return
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as exc:
        raise typer.BadParameter(f"{path}: cannot be written: {exc.strerror}") from exc
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as out:
            yield out
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _reading(path: Path) -> AbstractContextManager[BinaryIO]:
    if str(path) == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return path.open("rb")
    except OSError as exc:
        raise typer.BadParameter(f"{path}: cannot be read: {exc.strerror}") from exc


@contextmanager
def _errors(path: Path | None) -> Iterator[Callable[[Refused], None]]:
    """Lend what writes a refused line to the file."""
    if path is None:
        yield lambda _: None
        return
    try:
        out = path.open("w", encoding="utf-8", newline="")
    except OSError as exc:
        raise typer.BadParameter(f"{path}: cannot be written: {exc.strerror}") from exc
    with out:
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(("line", "why", "text"))
        yield lambda row: writer.writerow((row.line, csv_cell(row.why), csv_cell(row.text)))


def _counted(sorting: Sorting, source: Source, stream: IO[bytes]) -> Iterator[Entry]:
    """Yield the entries, with a bar on the terminal. Raises BadParameter where the file fails under way."""
    entries = sorting.passing(source.rows())
    try:
        if not sys.stderr.isatty():
            yield from entries
            return
        with _bar(stream) as advance:
            while some := list(islice(entries, _STEP)):
                yield from some
                advance()
    except OSError as exc:
        raise typer.BadParameter(f"the file cannot be read to its end: {exc.strerror}") from exc


@contextmanager
def _bar(stream: IO[bytes]) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    size = os.fstat(stream.fileno()).st_size if stream.seekable() else None
    columns = BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=size)
        yield lambda: bar.update(task, completed=stream.tell() if size is not None else 0)


def _tell(sorting: Sorting) -> None:
    """Print what of the file is no entry."""
    for kind, amount in sorted(sorting.left.items()):
        typer.echo(f"{amount:>9,} left out: {cell(kind)}")
    if sorting.refused:
        typer.echo(f"{sorting.refused:>9,} {'line' if sorting.refused == 1 else 'lines'} refused")
    for row in sorting.first:
        typer.echo(f"line {row.line}: {cell(row.why)}" + (f": {cell(row.text)}" if row.text else ""), err=True)
    if sorting.refused > len(sorting.first):
        typer.echo(f"and {sorting.refused - len(sorting.first):,} more (--errors FILE writes all)", err=True)


def _say(taken: "Taken", tense: str) -> None:
    """Print what becomes of the entries; zeroes only for what is added."""
    for category, amount in taken.added.items():
        typer.echo(f"{amount:>9,} {tense}added: {cell(category)}")
    if not taken.added:
        typer.echo(f"{0:>9,} {tense}added")
    for amount, words in (
        (taken.strengthened, f"{tense}strengthened: they were there for a weaker cause or a shorter time"),
        (taken.known, "known already"),
        (taken.released, "left free: released here, or expired, after what the file tells"),
        (taken.over, "left out: they have run out"),
        (taken.repeated, "lines that repeat an address of another line"),
    ):
        if amount:
            typer.echo(f"{amount:>9,} {words}")
