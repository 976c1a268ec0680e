"""The review queue and the rules of one configuration, as HTTP shows them."""

from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING

from bounced.config import Config
from bounced.model import FAULT_OF
from bounced.reviewing import Review
from bounced.serve.reviewing import RuleShown

if TYPE_CHECKING:
    from bounced.classify import Rules
    from bounced.classify.rule import Example, Rule, When
    from bounced.store import Store


def review(config: Config, store: "Store", rules: "Rules") -> Review:
    """Return the queue; rules that are accepted go to the operator's folder, if one is configured."""
    return Review(store, rules, config.rules.local)


def shown(rules: "Rules") -> tuple[RuleShown, ...]:
    """Return the rules in the order in which they are asked."""
    return tuple(map(_shown, rules.rules))


def _shown(rule: "Rule") -> RuleShown:
    return RuleShown(
        id=rule.id,
        layer=rule.layer.name.lower(),
        reason=str(rule.reason),
        category=str(rule.category) if rule.category else None,
        fault=str(rule.fault or FAULT_OF[rule.reason]),
        file=rule.file,
        local=rule.local,
        because=rule.because,
        when=tuple(_conditions(rule.when)),
        matches=tuple(map(_said, rule.matches)),
        rejects=tuple(map(_said, rule.rejects)),
    )


def _conditions(when: "When") -> "Iterator[tuple[str, str]]":
    for field in fields(when):
        match getattr(when, field.name):
            case None | ():
                continue
            case tuple() as several:
                yield field.name, ", ".join(several)
            case bool() as holds:
                yield field.name, str(holds).lower()
            case value:
                yield field.name, str(value)


def _said(example: "Example") -> str:
    names = ("mta", "recipient", "status", "type", "command")
    around = [f"{name} {value}" for name in names if (value := getattr(example, name))]
    return f"{example.reply} ({', '.join(around)})" if around else example.reply
