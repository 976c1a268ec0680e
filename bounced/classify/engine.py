"""Many rules against one text: a sieve says which are worth asking, the first in order that holds decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bounced.classify.patterns import Sieve, pattern_of
from bounced.classify.rule import Rule, When


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
    command: str | None = None


class Engine:
    """Rules in the order they are asked, and their patterns compiled once."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """`rules` are sorted here: the operator's first, then by layer, then as they stand in the files."""
        self.rules = tuple(sorted(rules, key=lambda rule: (not rule.local, rule.layer)))
        self._sieve = Sieve([rule.when.text for rule in self.rules])

    def first(self, evidence: Evidence) -> Rule | None:
        """Return the first rule whose conditions all hold."""
        text, names = evidence.text.encode(), evidence.names.encode()
        for number in self._sieve.passing(evidence.text):
            when = self.rules[number].when
            if _codes_hold(when, evidence) and _receiver_fits(when, evidence) and _words_hold(when, text, names):
                return self.rules[number]
        return None

    @lru_cache(maxsize=1024)  # noqa: B019  an engine lives as long as the program, or until the next reload
    def first_by_status(self, status: str) -> Rule | None:
        """Return what a status alone would say."""
        return self.first(Evidence("", "", status, None, frozenset(), (), None, None))

    @staticmethod
    def matched(rule: Rule, evidence: Evidence) -> str | None:
        """Return the words, link or host that a rule fired on; for a rule of codes, the code."""
        when = rule.when
        if when.text:
            return pattern_of(when.text).hit(evidence.text)
        if when.names:
            return pattern_of(when.names).hit(evidence.names)
        return evidence.status if when.status else evidence.reply_code


def _codes_hold(when: When, evidence: Evidence) -> bool:
    return (
        (when.final is None or when.final == evidence.final)
        and (not when.status or any(status_fits(mask, evidence.status) for mask in when.status))
        and (not when.reply_code or any(_reply_fits(mask, evidence.reply_code) for mask in when.reply_code))
        and (not when.type or evidence.type in when.type)
        and (not when.command or evidence.command in when.command)
    )


def _words_hold(when: When, text: bytes, names: bytes) -> bool:
    return (
        (when.names is None or (bool(names) and pattern_of(when.names).fits(names)))
        and (when.text is None or pattern_of(when.text).fits(text))
        and (when.also is None or pattern_of(when.also).fits(text))
        and (when.unless is None or not pattern_of(when.unless).fits(text))
    )


def status_fits(mask: str, status: str | None) -> bool:
    """Return whether a status fits a mask such as `5.1.1`, `x.7.606-649`, `4.x.x`, or `none` for the lack of one."""
    if status is None or mask == "none":
        return status is None and mask == "none"
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
