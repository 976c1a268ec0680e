"""Blocks of header-like lines: mail headers, fields quoted in a text."""

import re
from collections.abc import Iterable

from bounced.readers._charset import decode, words

#: A field and its continuation lines. A blank before the colon is accepted: some gateways write `Action : failed`.
_FIELD = re.compile(r"^([!-9;-~]{1,100})[ \t]*:[ \t]*([^\n]*(?:\n[ \t]+[^\n]*)*)", re.M)
MAX_VALUE = 8_192
MAX_FIELDS = 1_000


class Fields:
    """The fields of one block, in order; values are unfolded and decoded when they are asked for, not before."""

    __slots__ = ("_index", "_pairs")

    def __init__(self, block: bytes) -> None:
        self._pairs = _found(block)
        index: dict[str, list[str]] = {}
        for name, value in self._pairs:
            key = name.lower()
            if key in index:
                index[key].append(value)
            else:
                index[key] = [value]
        self._index = index

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._index

    def names(self) -> Iterable[str]:
        """Return the field names in lower case, each once."""
        return self._index.keys()

    def first(self, name: str) -> str | None:
        """Return the first value of the field as one line, or None."""
        values = self._index.get(name.lower())
        if values is None:
            return None
        value = values[0]
        return value.rstrip() if _is_plain(value) else _text(value)

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of the field, in order."""
        values = self._index.get(name.lower())
        if values is None:
            return ()
        return tuple([value.rstrip() if _is_plain(value) else _text(value) for value in values])

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return name and value of every field, in order."""
        return _decoded(self._pairs)


def pairs(block: bytes) -> tuple[tuple[str, str], ...]:
    """Return name and value of every field in `block`, in order, as `Fields` does, without making it searchable."""
    return _decoded(_found(block))


def _found(block: bytes) -> list[tuple[str, str]]:
    text = block.decode("ascii") if block.isascii() else decode(block)
    return _FIELD.findall(text)[:MAX_FIELDS]


def _decoded(found: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(
        [
            (
                name,
                _text(value)  # inline what _is_plain says: this runs for every field of every returned mail
                if "\n" in value or "=?" in value or "\x1b" in value or len(value) > MAX_VALUE
                else value.rstrip(),
            )
            for name, value in found
        ]
    )


def _is_plain(value: str) -> bool:
    """True if the value is one line of plain text already."""
    return "\n" not in value and "=?" not in value and "\x1b" not in value and len(value) <= MAX_VALUE


def _text(value: str) -> str:
    """Return a raw value unfolded, RFC 2047 decoded, at most MAX_VALUE characters of it."""
    text = value[:MAX_VALUE].strip()
    if "\x1b" in text:
        text = decode(text.encode("utf-8", "replace"))
    if "\n" in text:
        text = " ".join([line.strip() for line in text.split("\n")])
    return words(text) if "=?" in text else text
