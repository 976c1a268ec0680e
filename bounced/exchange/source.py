"""An opened file: which layout it has, and its rows. Each line comes out as something, or is told to be wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

from bounced.address import known_as, normalise
from bounced.exchange.entry import Claim, Entry, Left, Refused, Row, Wrong
from bounced.exchange.layout import Fields, Layout
from bounced.exchange.layouts import LAYOUTS
from bounced.exchange.objects import Document, each_line, is_record
from bounced.exchange.table import SEPARATORS, Table, header_of
from bounced.exchange.text import LINE, Lines

Records = Iterator[tuple[int, Fields] | Refused]
_SCOPE = 64  # characters that the table keeps


@dataclass(frozen=True, slots=True)
class Doubt:
    """A file that must not be imported as it is: what to do, for a person."""

    why: str


@dataclass(frozen=True, slots=True)
class Source:
    """A file whose layout is known. Its rows can be read once."""

    layout: Layout
    form: str  # CSV, JSON or JSON lines
    records: Records

    def rows(self) -> Iterator[Row]:
        """Yield what each row comes to, in order, whatever it holds; memory does not grow with the file."""
        judge = self.layout.judge
        for record in self.records:
            if isinstance(record, Refused):
                yield record
                continue
            line, fields = record
            try:
                found = judge(fields)
            except KeyError as exc:
                yield Refused(line, f"has no field {exc}", _shown(fields))
            except Wrong as exc:
                yield Refused(line, str(exc), _shown(fields))
            else:
                if type(found) is Claim and found[4] is None and (address := normalise(found[0])):
                    yield Entry(line, address, *found[1:])  # by far the most
                else:
                    yield from _rows(line, found)


def open_source(stream: BinaryIO, name: str | None = None) -> Source | Doubt:
    """Return the file with the layout it has, or with the one called `name`; a Doubt if that cannot be.

    Only its beginning is read. Raises OSError as the stream does.
    """
    lines = Lines(stream)
    first = next((piece for piece in lines.pieces() if piece.strip()), None)
    if first is None:
        return Doubt("the file is empty")
    if first.lstrip().startswith(("{", "[")):
        return _json(first, lines, name)
    if not first.endswith(("\n", "\r")) and len(first) >= LINE:
        return Doubt(f"this is no list: its first line is longer than {LINE} characters")
    return _csv(first, lines, name)


def names() -> list[str]:
    """Return what layouts are called."""
    return [layout.name for layout in LAYOUTS]


def _rows(line: int, found: Claim | list[Claim] | str) -> Iterator[Row]:
    if isinstance(found, str):
        yield Left(line, found)
        return
    for claim in found if isinstance(found, list) else (found,):
        address = known_as(claim.address)  # an export of ours may hold what stands for an address
        if address is None:
            yield Refused(line, "no mail address", claim.address[:200])
        elif claim.scope is not None and (len(claim.scope) > _SCOPE or not claim.scope.isprintable()):
            yield Refused(line, f"no scope: {claim.scope[:80]!r}", claim.address[:200])
        else:
            yield Entry(line, address, *claim[1:])


def _shown(fields: Fields) -> str:
    return ", ".join(value for value in fields.values() if value)[:200]


def _csv(first: str, lines: Lines, name: str | None) -> Source | Doubt:
    headers = {separator: header_of(first, separator) for separator in SEPARATORS}
    for separator, header in headers.items():
        layout = _fitting(header, name)
        if isinstance(layout, Doubt):
            return layout
        if layout is not None:
            return Source(layout, "CSV", Table(lines, header, separator, layout).records())
    for separator, header in headers.items():
        layout = _headless(header, name)
        if isinstance(layout, Doubt):
            return layout
        if layout is not None:
            return Source(layout, "CSV", Table(lines, layout.headers, separator, layout, first).records())
    return _unknown("its first line begins " + repr(first.strip()[:80]), name)


def _json(first: str, lines: Lines, name: str | None) -> Source | Doubt:
    if is_record(first):
        form, records = "JSON lines", each_line(first, lines)
    else:
        form, records = "JSON", Document(lines.pieces(), first, line=lines.number).records()
    head = next(records, None)
    if head is None:
        return Doubt("the file holds no entry")
    if isinstance(head, Refused):
        return Doubt(f"line {head.line}: {head.why}")
    layout = _fitting(tuple(head[1]), name)
    if layout is None:
        return _unknown("its first record has " + repr(", ".join(head[1])[:80]), name)
    return layout if isinstance(layout, Doubt) else Source(layout, form, chain([head], records))


def _fitting(header: tuple[str, ...], name: str | None) -> Layout | Doubt | None:
    """Return the layout of these field names: the one called `name`, or the first that fits; None if none does."""
    fields = frozenset(field for field in header if field)
    inner = frozenset(field for field in fields if "." not in field)
    for layout in LAYOUTS:
        if name in (None, layout.name) and any(shape.fits(fields) or shape.fits(inner) for shape in layout.shapes):
            return Doubt(layout.ask) if layout.ask and name is None else layout
    return None


def _headless(cells: tuple[str, ...], name: str | None) -> Layout | Doubt | None:
    """Return the layout of a file that begins with an entry at once."""
    if not cells or normalise(cells[0]) is None:
        return None
    for layout in LAYOUTS:
        if name not in (None, layout.name) or len(layout.headers) != len(cells):
            continue
        if layout.name == "ses" and cells[1] not in ("bounce", "complaint"):
            continue
        return Doubt(layout.ask) if layout.ask and name is None else layout
    return None


def _unknown(what: str, name: str | None) -> Doubt:
    if name is not None:
        return Doubt(f"this is no file of the format {name}: {what}")
    return Doubt(f"its format is not known: {what}; name it by --as ({', '.join(names())})")
