"""How every listing leaves the program: table, JSON, JSON lines or CSV; text of strangers made harmless on the way."""

import csv
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TextIO

Row = Mapping[str, object]

#: C0, DEL, C1, and what changes the direction or the breaking of a line (U+202E and its kin), lone surrogates.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


def show(rows: Iterable[Row], fmt: Format, columns: Sequence[str], out: TextIO | None = None) -> int:
    """Write `rows` and return how many there were.

    JSON forms hold each row whole; `columns` chooses and orders what a table or CSV shows.
    """
    out = out or sys.stdout
    write = {Format.TABLE: _table, Format.JSON: _json, Format.JSONL: _jsonl, Format.CSV: _csv}[fmt]
    return write(rows, columns, out)


def visible(text: str) -> str:
    """Return `text` with control, bidirectional and invisible characters written out as `\\x1b`, `\\u202e`."""
    return _UNSAFE.sub(lambda m: m[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)


def as_json(value: object, indent: int | None = None) -> str:
    """Return JSON that keeps letters of all languages readable and writes out what could deceive a terminal."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)
    return re.sub(_UNSAFE.pattern.replace("\x00-\x1f", ""), lambda m: f"\\u{ord(m[0]):04x}", text)


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
    text = cell(value)
    return "'" + text if text.startswith(_FORMULA) else text


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)


def _json(rows: Iterable[Row], _columns: Sequence[str], out: TextIO) -> int:
    count = 0
    for count, row in enumerate(rows, 1):
        out.write(("[\n " if count == 1 else ",\n ") + as_json(row))
    out.write("\n]\n" if count else "[]\n")
    return count


def _jsonl(rows: Iterable[Row], _columns: Sequence[str], out: TextIO) -> int:
    count = 0
    for count, row in enumerate(rows, 1):
        out.write(as_json(row) + "\n")
    return count


def _csv(rows: Iterable[Row], columns: Sequence[str], out: TextIO) -> int:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    count = 0
    for count, row in enumerate(rows, 1):
        writer.writerow([csv_cell(row.get(column)) for column in columns])
    return count


def _table(rows: Iterable[Row], columns: Sequence[str], out: TextIO) -> int:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    count = 0
    for count, row in enumerate(rows, 1):
        table.add_row(*(Text(cell(row.get(column)), overflow="fold") for column in columns))
    console = Console(file=out, width=None if out.isatty() else 400, highlight=False)
    console.print(table if count else Text("nothing to show", style="dim"))
    return count
