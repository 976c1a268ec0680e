"""Many rules against one text: a sieve says which are worth asking, the first in order that holds decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bounced.classify.patterns import Sieve, first_hit, pattern_of
from bounced.classify.rule import Rule, When


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What surrounds the words: few values that come again and again, so that rules are chosen by them once.

    `final` is None where no code says whether it may be tried again.
    """

    status: str | None
    reply_code: str | None
    providers: frozenset[str]
    type: str | None
    final: bool | None
    command: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one finding offers to the rules."""

    text: str
    names: str
    hosts: tuple[str, ...]
    around: Circumstances


class Engine:
    """Rules in the order they are asked."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """`rules` are sorted here: the operator's first, then by layer, then as they stand in the files."""
        self.rules = tuple(sorted(rules, key=lambda rule: (not rule.local, rule.layer)))
        samples = [example.reply for rule in self.rules for example in (*rule.matches, *rule.rejects)]
        self._sieve = Sieve([rule.when.text for rule in self.rules], samples)
        self._name_sieve = Sieve([rule.when.names for rule in self.rules if rule.when.names is not None])
        self._suffixes = frozenset(suffix for rule in self.rules for suffix in rule.when.mta)
        self._decided = lru_cache(4096)(self._first_anew)
        self._possible = lru_cache(4096)(self._possible_anew)
        self.first_by_status = lru_cache(1024)(self._first_by_status)

    def first(self, evidence: Evidence) -> tuple[Rule, str | None] | None:
        """Return the first rule whose conditions all hold, and the words, link, host or code it fired on.

        Names and hosts that no rule speaks of are left out first: what remains comes again with the next recipient.
        """
        names = evidence.names if evidence.names and self._name_sieve.passing(evidence.names) else ""
        hosts = tuple(host for host in evidence.hosts if self._is_known(host))
        return self._decided(Evidence(evidence.text, names, hosts, evidence.around))

    def _is_known(self, host: str) -> bool:
        """True if a rule names the host, or a domain it is in."""
        while host and host not in self._suffixes:
            host = host.partition(".")[2]
        return bool(host)

    def _first_anew(self, evidence: Evidence) -> tuple[Rule, str | None] | None:
        text, names = evidence.text.encode(), evidence.names.encode()
        likely = self._sieve.passing(evidence.text)
        worded, others = self._possible(evidence.around)
        for number in sorted(others.union(worded.intersection(likely))):
            rule = self.rules[number]
            if not _host_fits(rule.when, evidence):
                continue
            matched = _matched(rule.when, text, likely.get(number, ()), names, evidence.around)
            if matched is not None:
                return rule, matched or None
        return None

    def _possible_anew(self, around: Circumstances) -> tuple[frozenset[int], frozenset[int]]:
        """Return the numbers of the rules that may hold around a text: those that look for words, and the others."""
        fitting = [number for number, rule in enumerate(self.rules) if _fits(rule.when, around)]
        worded = frozenset(number for number in fitting if self.rules[number].when.text is not None)
        return worded, frozenset(fitting) - worded

    def _first_by_status(self, status: str) -> Rule | None:
        """Return what a status alone would say."""
        around = Circumstances(status, None, frozenset(), None, None, None)
        found = self.first(Evidence("", "", (), around))
        return found[0] if found else None


def _fits(when: When, around: Circumstances) -> bool:
    return (
        (when.final is None or when.final == around.final)
        and (not when.status or any(status_fits(mask, around.status) for mask in when.status))
        and (not when.reply_code or any(_reply_fits(mask, around.reply_code) for mask in when.reply_code))
        and (not when.type or around.type in when.type)
        and (not when.command or around.command in when.command)
        and (not when.provider or bool(when.mta) or not around.providers.isdisjoint(when.provider))
    )


def _matched(when: When, text: bytes, likely: Sequence[str], names: bytes, around: Circumstances) -> str | None:
    """Return what the conditions on words fit, the code for a rule of codes; None if they do not hold.

    `likely` are the alternatives of the pattern for the text that may fit.
    """
    matched: str | None = (around.status if when.status else around.reply_code) or ""
    if when.names is not None:
        matched = first_hit([when.names], names) if names else None
    if when.text is not None and matched is not None:
        matched = first_hit(likely, text)
    if matched is None or (when.also is not None and pattern_of(when.also).span(text) is None):
        return None
    return None if when.unless is not None and pattern_of(when.unless).span(text) is not None else matched


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


def _host_fits(when: When, evidence: Evidence) -> bool:
    """Return whether one of the hosts is named by the rule, or else its provider."""
    if not when.mta:
        return True
    named = any(host == suffix or host.endswith("." + suffix) for host in evidence.hosts for suffix in when.mta)
    return named or not evidence.around.providers.isdisjoint(when.provider)
