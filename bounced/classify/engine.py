"""Many rules against one text in one pass: `re2.Set` says which patterns fit, the first rule in order decides.

RE2 matches in time linear in the text, whatever the pattern and whoever wrote the text.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import re2

from bounced.classify.rule import Rule, RuleError, When

_MEMORY = 256 << 20  # bytes a set of patterns may use for its automaton; a limit, not what it takes


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one finding offers to the rules. `final` is None where no code says whether it may be tried again."""

    text: str
    names: str
    status: str | None
    reply_code: str | None
    providers: frozenset[str]
    hosts: tuple[str, ...]
    type: str | None
    final: bool | None


class Patterns:
    """Distinct patterns under their numbers, matched together."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.numbers: dict[str, int] = {}
        self._compiled: dict[str, re2._Regexp] = {}
        self._set = re2.Set.SearchSet(_options())
        for pattern in patterns:
            if pattern not in self.numbers:
                self.numbers[pattern] = len(self.numbers)
                self._set.Add(pattern)
        if self.numbers:
            self._set.Compile()

    def found_in(self, text: str) -> frozenset[int]:
        """Return the numbers of the patterns that fit somewhere in `text`."""
        return frozenset(self._set.Match(text) or ()) if self.numbers and text else frozenset()

    def hit(self, pattern: str, text: str) -> str | None:
        """Return the stretch of `text` that one pattern fits, None if it does not."""
        compiled = self._compiled.get(pattern)
        if compiled is None:
            compiled = self._compiled[pattern] = re2.compile(pattern, _options())
        found = compiled.search(text)
        return found.group(0) if found else None


def check_pattern(pattern: str) -> None:
    """Raise RuleError if RE2 does not take a pattern."""
    try:
        re2.compile(pattern, _options())
    except re2.error as exc:
        said = exc.args[0].decode() if exc.args and isinstance(exc.args[0], bytes) else exc
        raise RuleError(
            f"RE2 does not take the pattern {pattern!r}: {said}; it has no look-ahead, look-behind or back-references"
        ) from exc


class Engine:
    """Rules in the order they are asked, and their patterns compiled once."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """`rules` are sorted here: the operator's first, then by layer, then as they stand in the files."""
        self.rules = tuple(sorted(rules, key=lambda rule: (not rule.local, rule.layer)))
        texts = [p for rule in self.rules for p in (rule.when.text, rule.when.also, rule.when.unless) if p]
        self._texts = Patterns(texts)
        self._names = Patterns([rule.when.names for rule in self.rules if rule.when.names])
        self._wordless = [n for n, rule in enumerate(self.rules) if not (rule.when.text or rule.when.names)]
        self._by_text = self._index("text", self._texts)
        self._by_names = self._index("names", self._names, lacking="text")

    def first(self, evidence: Evidence) -> Rule | None:
        """Return the first rule whose conditions all hold."""
        texts, names = self._texts.found_in(evidence.text), self._names.found_in(evidence.names)
        numbers = [n for found in texts for n in self._by_text.get(found, ())]
        numbers += [n for found in names for n in self._by_names.get(found, ())]
        numbers += self._wordless
        for number in sorted(numbers):
            if self._holds(self.rules[number].when, evidence, texts, names):
                return self.rules[number]
        return None

    def first_by_code(self, status: str | None, reply_code: str | None) -> Rule | None:
        """Return what the codes alone would say: the rules of the status and reply layers."""
        bare = Evidence("", "", status, reply_code, frozenset(), (), None, None)
        return self.first(bare)

    def matched(self, rule: Rule, evidence: Evidence) -> str | None:
        """Return the words, link or host that a rule fired on; for a rule of codes, the code."""
        when = rule.when
        if when.text:
            return self._texts.hit(when.text, evidence.text)
        if when.names:
            return self._names.hit(when.names, evidence.names)
        return evidence.status if when.status else evidence.reply_code

    def _index(self, field: str, patterns: Patterns, lacking: str | None = None) -> dict[int, list[int]]:
        """Return which rules ask for each pattern, as their numbers in order."""
        index: dict[int, list[int]] = {}
        for number, rule in enumerate(self.rules):
            pattern = getattr(rule.when, field)
            if pattern and not (lacking and getattr(rule.when, lacking)):
                index.setdefault(patterns.numbers[pattern], []).append(number)
        return index

    def _holds(self, when: When, evidence: Evidence, texts: frozenset[int], names: frozenset[int]) -> bool:
        return (
            self._words_hold(when, texts, names)
            and (when.final is None or when.final == evidence.final)
            and (not when.type or evidence.type in when.type)
            and (not when.status or any(status_fits(mask, evidence.status) for mask in when.status))
            and (not when.reply_code or any(_reply_fits(mask, evidence.reply_code) for mask in when.reply_code))
            and _receiver_fits(when, evidence)
        )

    def _words_hold(self, when: When, texts: frozenset[int], names: frozenset[int]) -> bool:
        number = self._texts.numbers
        return (
            (when.text is None or number[when.text] in texts)
            and (when.also is None or number[when.also] in texts)
            and (when.unless is None or number[when.unless] not in texts)
            and (when.names is None or self._names.numbers[when.names] in names)
        )


def status_fits(mask: str, status: str | None) -> bool:
    """Return whether an enhanced status code fits a mask such as `5.1.1`, `x.7.606-649` or `4.x.x`."""
    if status is None:
        return False
    want, have = mask.split("."), status.split(".")
    if len(have) != 3 or want[0] not in ("x", have[0]) or want[1] not in ("x", have[1]):
        return False
    low, _, high = want[2].partition("-")
    return low == "x" or low == have[2] or (bool(high) and int(low) <= int(have[2]) <= int(high))


def _reply_fits(mask: str, reply_code: str | None) -> bool:
    if reply_code is None or len(reply_code) != 3:
        return False
    return all(want in ("x", have) for want, have in zip(mask, reply_code, strict=True))


def _receiver_fits(when: When, evidence: Evidence) -> bool:
    if not (when.provider or when.mta):
        return True
    return not evidence.providers.isdisjoint(when.provider) or any(
        host == suffix or host.endswith("." + suffix) for host in evidence.hosts for suffix in when.mta
    )


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.max_mem = _MEMORY
    options.log_errors = False
    return options
