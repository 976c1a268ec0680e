"""How every listing leaves the program: table, JSON, JSON lines or CSV; text of strangers made harmless on the way."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TextIO, TypeVar

from bounced.spreadsheet import shown
from bounced.terminal import UNSAFE, visible

Row = Mapping[str, object]
T = TypeVar("T")


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


def show(rows: Iterable[Row], fmt: Format, columns: Sequence[str], out: TextIO | None = None) -> None:
    """Write `rows` to `out`, or standard output.

    JSON forms hold each row whole; `columns` chooses and orders what a table or CSV shows.
    """
    out = out or sys.stdout
    write = {Format.TABLE: _table, Format.JSON: _json, Format.JSONL: _jsonl, Format.CSV: _csv}[fmt]
    write(rows, columns, out)


def counted(amount: int, noun: str) -> str:
    """Return `1 line`, `2 lines`, `1,000 lines`."""
    return f"{amount:,} {noun}" + ("" if amount == 1 else "s")


def progress(items: Iterable[T], fmt: Format, what: str = "mails") -> Iterator[T]:
    """Yield `items`, and count them on the terminal while nothing else is written there."""
    quiet = not sys.stderr.isatty() or (sys.stdout.isatty() and fmt is not Format.TABLE)
    if quiet:
        yield from items
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn(f"{{task.completed:.0f}} {what}"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield from bar.track(items, total=None)


def as_json(value: object, indent: int | None = None) -> str:
    """Return JSON that keeps letters of all languages readable and writes out what could deceive a terminal."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)
    return UNSAFE.sub(lambda m: m[0] if m[0] == "\n" else f"\\u{ord(m[0]):04x}", text)


def cell(value: object) -> str:
    """Return what a table or CSV cell shows for `value`: nothing for None, lists joined by spaces."""
    match value:
        case None:
            return ""
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%SZ")
        case str():
            return visible(value)
        case Mapping() | list() | tuple():
            items = value.values() if isinstance(value, Mapping) else value
            return " ".join(filter(None, map(cell, items)))
        case _:
            return visible(str(value))


def csv_cell(value: object) -> str:
    """Return `cell(value)` so that no spreadsheet takes it for a formula (CWE-1236)."""
    return shown(cell(value))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)


def _json(rows: Iterable[Row], _columns: Sequence[str], out: TextIO) -> None:
    before = "[\n "
    for row in rows:
        out.write(before + as_json(row))
        before = ",\n "
    out.write("[]\n" if before.startswith("[") else "\n]\n")


def _jsonl(rows: Iterable[Row], _columns: Sequence[str], out: TextIO) -> None:
    for row in rows:
        out.write(as_json(row) + "\n")


def _csv(rows: Iterable[Row], columns: Sequence[str], out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([csv_cell(row.get(column)) for column in columns] for row in rows)


def _table(rows: Iterable[Row], columns: Sequence[str], out: TextIO) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(cell(row.get(column)), overflow="fold") for column in columns))
    console = Console(file=out, width=None if out.isatty() else 400, highlight=False)
    console.print(table if table.row_count else Text("nothing to show", style="dim"))
