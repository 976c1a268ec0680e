"""From a masked wording to a rule that a person may take over: its phrase, its id, a guess at its reason, examples.

What is proposed quotes nobody: marks become names that are kept for examples (RFC 2606, RFC 5737).
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import yaml

from bounced.classify.masking import MARK, masked
from bounced.classify.rule import Rule
from bounced.classify.wording import fold
from bounced.model import DEAD, Proposal, Reason, Suggestion, Wording

#: Words of a phrase at most; fewer letters than this make none.
_WORDS, _LETTERS = 8, 6
#: How much of two wordings must be the same for the reason of one to be a guess for the other.
_ALIKE: Final = 0.2
_PIECE: Final = re.compile(r"[^\W_][\w'/-]*(?: [\w'/&-]+)*")
_CODE: Final = re.compile(r"(?<!\w)[245](?:\d\d|\.\d{1,3}\.\d{1,3})(?!\w)")
_SPECIAL: Final = re.compile(r"[\\.^$*+?{}\[\]|()]")
_STANDS_FOR: Final = {
    "<@>": "user@example.com",
    "<www>": "https://www.example.com/",
    "<host>": "mx.example.com",
    "<ip>": "192.0.2.1",
    "<id>": "x1",
    "<n>": "1",
    "<word>": "'x'",
}


@dataclass(frozen=True, slots=True)
class _Known:
    """An example of a rule, and the words in it."""

    rule: Rule
    reply: str
    words: frozenset[str]


class Neighbours:
    """The examples of rules, asked for those whose words are most alike."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._known = [
            _Known(rule, example.reply, _words(masked(example.reply))) for rule in rules for example in rule.matches
        ]
        self._seen = Counter(word for each in self._known for word in each.words)
        self._ids = {each.rule.id for each in self._known}

    def suggest(self, found: Wording) -> Suggestion | None:
        """Return a rule to begin with; None for a wording without words to know it by."""
        phrase = self.phrase(found.text)
        if phrase is None:
            return None
        near = self._nearest(_words(found.text))
        likely = near[0] if near and near[0][0] >= _ALIKE else None
        return Suggestion(
            Proposal(
                id=self._free(phrase),
                text=pattern(phrase),
                reason=likely[1].rule.reason if likely else Reason.UNKNOWN,
                because=_because(found),
                matches=(example(found.text),),
                rejects=tuple(self._others(phrase, near)),
                soft=bool(likely and likely[1].rule.reason in DEAD and not _is_final(found.text)),
            ),
            guessed=f"its words are like those of {likely[1].rule.id}" if likely else "",
        )

    def phrase(self, text: str) -> str | None:
        """Return the stretch of a masked wording that says most: words that seldom stand elsewhere."""
        cut = _CODE.sub("\n", MARK.sub("\n", text))
        pieces = [" ".join(hit[0].split(" ")[:_WORDS]) for hit in _PIECE.finditer(cut)]
        telling = [piece for piece in pieces if sum(map(str.isalpha, piece)) >= _LETTERS]
        return max(telling, key=self._says, default=None)

    def _says(self, piece: str) -> float:
        return sum(self._weight(word) for word in _words(piece))

    def _weight(self, word: str) -> float:
        return 1 / (1 + self._seen[word] / 5)

    def _nearest(self, words: frozenset[str]) -> list[tuple[float, _Known]]:
        """Return the examples that share words with these, the most alike first."""
        ranked = [(self._alike(words, each.words), each) for each in self._known if words & each.words]
        return sorted(ranked, key=lambda pair: (-pair[0], pair[1].rule.id))

    def _alike(self, one: frozenset[str], other: frozenset[str]) -> float:
        """Return the weight of the words that both have, by that of all: 0 to 1."""
        return sum(map(self._weight, one & other)) / sum(map(self._weight, one | other))

    def _others(self, phrase: str, near: Sequence[tuple[float, _Known]]) -> list[str]:
        """Return one text that is alike and yet must not be taken."""
        known = [each for _, each in near] or self._known
        without = (each.reply for each in known if fold(phrase).lower() not in fold(each.reply).lower())
        return [next(without, "250 2.0.0 accepted")]

    def _free(self, phrase: str) -> str:
        """Return an id that no rule has."""
        words = [word for word in re.split(r"[^a-z0-9]+", fold(phrase).lower()) if word]
        stem = "own." + ("-".join(words[:5]) or "wording")[:50]
        return next(
            name for n in range(1, len(self._ids) + 3) if (name := f"{stem}-{n}" if n > 1 else stem) not in self._ids
        )


def pattern(phrase: str) -> str:
    """Return the RE2 pattern that fits a phrase as it stands, and only whole words of it."""
    escaped = _SPECIAL.sub(lambda hit: "\\" + hit[0], phrase)
    before = r"\b" if phrase[0].isascii() and phrase[0].isalnum() else ""
    after = r"\b" if phrase[-1].isascii() and phrase[-1].isalnum() else ""
    return before + escaped + after


def example(text: str) -> str:
    """Return a text of the same wording that names nobody."""
    return MARK.sub(lambda hit: _STANDS_FOR[hit[0]], text).removesuffix(" …")


def as_yaml(proposal: Proposal) -> str:
    """Return the rule as it stands in a rule file."""
    when: dict[str, object] = {"provider": [proposal.provider]} if proposal.provider else {}
    rule: dict[str, object] = {
        "id": proposal.id,
        "when": when | {"text": proposal.text},
        "reason": str(proposal.reason),
    }
    if proposal.fault:
        rule["fault"] = str(proposal.fault)
    if proposal.soft:
        rule["category"] = "soft"
    rule["because"] = proposal.because
    rule["matches"] = [_said(text, proposal) for text in proposal.matches]
    rule["rejects"] = [_said(text, proposal) for text in proposal.rejects]
    return yaml.safe_dump([rule], sort_keys=False, allow_unicode=True, width=110)


def _said(text: str, proposal: Proposal) -> object:
    return {"reply": text, "mta": proposal.host} if proposal.provider and proposal.host else text


def _because(found: Wording) -> str:
    where = ", ".join(name for name, _ in found.providers[:3]) or "no known provider"
    return f"Seen {found.amount} times from {found.first_at:%Y-%m-%d} to {found.last_at:%Y-%m-%d} at {where}."


def _is_final(text: str) -> bool:
    return text.lstrip().startswith("5")


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in re.findall(r"[^\W\d_]{2,}", fold(MARK.sub(" ", text)).lower()) if len(word) > 2)
