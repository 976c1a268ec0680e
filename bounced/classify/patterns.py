"""The patterns of the rules, and the sieve that says in one pass over a text which of them are worth a try.

RE2 matches in time linear in the text, whatever the pattern and whoever wrote the text. One automaton for all rules
would have to be built anew for almost every text, as the rules look for words at any distance; so, as RE2's own
FilteredRE2 does, one pass finds the words that patterns cannot do without, and only those patterns are run.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import pairwise

from bounced.classify.rule import RuleError
from bounced.patterns import Pattern, PatternError, Words

_SHORTEST = 3  # letters a word must have to be worth sifting by, if the pattern has a choice
_TELLING = 6  # letters beyond which a word is no more telling
_MOST = 4  # choices of words a pattern is sifted by
_COMMON = 0.2  # share of the samples from which on a word is too common to sift by

_UNDIVIDED = re.compile(r"\(\?[a-zA-Z-]+\)|.*\\Q", re.DOTALL)

# The parse tree of `re` serves to read a pattern, never to match with it.
_parse = re._parser.parse  # type: ignore[attr-defined]

_Node = tuple[object, object]
Choice = frozenset[str]
_NOTHING: Choice = frozenset()


@cache  # as many as the rules hold
def pattern_of(source: str) -> Pattern:
    """Return the pattern, compiled once in a process. Raises RuleError if RE2 does not take it."""
    try:
        return Pattern(source, ignore_case=True, groups=False)
    except PatternError as exc:
        hint = "it has no look-ahead, look-behind or back-references"
        raise RuleError(f"RE2 does not take the pattern {source!r}: {exc}; {hint}") from exc


def first_hit(alternatives: Sequence[str], text: bytes) -> str | None:
    """Return what the first of some alternatives fits first, as the pattern of them all would; None if none fits."""
    best: tuple[int, int] | None = None
    for source in alternatives:
        span = pattern_of(source).span(text)
        if span is not None and (best is None or span[0] < best[0]):
            best = span
    return text[best[0] : best[1]].decode(errors="replace") if best else None


class Sieve:
    """Which of some patterns can fit a text at all, and by which of their alternatives: those whose words are there."""

    def __init__(self, sources: Sequence[str | None], samples: Iterable[str] = ()) -> None:
        """`sources` are patterns by their number. `samples` are texts like those to come, to know rare words by."""
        self._alternatives = [(n, one) for n, source in enumerate(sources) if source for one in alternatives(source)]
        ways = [ways_to_fit(one) for _, one in self._alternatives]
        words = sorted({word for some in ways for way in some for choice in way for word in choice})
        self._words = Words(words)
        self._always = [number for number, some in enumerate(ways) if not some]
        #: By word: the alternatives that it may be the rarest word of, each with what else must be there.
        self._likely: list[list[tuple[int, Choice]]] = [[] for _ in words]
        #: By word: the choices that it meets, those of no word among them.
        self._meets: list[set[Choice]] = [{_NOTHING} for _ in words]
        number_of = {word: number for number, word in enumerate(words)}
        common = _frequency(self._words, words, samples)
        for alternative, some in enumerate(ways):
            for way in some:
                rarest, other, *_ = [*sorted(way, key=common), _NOTHING, _NOTHING]
                other = other if other and common(other) < _COMMON else _NOTHING
                for word in rarest:
                    self._likely[number_of[word]].append((alternative, other))
                for word in other:
                    self._meets[number_of[word]].add(other)

    def passing(self, text: str) -> dict[int, list[str]]:
        """Return the patterns that may fit `text` by number, with those of their alternatives that may."""
        found = self._words.within(text.lower())
        met = _NOTHING.union(*[self._meets[word] for word in found])
        likely = {alternative for word in found for alternative, other in self._likely[word] if other in met}
        passing: dict[int, list[str]] = {}
        for number in sorted(likely.union(self._always)):
            pattern, alternative = self._alternatives[number]
            passing.setdefault(pattern, []).append(alternative)
        return passing


def _frequency(finder: Words, words: Sequence[str], samples: Iterable[str]) -> Callable[[Choice], float]:
    """Return a function that tells in which share of the samples one of some words occurs."""
    found = [finder.within(sample.lower()) for sample in samples]
    holding: dict[str, set[int]] = {word: set() for word in words}
    for at, numbers in enumerate(found):
        for number in numbers:
            holding[words[number]].add(at)

    @cache
    def share(choice: Choice) -> float:
        return len(set().union(*[holding[word] for word in choice])) / max(len(found), 1)

    return share


def alternatives(source: str) -> list[str]:
    """Return the patterns between which `source` chooses, itself if it is no choice, or has flags for the whole."""
    if _UNDIVIDED.match(source):
        return [source]
    if source.startswith("(?:") and _closing(source, 0) == len(source) - 1:
        return alternatives(source[3:-1])
    bars, at = [-1], 0
    while at < len(source):
        if source[at] in "([":
            at = _closing(source, at)
        elif source[at] == "|":
            bars.append(at)
        at += 2 if source[at : at + 1] == "\\" else 1
    parts = [source[begin + 1 : end] for begin, end in pairwise([*bars, len(source)])]
    return [one for part in parts for one in alternatives(part)] if len(parts) > 1 else parts


def _closing(source: str, at: int) -> int:
    """Return where the group or the class of characters that begins at `at` ends; behind the pattern if nowhere."""
    group, at = source[at] == "(", at + (1 if source[at] == "(" else 2)  # `]` right behind `[` stands for itself
    while at < len(source) and source[at] != (")" if group else "]"):
        if source[at] == "\\":
            at += 1
        elif group and source[at] in "([":
            at = _closing(source, at)
        at += 1
    return at


def ways_to_fit(source: str) -> tuple[tuple[Choice, ...], ...]:
    """Return choices of words, in lower case, the most telling first, for each way in which a text may fit a pattern.

    A text that fits holds one word of each choice of one way. Nothing if it may fit without any word.
    """
    try:
        ways = [tuple(_told(_needed(nodes))) for nodes in _ways(list(_parse(source)))]
    except (re.error, RecursionError):
        return ()
    return tuple(dict.fromkeys(ways)) if all(ways) else ()


def _ways(nodes: list[_Node]) -> list[list[_Node]]:
    """Return the sequences that a pattern chooses from, if it ends with a choice, each with what stands before it."""
    kind, value = nodes[-1] if nodes else ("", None)
    if str(kind) != "BRANCH" or not isinstance(value, tuple):
        return [nodes]
    return [way for branch in value[1] for way in _ways([*nodes[:-1], *branch])]


def _told(choices: Iterable[Choice]) -> list[Choice]:
    """Return the choices worth looking for: of long words, and few of them; the best one, however short."""
    ranked = sorted(set(choices), key=lambda choice: (_worth(choice), sorted(choice)), reverse=True)
    return ranked[:1] + [choice for choice in ranked[1:_MOST] if _worth(choice)[0] >= _SHORTEST]


def _needed(nodes: Iterable[_Node]) -> list[Choice]:
    """Return the choices that the parts of a sequence leave."""
    choices: list[Choice] = []
    run = ""
    for kind, value in nodes:
        if str(kind) == "LITERAL" and isinstance(value, int) and len(low := chr(value).lower()) == 1:
            run += low
            continue
        choices, run = _with_run(choices, run), ""
        choices += _inner(str(kind), value)
    return _with_run(choices, run)


def _with_run(choices: list[Choice], run: str) -> list[Choice]:
    return [*choices, frozenset({run})] if run.strip() else choices


def _inner(kind: str, value: object) -> list[Choice]:
    """Return the choices of a group, a repetition or an alternative; of that, the best of each branch together."""
    if kind == "SUBPATTERN" and isinstance(value, tuple):
        return _needed(value[-1])
    if kind in ("MAX_REPEAT", "MIN_REPEAT") and isinstance(value, tuple):
        return _needed(value[2]) if value[0] >= 1 else []
    if kind == "BRANCH" and isinstance(value, tuple):
        branches = [_needed(branch) for branch in value[1]]
        return [frozenset().union(*[max(branch, key=_worth) for branch in branches])] if all(branches) else []
    return []


def _worth(words: Choice) -> tuple[int, int]:
    shortest = min(map(len, words))
    return min(shortest, _TELLING), -len(words)
