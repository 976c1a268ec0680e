"""The rules' examples, run through the whole set: what a person sees of them, and what is wrong with them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bounced.classify.rule import Example, Rule
from bounced.model import Verdict

Judge = Callable[[Example], Verdict]


@dataclass(frozen=True, slots=True)
class Proof:
    """One example and what came of it. `problem` is None where it went as the rule says, else file, id and advice."""

    rule: Rule
    example: Example
    wanted: bool
    verdict: Verdict
    problem: str | None


def prove(rules: Sequence[Rule], judge: Judge) -> Iterator[Proof]:
    """Yield a proof for each example of each rule: a match must be won by its rule, a reject must not."""
    owners = {rule.id: rule for rule in rules}
    for rule in rules:
        wins = [(example, judge(example)) for example in rule.matches]
        shadowed = len(wins) > 0 and all(verdict.rule != rule.id for _, verdict in wins)
        for example, verdict in wins:
            problem = None if verdict.rule == rule.id else _lost(rule, example, verdict, owners, shadowed)
            yield Proof(rule, example, True, verdict, problem)
        for example in rule.rejects:
            verdict = judge(example)
            problem = _stolen(rule, example) if verdict.rule == rule.id else None
            yield Proof(rule, example, False, verdict, problem)


def _lost(rule: Rule, example: Example, verdict: Verdict, owners: dict[str, Rule], shadowed: bool) -> str:
    winner = owners.get(verdict.rule)
    if winner is None:
        return f"{rule.file}: {rule.id}: nothing holds for its own match {example.reply!r}; widen `when` or correct it"
    if shadowed:
        return (
            f"{rule.file}: {rule.id}: shadowed by {winner.id} ({winner.file}), which takes all its matches "
            f"such as {example.reply!r}; move it before that rule or narrow that one"
        )
    return (
        f"{rule.file}: {rule.id}: its match {example.reply!r} is taken by {winner.id} ({winner.file}); "
        f"add `unless` there, move this rule up, or drop the text"
    )


def _stolen(rule: Rule, example: Example) -> str:
    return f"{rule.file}: {rule.id}: it takes {example.reply!r}, which it lists in `rejects`; narrow `when`"
