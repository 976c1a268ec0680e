"""The review queue: what is kept of unclear reports, grouped by masked wording; and rules that a person makes of it."""

import hashlib
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fcntl import LOCK_EX, flock
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final, Protocol

from bounced.classify import Rules
from bounced.classify.masking import masked
from bounced.classify.proposing import Neighbours, as_yaml
from bounced.classify.rule import Layer
from bounced.errors import ConfigError
from bounced.model import FAULT_OF, Cause, Proposal, Reason, Settled, Suggestion, Trial, Unclear, Wording

#: The file in the operator's folder of rules that accepted ones are written to.
FILE: Final = "accepted.yaml"
#: How many of the newest unclear reports are grouped, and of all failures a proposed rule is tried on.
MOST, TRIED = 20_000, 5_000
_EXAMPLES: Final = 5
_HEAD: Final = (
    "# Rules accepted from the review queue (`bounced review`). They are yours: change and move them as you like.\n"
)

_masked = lru_cache(4096)(masked)


class Queue(Protocol):
    """What the review asks of the store."""

    def unclear(self, since: datetime, limit: int) -> Sequence[Unclear]:
        """Return the newest events that a person should look at."""

    def recent(self, since: datetime, limit: int) -> Sequence[Unclear]:
        """Return the newest failures, whatever was made of them."""

    def quarantined(self, since: datetime, limit: int) -> Sequence[Unclear]:
        """Return the newest messages that could not be read."""

    def settled(self) -> Mapping[str, Settled]:
        """Return what persons said, by the key of the wording."""

    def settle(self, word: Settled) -> None:
        """Write down a person's word."""


@dataclass(frozen=True)
class Review:
    """The queue of one installation. `local` is the operator's folder of rules; None where there is none."""

    store: Queue
    rules: Rules
    local: Path | None

    def wordings(self, since: datetime, everything: bool = False) -> list[Wording]:
        """Return what came from `since` on, by cause and wording, the most frequent first.

        What a person has settled is left out until it comes again; with `everything` it is not. Raises StoreDown.
        """
        words = {} if everything else self.store.settled()
        unclear = (each for each in self.store.unclear(since, MOST) if not self._is_explained(each))
        found = [*unclear, *self.store.quarantined(since, MOST)]
        return sorted(_grouped(found, words), key=lambda each: (-each.amount, each.key))

    def wording(self, key: str, since: datetime) -> Wording | None:
        """Return one wording, settled or not; None if nothing like it came from `since` on."""
        return next((each for each in self.wordings(since, everything=True) if each.key == key), None)

    def suggest(self, found: Wording) -> Suggestion | None:
        """Return a rule to begin with; None where no rule can help, or there are no words to know it by."""
        if found.cause in (Cause.QUARANTINE, Cause.PUZZLING, Cause.NOBODY):
            return None
        made = self._neighbours.suggest(found)
        if made is None or made.proposal.reason is not Reason.UNKNOWN or not found.statuses:
            return made
        status = found.statuses[0][0]
        by_code = self.rules.classify_reply(f"550 {status} x").reason or Reason.UNKNOWN
        guessed = f"status {status} means that, if it is to be believed" if by_code is not Reason.UNKNOWN else ""
        return replace(made, proposal=replace(made.proposal, reason=by_code), guessed=guessed)

    def yaml(self, proposal: Proposal) -> str:
        """Return a rule as it stands in a rule file."""
        return as_yaml(proposal)

    def host_of(self, provider: str) -> str | None:
        """Return a host of a provider, to stand in examples."""
        return self.rules.host_of(provider)

    def try_out(self, proposal: Proposal, since: datetime) -> Trial:
        """Return what a rule would come to, on the newest failures from `since` on; nothing is changed."""
        text = as_yaml(proposal)
        with tempfile.TemporaryDirectory(prefix="bounced-rules-") as folder:
            candidate = self._copied(Path(folder) / "rules")
            (candidate / FILE).write_text(_appended(candidate / FILE, text), encoding="utf-8")
            try:
                rules = Rules.load(None, candidate)
            except ConfigError as exc:
                return Trial(text, tuple(exc.problems))
        return self._tried(text, rules.alone(proposal.id), self.store.recent(since, TRIED))

    def accept(self, key: str, proposal: Proposal, actor: str, now: datetime) -> Trial:
        """Write the rule into the operator's folder, if the whole set holds with it; else say why not.

        Whoever reads rules has to be told to read them again. Raises StoreDown.
        """
        problem = self._why_not()
        if problem or self.local is None:
            return Trial(as_yaml(proposal), (problem,))
        note = f"# Accepted on {now:%Y-%m-%d} by {_line(actor)}.\n"
        try:
            with _alone(self.local):
                trial = self.try_out(proposal, now - timedelta(days=30))
                if not trial.problems:
                    file = self.local / FILE
                    _replace(file, _appended(file, note + trial.yaml))
        except OSError as exc:
            return Trial(as_yaml(proposal), (f"{exc.filename or self.local}: cannot be written: {exc.strerror}",))
        if not trial.problems:
            self.store.settle(Settled(key, now, actor, f"rule {proposal.id}"))
        return replace(trial, file=str(self.local / FILE))

    def dismiss(self, key: str, actor: str, now: datetime) -> None:
        """Ask no more about what came of a wording until now. Raises StoreDown."""
        self.store.settle(Settled(key, now, actor, "dismissed"))

    def _is_explained(self, each: Unclear) -> bool:
        """True where the rule of a receiver, or one of the operator's, decided against a code: it knows better."""
        return each.cause is Cause.CONTRADICTION and each.rule in self._knowing

    @cached_property
    def _knowing(self) -> frozenset[str]:
        return frozenset(rule.id for rule in self.rules.rules if rule.local or rule.layer is Layer.RECEIVER)

    @cached_property
    def _neighbours(self) -> Neighbours:
        return Neighbours(self.rules.rules)

    def _why_not(self) -> str:
        if self.local is None:
            return "rules.local: no folder of your own rules is configured; make one, name it there, and reload"
        return "" if self.local.is_dir() else f"{self.local}: is no folder"

    def _copied(self, folder: Path) -> Path:
        """Make a folder of the operator's rules as they are now."""
        if self.local is not None and self.local.is_dir():
            shutil.copytree(self.local, folder)
        else:
            folder.mkdir()
        return folder

    def _tried(self, text: str, rule: Rules, recent: Sequence[Unclear]) -> Trial:
        hits, moves = 0, Counter[tuple[str, str]]()
        for each in recent:
            now = rule.classify_reply(each.text, each.remote_mta, each.address)
            if now.rule == "none":
                continue
            hits += 1
            verdict = _verdict(str(now.category) if each.category else None, now.reason, now.fault)
            if (now.reason, now.fault) != (each.reason, each.fault) or (
                each.category and now.category != each.category
            ):
                moves[_verdict(each.category, each.reason, each.fault), verdict] += 1
        listed = tuple((before, after, amount) for (before, after), amount in moves.most_common(10))
        return Trial(text, (), len(recent), hits, sum(moves.values()), listed)


def key_of(cause: Cause, text: str) -> str:
    """Return what names a wording: 16 hex digits."""
    return hashlib.sha256(f"{cause}\0{text.casefold()}".encode("utf-8", "replace")).hexdigest()[:16]


def implied_fault(reason: Reason) -> str:
    """Return whose fault a reason is, if the rule does not say otherwise."""
    return str(FAULT_OF[reason])


def _grouped(found: Iterable[Unclear], words: Mapping[str, Settled]) -> Iterator[Wording]:
    groups: dict[str, tuple[str, list[Unclear]]] = {}
    for each in found:
        text = _masked(each.text) or f"({each.source})"
        key = key_of(each.cause, f"{text} {_rule(each)}".strip())
        if key not in words or each.at > words[key].at:
            groups.setdefault(key, (text, []))[1].append(each)
    for key, (text, members) in groups.items():
        yield _wording(key, text, members)


def _rule(each: Unclear) -> str:
    """Return the rule that is told apart, for a contradiction."""
    return each.rule if each.cause is Cause.CONTRADICTION else ""


def _wording(key: str, text: str, members: Sequence[Unclear]) -> Wording:
    newest = sorted(members, key=lambda each: each.at, reverse=True)
    return Wording(
        key=key,
        cause=newest[0].cause,
        text=text,
        amount=len(newest),
        addresses=len({each.address for each in newest if each.address}),
        providers=Counter(each.provider for each in newest if each.provider).most_common(),
        statuses=Counter(each.status for each in newest if each.status).most_common(),
        verdicts=Counter(_verdict(each.category, each.reason, each.fault) for each in newest).most_common(),
        first_at=newest[-1].at,
        last_at=newest[0].at,
        examples=tuple(newest[:_EXAMPLES]),
        rule=_rule(newest[0]),
    )


def _verdict(category: str | None, reason: str | None, fault: str | None) -> str:
    """Return a verdict in words."""
    return " ".join(filter(None, (category, reason, f"({fault})" if reason and fault else ""))) or "nothing"


def _line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:200]


def _appended(file: Path, rule: str) -> str:
    """Return the file with a rule at its end."""
    before = file.read_text(encoding="utf-8") if file.exists() else _HEAD
    return before + ("" if before.endswith("\n") else "\n") + rule


def _replace(file: Path, content: str) -> None:
    """Put a file in the place of another at once: whoever reads sees the old or the new, also after a crash."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, suffix=".tmp", delete=False) as made:
        made.write(content)
        made.flush()
        os.fsync(made.fileno())
    Path(made.name).chmod(file.stat().st_mode & 0o777 if file.exists() else 0o644)
    Path(made.name).replace(file)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes and threads from writing there meanwhile."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        flock(handle, LOCK_EX)
        yield
    finally:
        os.close(handle)
