"""Records of a JSON file: one object a line, or one document that holds an array of them; read piece by piece."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bounced.exchange.entry import Refused, Wrong
from bounced.exchange.layout import Fields
from bounced.exchange.text import LINE, Lines

#: Where mail services put the array, and what stands around it.
ARRAYS = frozenset({"suppresseddestinationsummaries", "suppressions", "bounces", "items", "results", "contacts"})
_AROUND = frozenset({"data"})
_SPACE = " \t\r\n"
_DECODER = json.JSONDecoder()


def is_record(line: str) -> bool:
    """True if the line is a whole object that holds no array of others: then each line is one."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and not (ARRAYS | _AROUND) & {key.lower() for key in found}


def each_line(first: str, lines: Lines) -> Iterator[tuple[int, Fields] | Refused]:
    """Yield the record of each line; a line that is none is refused, and the next one read."""
    yield _record(first, lines.number)
    before = 0
    while before != lines.number:
        before = lines.number
        try:
            for line in lines:
                lines.row_ends()
                if line.strip():
                    yield _record(line, lines.number)
        except Wrong as exc:
            yield Refused(lines.number, str(exc))


def _record(line: str, number: int) -> tuple[int, Fields] | Refused:
    try:
        return number, fields_of(json.loads(line))
    except (ValueError, RecursionError) as exc:
        return Refused(number, f"no JSON object: {exc}"[:200], line.strip()[:200])


def fields_of(value: object) -> Fields:
    """Return the fields of an object as text, nested ones as `outer.inner`; a bare text is an address. Raises Wrong."""
    if isinstance(value, str):
        return {"address": value}
    if not isinstance(value, Mapping):
        raise Wrong("want an object")
    fields: dict[str, str] = {}
    for key, item in value.items():
        name = str(key).lower()
        if isinstance(item, Mapping):
            fields |= {f"{name}.{str(inner).lower()}": _text(part) for inner, part in item.items()}
            fields.setdefault(name, "")
        else:
            fields[name] = _text(item)
    return fields


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value.strip()
        case bool():
            return "true" if value else "false"
        case list():
            return ",".join(map(_text, value))
        case dict():
            return json.dumps(value, ensure_ascii=False)
    return str(value)


@dataclass(slots=True)
class Document:
    """One JSON document, of which never more is held than one record and what was read ahead."""

    lines: Iterator[str]
    buffer: str
    at: int = 0
    line: int = 1
    counted: int = 0  # how far in the buffer `line` was counted

    def records(self) -> Iterator[tuple[int, Fields] | Refused]:
        """Yield each record with the line it begins in. What breaks the document off is refused, and is the end."""
        try:
            yield from self._array() if self._peek() == "[" else self._object()
            if self._peek():
                raise Wrong("something stands after the end of the document")
        except (ValueError, RecursionError) as exc:
            yield Refused(self._line(), f"the JSON document breaks off: {exc}"[:200], self.buffer[self.at :][:200])

    def _object(self) -> Iterator[tuple[int, Fields] | Refused]:
        self._take("{")
        while self._peek() != "}":
            key = self._value()
            self._take(":")
            name = key.lower() if isinstance(key, str) else ""
            if name in ARRAYS and self._peek() == "[":
                yield from self._array()
            elif name in _AROUND and self._peek() == "{":
                yield from self._object()
            else:
                self._value()
            if self._peek() != "}":
                self._take(",")
        self._take("}")

    def _array(self) -> Iterator[tuple[int, Fields] | Refused]:
        self._take("[")
        while self._peek() != "]":
            self._peek()
            line, value = self._line(), self._value()
            try:
                yield line, fields_of(value)
            except Wrong as exc:
                yield Refused(line, str(exc))
            if self._peek() != "]":
                self._take(",")
        self._take("]")

    def _peek(self) -> str:
        """Return the next character that is no space; the empty text at the end."""
        while True:
            while self.at < len(self.buffer) and self.buffer[self.at] in _SPACE:
                self.at += 1
            if self.at < len(self.buffer):
                return self.buffer[self.at]
            if not self._more():
                return ""

    def _take(self, sign: str) -> None:
        if (found := self._peek()) != sign:
            raise Wrong(f"want {sign!r}, got {found!r}")
        self.at += 1

    def _value(self) -> object:
        """Return the next value, of at most so many characters as a line may have."""
        self._peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self.buffer, self.at)
            except json.JSONDecodeError:
                if len(self.buffer) - self.at > LINE or not self._more():
                    raise
            else:
                if end < len(self.buffer) or not self._more():  # a number may go on
                    self.at = end
                    return value

    def _more(self) -> bool:
        """Read on, and forget what was used; False at the end."""
        self._line()
        self.buffer, self.at, self.counted = self.buffer[self.at :], 0, 0
        size = max(len(self.buffer), 64 * 1024)
        parts: list[str] = []
        while size > 0 and (part := next(self.lines, "")):
            parts.append(part)
            size -= len(part)
        self.buffer += "".join(parts)
        return bool(parts)

    def _line(self) -> int:
        """Return the number of the line at which reading stands."""
        self.line += self.buffer.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.line
