"""What is looked for in the words of strangers, at a cost linear in their length: RE2 patterns, and many words at once.

RE2 is asked below its Python layer. That makes an object of every match and counts characters on the way to it, which
took six times as long as the match itself. Of a release that hides what is below, the layer is asked. No I/O.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import re2
from ahocorasick_rs import BytesAhoCorasick

_MEMORY = 32 << 20  # octets an automaton may use; with RE2's 8 MB the larger ones fall back to one seven times slower
_ANYWHERE = getattr(getattr(re2, "_Anchor", None), "UNANCHORED", None)
_NOWHERE = (-1, -1)

Spans = list[tuple[int, int]]


#: Returns the spans of the first fit and its groups within some of the octets; of no fit, one that is nowhere.
Match = Callable[[Any, bytes, int, int], Spans]


class PatternError(ValueError):
    """RE2 does not take a pattern; its own words say why."""


class Hit:
    """Where a pattern fits a text. As a match of `re`, as far as it is needed."""

    __slots__ = ("_spans", "_text")

    def __init__(self, text: str, spans: Spans) -> None:
        self._text = text
        self._spans = spans

    def start(self, group: int = 0) -> int:
        """Return where the group begins, -1 if it took no part."""
        return self._spans[group][0]

    def end(self, group: int = 0) -> int:
        """Return where the group ends, -1 if it took no part."""
        return self._spans[group][1]

    def group(self, group: int = 0) -> str:
        """Return what the group fits, nothing if it took no part."""
        start, end = self._spans[group]
        return self._text[start:end] if start >= 0 else ""


class Pattern:
    """One pattern. Raises PatternError where RE2 does not take it: look-around and back-references are not linear."""

    __slots__ = ("_match",)

    def __init__(self, source: str, *, ignore_case: bool = False, groups: bool = True) -> None:
        options = re2.Options()
        options.max_mem = _MEMORY
        options.log_errors = False
        options.case_sensitive = not ignore_case
        options.never_capture = not groups
        try:
            self._match = _matching(re2.compile(source.encode(), options))
        except re2.error as exc:
            said = exc.args[0] if exc.args else exc
            raise PatternError(said.decode(errors="replace") if isinstance(said, bytes) else str(said)) from exc

    def occurs(self, text: str | bytes) -> bool:
        """Return True if the pattern fits somewhere in `text`, or in octets of UTF-8."""
        octets = text if isinstance(text, bytes) else text.encode()
        return bool(self._match(_ANYWHERE, octets, 0, len(octets))[0][0] >= 0)

    def span(self, octets: bytes) -> tuple[int, int] | None:
        """Return where in UTF-8 the pattern fits first, None if it fits nowhere."""
        span: tuple[int, int] = self._match(_ANYWHERE, octets, 0, len(octets))[0]
        return None if span[0] < 0 else span

    def search(self, text: str) -> Hit | None:
        """Return the first fit, None if there is none."""
        return next(self.finditer(text), None)

    def finditer(self, text: str) -> Iterator[Hit]:
        """Yield the fits in `text`, none of which overlaps another."""
        octets = text.encode()
        plain = len(octets) == len(text)
        at, end = 0, len(octets)
        counted = characters = 0  # as far as the last fit, for octets are no measure of the text
        while at <= end:
            spans: Spans = self._match(_ANYWHERE, octets, at, end)
            start = spans[0][0]
            if start < 0:
                return
            at = max(spans[0][1], at + 1)
            if not plain:
                characters += _characters(octets[counted:start])
                counted = start
                spans = [_counted(octets, start, characters, span) for span in spans]
            yield Hit(text, spans)


def _matching(compiled: Any) -> Match:
    below = getattr(getattr(compiled, "_regexp", None), "Match", None)
    return below if callable(below) and _ANYWHERE is not None else _above(compiled)


def _above(compiled: Any) -> Match:
    """Return what asks the Python layer: the same answers, later."""

    def match(_anchor: Any, octets: bytes, begin: int, end: int) -> Spans:
        hit = compiled.search(octets, begin, end)
        return [hit.span(group) for group in range(compiled.groups + 1)] if hit else [_NOWHERE]

    return match


def _counted(octets: bytes, start: int, characters: int, span: tuple[int, int]) -> tuple[int, int]:
    """Return a span of octets behind `start` in characters, of which `characters` stand before it."""
    if span == _NOWHERE:
        return span
    begin = characters + _characters(octets[start : span[0]])
    return begin, begin + _characters(octets[span[0] : span[1]])


def _characters(octets: bytes) -> int:
    return len(octets.decode(errors="replace"))


class Words:
    """Many words that are looked for in one pass; they may overlap."""

    __slots__ = ("_automaton",)

    def __init__(self, words: Sequence[str]) -> None:
        """`words` are known by their number."""
        self._automaton = BytesAhoCorasick([word.encode() for word in words])

    def within(self, text: str) -> set[int]:
        """Return the numbers of the words that occur in `text`, letter for letter."""
        return {hit[0] for hit in self._automaton.find_matches_as_indexes(text.encode(), overlapping=True)}

    def occur(self, octets: bytes) -> bool:
        """Return True if one of the words occurs in UTF-8, letter for letter."""
        return bool(self._automaton.find_matches_as_indexes(octets))
