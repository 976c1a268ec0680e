"""One rule: what it looks for, what it says, why it exists, and texts that prove it. And its reading from YAML data.

The layer of a rule follows from its conditions: one that names a provider or a host is a receiver's; else one that
looks at words is a phrase; else one that looks at the status is a status rule; what is left looks at the reply code.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from bounced.classify.wording import fold
from bounced.model import Category, Fault, Reason


class Layer(IntEnum):
    """Which rules are asked first: a receiver's own meaning, then words, then codes."""

    RECEIVER = 0
    PHRASE = 1
    STATUS = 2
    REPLY = 3


@dataclass(frozen=True, slots=True)
class When:
    """The conditions of a rule; all that are given must hold. `command` is the SMTP command that was refused.

    `text`, `also` and `unless` are RE2 patterns for the folded words, `names` for the links and hosts in them.
    `status` holds masks such as `5.1.1`, `x.7.606-649` or `4.x.x` (`none`: there is no status), `reply_code` such as
    `550` or `4xx`.
    """

    text: str | None = None
    also: str | None = None
    unless: str | None = None
    names: str | None = None
    status: tuple[str, ...] = ()
    reply_code: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()
    mta: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    final: bool | None = None

    @property
    def layer(self) -> Layer:
        """The layer that these conditions belong to."""
        if self.provider or self.mta:
            return Layer.RECEIVER
        if self.text or self.names:
            return Layer.PHRASE
        return Layer.STATUS if self.status else Layer.REPLY


@dataclass(frozen=True, slots=True)
class Example:
    """A reply in our own words, with what surrounds it where that matters."""

    reply: str
    mta: str | None = None
    recipient: str | None = None
    status: str | None = None
    type: str | None = None
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """`category` soft caps it: never hard, however final the refusal. `fault` overrides what the reason implies."""

    id: str
    file: str
    when: When
    reason: Reason
    because: str
    matches: tuple[Example, ...]
    rejects: tuple[Example, ...]
    fault: Fault | None = None
    category: Category | None = None
    local: bool = False

    @property
    def layer(self) -> Layer:
        """Which rules this one is asked among."""
        return self.when.layer


class RuleError(Exception):
    """What is wrong with one rule, in words; the loader adds file and id."""


_PATTERNS = ("text", "also", "unless", "names")
_LISTS = ("status", "reply_code", "provider", "mta", "type", "command")
_KEYS = ("id", "when", "reason", "because", "matches", "rejects", "fault", "category")
_WORD = re.compile(r"%\{(\w+)\}")
_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
_STATUS_MASK = re.compile(r"none|[245x]\.(?:\d{1,3}|x)\.(?:\d{1,3}(?:-\d{1,3})?|x)")
_REPLY_MASK = re.compile(r"[2-5](?:\d\d|\dx|xx)")
_DECIDABLE = frozenset(set(Reason) - {Reason.ABUSE, Reason.FRAUD, Reason.VIRUS, Reason.OTHER})


def rule_of(data: object, file: str, words: Mapping[str, str], local: bool) -> Rule:
    """Return the rule that YAML data describes. Raises RuleError saying what to change."""
    fields = _mapping(data, _KEYS, "a rule")
    identity = fields.get("id")
    if not isinstance(identity, str) or not _ID.fullmatch(identity):
        raise RuleError("want an id of lower-case letters, digits, dots and dashes")
    because = fields.get("because")
    if not isinstance(because, str) or not because.strip():
        raise RuleError("want `because`: a sentence for the person who asks why")
    return Rule(
        id=identity,
        file=file,
        when=_when(fields.get("when"), words),
        reason=_reason(fields.get("reason")),
        because=because.strip(),
        matches=_examples(fields.get("matches"), "matches"),
        rejects=_examples(fields.get("rejects"), "rejects"),
        fault=Fault(_one_of(fields["fault"], tuple(map(str, Fault)), "fault")) if "fault" in fields else None,
        category=_category(fields.get("category")),
        local=local,
    )


def _when(data: object, words: Mapping[str, str]) -> When:
    known = (*_PATTERNS, *_LISTS, "final")
    fields = _mapping(data, known, "when")
    if not fields or set(fields) <= {"unless", "also", "final", "type", "command"}:
        raise RuleError("want a condition in `when`: text, names, status, reply_code, provider or mta")
    final = fields.get("final")
    if final is not None and not isinstance(final, bool):
        raise RuleError("when.final: want true or false")
    patterns = {key: _pattern(fields.get(key), words, key) for key in _PATTERNS}
    lists = {key: _strings(fields.get(key), f"when.{key}") for key in _LISTS}
    _check_masks(lists["status"], _STATUS_MASK, "when.status", "5.1.1, x.7.600-649, 4.x.x or none")
    _check_masks(lists["reply_code"], _REPLY_MASK, "when.reply_code", "550, 55x or 4xx")
    return When(
        **patterns,
        status=lists["status"],
        reply_code=lists["reply_code"],
        provider=lists["provider"],
        mta=tuple(host.lower().strip(".") for host in lists["mta"]),
        type=tuple(kind.lower() for kind in lists["type"]),
        command=tuple(verb.upper() for verb in lists["command"]),
        final=final,
    )


def _pattern(value: object, words: Mapping[str, str], key: str) -> str | None:
    """Return a pattern with its `%{word}`s put in, folded as texts are; a list means any of them."""
    if value is None:
        return None
    parts = _strings(value, f"when.{key}")
    pattern = "|".join(f"(?:{part})" for part in parts) if len(parts) > 1 else parts[0]
    return fold(expand(pattern, words))


def expand(pattern: str, words: Mapping[str, str]) -> str:
    """Return `pattern` with each `%{name}` replaced by its words in a group. Raises RuleError for an unknown name."""

    def put(hit: re.Match[str]) -> str:
        if hit[1] not in words:
            raise RuleError(f"unknown word %{{{hit[1]}}}{_meant(hit[1], tuple(words))}")
        return f"(?:{words[hit[1]]})"

    for _ in range(5):
        if "%{" not in pattern:
            break
        pattern = _WORD.sub(put, pattern)
    return pattern


def _mapping(data: object, known: tuple[str, ...], what: str) -> Mapping[str, object]:
    if data is None:
        return MappingProxyType({})
    if not isinstance(data, dict):
        raise RuleError(f"{what}: want keys and values, got {type(data).__name__}")
    for key in data:
        if key not in known:
            raise RuleError(f"{what}: unknown key {key!r}{_meant(str(key), known)}")
    return data


def _strings(value: object, what: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(one, str) and one for one in values):
        raise RuleError(f"{what}: want text in quotes, or a list of such")
    return tuple(values)


def _examples(value: object, what: str) -> tuple[Example, ...]:
    if not isinstance(value, list) or not value:
        raise RuleError(f"want at least one text in `{what}`")
    return tuple(_example(one, what) for one in value)


def _example(value: object, what: str) -> Example:
    if isinstance(value, str):
        return Example(value)
    fields = _mapping(value, ("reply", "mta", "recipient", "status", "type", "command"), what)
    if not all(isinstance(field, str) for field in fields.values()) or "reply" not in fields:
        raise RuleError(f"{what}: want a text, or `reply` with mta, recipient, status or type, all in quotes")
    return Example(**{key: str(field) for key, field in fields.items()})


def _reason(value: object) -> Reason:
    return Reason(_one_of(value, tuple(sorted(map(str, _DECIDABLE))), "reason"))


def _category(value: object) -> Category | None:
    return None if value is None else Category(_one_of(value, (str(Category.SOFT),), "category"))


def _one_of(value: object, choices: tuple[str, ...], what: str) -> str:
    if value not in choices:
        raise RuleError(f"{what}: got {value!r}, want one of {', '.join(choices)}{_meant(str(value), choices)}")
    return str(value)


def _check_masks(masks: tuple[str, ...], shape: re.Pattern[str], what: str, want: str) -> None:
    for mask in masks:
        if not shape.fullmatch(mask):
            raise RuleError(f"{what}: got {mask!r}, want masks such as {want}")


def _meant(word: str, choices: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, choices, n=1)
    return f", did you mean '{close[0]}'?" if close else ""
