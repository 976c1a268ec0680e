"""Blocks of header-like lines: mail headers, fields quoted in a text."""

import re
from collections.abc import Iterable

from bounced.readers._charset import decode, words

#: A field and its continuation lines. A blank before the colon is accepted: some gateways write `Action : failed`.
_FIELD = re.compile(r"^([!-9;-~]{1,100})[ \t]*:[ \t]*([^\n]*(?:\n[ \t]+[^\n]*)*)", re.M)
_ANY_FIELD = re.compile(rb"^[!-9;-~]{1,100}[ \t]*:", re.M)
MAX_VALUE = 8_192
MAX_FIELDS = 1_000


class Fields:
    """The fields of one block, in order; values are unfolded and decoded when they are asked for, not before."""

    __slots__ = ("_first", "_names", "_pairs", "_values")

    def __init__(self, block: bytes) -> None:
        self._pairs = _found(block)
        self._names = [name.lower() for name, _ in self._pairs]
        # Raw values by name. The last one written stands, so they come in from behind.
        self._first = dict(zip(reversed(self._names), [raw for _, raw in reversed(self._pairs)], strict=True))

        self._values: dict[str, str | None] = {}  # what was asked for, decoded

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._first

    def any_of(self, names: frozenset[str]) -> bool:
        """Return True if one of the fields is there; `names` are in lower case."""
        return not names.isdisjoint(self._first)

    def names(self) -> Iterable[str]:
        """Return the field names in lower case, each once."""
        return self._first.keys()

    def first(self, name: str) -> str | None:
        """Return the first value of the field as one line, or None."""
        if name in self._values:
            return self._values[name]
        raw = self._first.get(name.lower())
        self._values[name] = found = None if raw is None else value(raw)
        return found

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of the field, in order."""
        name = name.lower()
        if name not in self._first:
            return ()
        if self._names.count(name) == 1:
            return (value(self._first[name]),)
        return tuple([value(raw) for other, (_, raw) in zip(self._names, self._pairs, strict=True) if other == name])

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return name and value of every field, in order."""
        return tuple([(name, value(raw)) for name, raw in self._pairs])


def has_fields(block: bytes) -> bool:
    """Return True if `raw_pairs` would find a field in `block`."""
    return _ANY_FIELD.search(block) is not None


def raw_pairs(block: bytes) -> tuple[tuple[str, str], ...]:
    """Return name and raw value of every field in `block`, in order; `value` makes the values readable."""
    return tuple(_found(block))


def _found(block: bytes) -> list[tuple[str, str]]:
    text = block.decode("ascii") if block.isascii() else decode(block)
    return _FIELD.findall(text)[:MAX_FIELDS]


def value(raw: str) -> str:
    """Return a raw value unfolded, RFC 2047 decoded, at most MAX_VALUE characters of it."""
    text = raw[:MAX_VALUE].strip()
    if "\x1b" in text:
        text = decode(text.encode("utf-8", "replace"))
    if "\n" in text:
        text = " ".join([line.strip() for line in text.split("\n")])
    return words(text) if "=?" in text else text
