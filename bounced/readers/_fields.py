"""Blocks of header-like lines: mail headers, delivery-status fields, headers quoted in a text."""

import re
from collections.abc import Iterable

from bounced.readers._charset import decode, words

#: A field and its continuation lines. A blank before the colon is accepted: Mimecast writes `Action : failed`.
_FIELD = re.compile(rb"^([!-9;-~]{1,100})[ \t]*:[ \t]*([^\n]*(?:\n[ \t]+[^\n]*)*)", re.M)
_UNFOLD = re.compile(r"\s*\n\s+")
MAX_VALUE = 8_192
MAX_FIELDS = 1_000


class Fields:
    """The fields of one block, in order; values are unfolded and decoded when they are asked for, not before."""

    __slots__ = ("_index", "_pairs")

    def __init__(self, block: bytes) -> None:
        self._pairs: list[tuple[bytes, bytes]] = _FIELD.findall(block)[:MAX_FIELDS]
        index: dict[bytes, list[bytes]] = {}
        for name, value in self._pairs:
            index.setdefault(name.lower(), []).append(value)
        self._index = index

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def __contains__(self, name: str) -> bool:
        return name.lower().encode() in self._index

    def names(self) -> Iterable[str]:
        """Return the field names in lower case, each once."""
        return (name.decode("ascii") for name in self._index)

    def first(self, name: str) -> str | None:
        """Return the first value of the field as one line, or None."""
        values = self._index.get(name.lower().encode())
        return _text(values[0]) if values else None

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of the field, in order."""
        return tuple(_text(value) for value in self._index.get(name.lower().encode(), ()))

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return name and value of every field, in order."""
        return tuple((name.decode("ascii"), _text(value)) for name, value in self._pairs)


def _text(value: bytes) -> str:
    """Return a raw value unfolded, RFC 2047 decoded, at most MAX_VALUE octets of it."""
    if value.isascii() and b"\n" not in value and b"=?" not in value and b"\x1b" not in value:
        return value[:MAX_VALUE].decode("ascii").strip()
    text = decode(value[:MAX_VALUE]).strip()
    if "\n" in text:
        text = _UNFOLD.sub(" ", text)
    return words(text)
