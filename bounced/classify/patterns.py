"""Patterns, compiled once by RE2, and the sieve that says in one pass over a text which of them are worth a try.

RE2 matches in time linear in the text, whatever the pattern and whoever wrote the text. One automaton for all rules
would have to be built anew for almost every text, as the rules look for words at any distance; so, as RE2's own
FilteredRE2 does, one set finds the words that patterns cannot do without, and only those patterns are run.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import re2

from bounced.classify.rule import RuleError

_MEMORY = 32 << 20  # bytes an automaton may use; a limit, not what it takes
_SHORTEST = 3  # letters a word must have to be worth sifting by, if the pattern has a choice

# The parse tree of `re` serves to read a pattern, never to match with it.
_parse = re._parser.parse  # type: ignore[attr-defined]


class Pattern:
    """One pattern, matched against UTF-8."""

    def __init__(self, source: str) -> None:
        self.source = source
        try:
            self._expression = re2.compile(source.encode(), _options())
        except re2.error as exc:
            said = exc.args[0].decode() if exc.args and isinstance(exc.args[0], bytes) else exc
            hint = "it has no look-ahead, look-behind or back-references"
            raise RuleError(f"RE2 does not take the pattern {source!r}: {said}; {hint}") from exc

    def hit(self, text: bytes) -> str | None:
        """Return the stretch of `text` that the pattern fits first, None if it fits nowhere."""
        found = self._expression.search(text)
        return found.group(0).decode(errors="replace") if found else None


@lru_cache(maxsize=4096)
def pattern_of(source: str) -> Pattern:
    """Return the pattern, compiled once in a process. Raises RuleError if RE2 does not take it."""
    return Pattern(source)


class Sieve:
    """Which of some patterns can fit a text at all: those of whose words at least one is there."""

    def __init__(self, sources: Sequence[str | None]) -> None:
        """`sources` are patterns by their number; None and a pattern without such words always pass."""
        words: dict[str, list[int]] = {}
        self._always: set[int] = set()
        for number, source in enumerate(sources):
            needed = needed_words(source) if source is not None else None
            if needed is None:
                self._always.add(number)
            for word in needed or ():
                words.setdefault(word, []).append(number)
        self._numbers = [words[word] for word in words]
        self._set = re2.Set.SearchSet(_options(case=True))
        for word in words:
            self._set.Add(re2.escape(word))
        if words:
            self._set.Compile()

    def passing(self, text: str) -> set[int]:
        """Return the numbers of the patterns that may fit `text`."""
        found = (self._set.Match(text.lower().encode()) or ()) if self._numbers and text else ()
        return self._always.union(*[self._numbers[word] for word in found])


def needed_words(source: str) -> frozenset[str] | None:
    """Return words of which every text that fits holds at least one, in lower case; None if there are none."""
    try:
        return _needed(_parse(source))
    except (re.error, RecursionError):
        return None


def _needed(nodes: Iterable[tuple[object, object]]) -> frozenset[str] | None:
    """Return the best choice of words among the parts of a sequence: the longest, then the fewest."""
    choices: list[frozenset[str]] = []
    run = ""
    for kind, value in nodes:
        if str(kind) == "LITERAL" and isinstance(value, int) and len(low := chr(value).lower()) == 1:
            run += low
            continue
        choices, run = _with_run(choices, run), ""
        inner = _inner(str(kind), value)
        if inner is not None:
            choices.append(inner)
    choices = _with_run(choices, run)
    return max(choices, key=_worth, default=None)


def _with_run(choices: list[frozenset[str]], run: str) -> list[frozenset[str]]:
    return [*choices, frozenset({run})] if run.strip() else choices


def _inner(kind: str, value: object) -> frozenset[str] | None:
    """Return the words needed by a group, a repetition or a choice."""
    if kind == "SUBPATTERN" and isinstance(value, tuple):
        return _needed(value[-1])
    if kind in ("MAX_REPEAT", "MIN_REPEAT") and isinstance(value, tuple):
        return _needed(value[2]) if value[0] >= 1 else None
    if kind == "BRANCH" and isinstance(value, tuple):
        branches = [_needed(branch) for branch in value[1]]
        words = [branch for branch in branches if branch is not None]
        return frozenset().union(*words) if len(words) == len(branches) else None
    return None


def _worth(words: frozenset[str]) -> tuple[int, int]:
    shortest = min(map(len, words))
    return min(shortest, _SHORTEST), -len(words)


def _options(*, case: bool = False) -> re2.Options:
    options = re2.Options()
    options.case_sensitive = case
    options.max_mem = _MEMORY
    options.log_errors = False
    options.never_capture = True
    return options
