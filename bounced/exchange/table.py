"""Rows of a CSV file: separators, quotes, a header or none."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bounced.exchange.entry import Refused, Wrong
from bounced.exchange.layout import Fields, Layout
from bounced.exchange.text import ROW, Lines
from bounced.spreadsheet import FORMULA

SEPARATORS = (",", ";", "\t")
_ESCAPED = tuple("'" + sign for sign in FORMULA)
_TEXT = 200


def header_of(line: str, separator: str) -> tuple[str, ...]:
    """Return the names in a header line, folded; nothing if the line cannot be taken apart."""
    try:
        cells = next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return ()
    return tuple(" ".join(cell.strip().lower().split()) for cell in cells)


@dataclass(slots=True)
class Table:
    """The rows below a header, or from the first line on where `first` is one of them."""

    lines: Lines
    names: Sequence[str]
    separator: str
    layout: Layout
    first: str | None = None

    def records(self) -> Iterator[tuple[int, Fields] | Refused]:
        """Yield each row with the number of its first line; a row that cannot be taken apart is refused."""
        if self.first is not None:
            yield from self._rows(iter([self.first]), self.lines.number)
        start = self.lines.row_ends()
        before = 0
        while before != self.lines.number:  # after an error, go on with the next line, until there is none
            before = self.lines.number
            yield from self._rows(iter(self.lines), start)
            start = self.lines.row_ends()

    def _rows(self, lines: Iterator[str], start: int) -> Iterator[tuple[int, Fields] | Refused]:
        width, names, exact, source = len(self.names), self.names, self.layout.exact_quotes, self.lines
        try:
            for cells in csv.reader(lines, delimiter=self.separator, strict=True):
                if not exact:
                    cells = _plainly(cells)
                elif source.apostrophes:
                    cells = _exactly(cells)
                if len(cells) == width:
                    yield start, dict(zip(names, cells, strict=True))
                elif any(cells):
                    yield self._odd(start, cells)
                start = source.number + 1
                source.last = source.number + ROW
        except (csv.Error, Wrong) as exc:
            last = self.lines.number
            yield Refused(start, str(exc) + (f" (up to line {last})" if last > start else ""))

    def _odd(self, start: int, cells: list[str]) -> tuple[int, Fields] | Refused:
        """Return a row that has not as many cells as the header; empty ones at its end do not matter."""
        while len(cells) > len(self.names) and not cells[-1]:
            cells.pop()
        if len(cells) != len(self.names):
            shown = self.separator.join(cells)[:_TEXT]
            return Refused(start, f"has {len(cells)} columns, want {len(self.names)}", shown)
        return start, dict(zip(self.names, cells, strict=True))


def _exactly(cells: Sequence[str]) -> list[str]:
    """Return the cells of our own export: one apostrophe in front is always the one that `escaped` put there."""
    return [cell[1:] if cell[:1] == "'" else cell for cell in cells]


def _plainly(cells: Sequence[str]) -> list[str]:
    """Return the cells, trimmed; an apostrophe goes only from before what would be a formula."""
    return [cell[1:] if cell[:1] == "'" and cell.startswith(_ESCAPED) else cell for cell in map(str.strip, cells)]
