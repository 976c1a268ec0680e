"""Whole listings as files: CSV or JSON lines, sent as they are read, so that memory does not grow with them."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import Any, Final, Generic, TypeVar

from fastapi.responses import StreamingResponse

from bounced.serve.desk import Threads

T = TypeVar("T")

#: Items that are read, written and sent at once.
_STEP: Final = 1_000


class Form(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


MEDIA_TYPES: Final[Mapping[Form, str]] = {Form.CSV: "text/csv", Form.JSONL: "application/x-ndjson"}


@dataclass(frozen=True, slots=True)
class Sheet(Generic[T]):
    """How one kind of item is written: the columns of CSV and a line of them, and the object of a JSON line."""

    name: str
    columns: Sequence[str]
    cells: Callable[[T], Sequence[str]]
    told: Callable[[T], Mapping[str, Any]]

    def head(self, form: Form) -> str:
        """Return what stands before the items."""
        return _table([self.columns]) if form is Form.CSV else ""

    def lines(self, form: Form, items: Iterable[T]) -> str:
        """Return a line for each item."""
        if form is Form.CSV:
            return _table(map(self.cells, items))
        return "".join(_line(self.told(item)) for item in items)


async def exported(threads: Threads, items: Iterator[T], form: Form, sheet: Sheet[T]) -> StreamingResponse:
    """Return the file of the items. Raises StoreDown if not even the first can be read; later it breaks off."""
    first = await threads.ask(lambda: list(islice(items, _STEP)))

    async def pieces() -> AsyncIterator[bytes]:
        some = first
        yield sheet.head(form).encode()
        while some:
            yield await threads.ask(partial(_octets, sheet, form, some))
            some = await threads.ask(lambda: list(islice(items, _STEP))) if len(some) == _STEP else []

    name = f"{sheet.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}.{form}"
    return StreamingResponse(
        pieces(), media_type=MEDIA_TYPES[form], headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def plain(value: object) -> str:
    """Return a value as text: nothing for None, times in RFC 3339."""
    if value is None:
        return ""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


def _line(told: Mapping[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), default=plain) + "\n"


def _table(lines: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(lines)
    return out.getvalue()


def _octets(sheet: Sheet[T], form: Form, items: Sequence[T]) -> bytes:
    return sheet.lines(form, items).encode("utf-8", "replace")
