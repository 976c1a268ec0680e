"""Reports to verdicts: the rules of both folders, asked about every finding."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from bounced.address import domain_of
from bounced.classify import codes
from bounced.classify.engine import Circumstances, Engine, Evidence
from bounced.classify.folder import read_rules, shipped_folder
from bounced.classify.proof import Proof, prove
from bounced.classify.providers import Providers, load_providers
from bounced.classify.rule import Example, Layer, Rule
from bounced.classify.wording import MAX_TEXT, collapse, wording
from bounced.errors import ConfigError
from bounced.model import DEAD, FAULT_OF, Action, Category, Fault, Finding, Kind, Reason, Report, Verdict

_CACHED = 8192  # decisions kept; the same reply comes many times in a day
_A_WORD = re.compile(r"[^\W\d_]{3}|[^\W\d_\x00-\x7f]{2}")  # a diagnostic without one says nothing

_COMPLAINTS = {
    "abuse": Reason.ABUSE,
    "spam": Reason.ABUSE,
    "complaint": Reason.ABUSE,
    "fraud": Reason.FRAUD,
    "phishing": Reason.FRAUD,
    "virus": Reason.VIRUS,
    "malware": Reason.VIRUS,
}
_NO_COMPLAINTS = frozenset({"not-spam", "auth-failure", "dmarc", "opt-out", "opt-out-list"})


@dataclass(frozen=True, slots=True)
class _Question:
    """All that a decision depends on; equal questions have equal answers."""

    text: str
    reported: str | None
    reply_code: str | None
    type: str | None
    provider: str | None
    mta: str | None
    command: str | None


@dataclass(frozen=True, slots=True)
class _Decision:
    category: Category
    reason: Reason
    fault: Fault
    rule: str
    codes: codes.Codes
    matched: str | None
    basis: tuple[str, ...]
    disagreed: tuple[str, ...]


class Rules:
    """A set of rules that passed its own examples; immutable, safe to share between threads."""

    def __init__(self, rules: tuple[Rule, ...], providers: Providers) -> None:
        self._engine = Engine(rules)
        self._providers = providers
        self._provider_of = lru_cache(_CACHED)(providers.of)
        self._decide = lru_cache(_CACHED)(self._decide_anew)

    @classmethod
    def load(cls, shipped: Path | None = None, local: Path | None = None) -> "Rules":
        """Return the shipped rules with the operator's before them.

        Every example is run: the shipped ones through the shipped rules, so that an operator may overrule them, the
        operator's through the whole set. Raises ConfigError naming file and id of each rule at fault.
        """
        shipped = shipped or shipped_folder()
        found = read_rules(shipped, local)
        tables = [folder / "providers.csv" for folder in (shipped, local) if folder]
        providers = load_providers(path for path in tables if path.is_file())
        own = cls(tuple(rule for rule in found if not rule.local), providers)
        problems = [proof.problem for proof in own.proofs() if proof.problem]
        whole = own
        if local is not None:
            whole = cls(found, providers)
            problems += [proof.problem for proof in whole.proofs() if proof.problem and proof.rule.local]
        if problems:
            raise ConfigError(problems)
        return whole

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in the order they are asked."""
        return self._engine.rules

    def proofs(self) -> Iterator[Proof]:
        """Yield each example of each rule with what the whole set makes of it."""
        return prove(self._engine.rules, self._judge_example)

    def alone(self, id_: str) -> "Rules":
        """Return the set of this one rule: of all other texts it says that no rule holds (`none`)."""
        return Rules(tuple(rule for rule in self.rules if rule.id == id_), self._providers)

    def host_of(self, provider: str) -> str | None:
        """Return a host that tells a provider; None for one that is not known."""
        tables = (*self._providers.hosts.items(), *self._providers.domains.items())
        return next((f"mx.{suffix}" for suffix, name in tables if name == provider), None)

    def provider_of(self, domain: str | None, mta: str | None) -> str | None:
        """Return who runs the mailboxes of `domain`, by its name or by the host that answered."""
        return self._providers.of(domain, mta)

    def classify(self, report: Report) -> tuple[Verdict, ...]:
        """Return one verdict a finding, in order; without a category where nothing failed."""
        if report.kind is Kind.COMPLAINT:
            return tuple(self._complaint(report, finding) for finding in report.findings)
        if report.kind in (Kind.BOUNCE, Kind.DELAYED, Kind.DELIVERED):
            return tuple(self._finding(finding) for finding in report.findings)
        return tuple(self._nothing(finding, f"kind.{report.kind}") for finding in report.findings)

    def classify_reply(self, text: str, mta: str | None = None, recipient: str | None = None) -> Verdict:
        """Return the verdict on one SMTP reply that a sender was given in the dialogue itself."""
        return self._finding(Finding(recipient, diagnostic=text, remote_mta=mta))

    def _judge_example(self, example: Example) -> Verdict:
        return self._finding(
            Finding(
                example.recipient,
                diagnostic=example.reply,
                remote_mta=example.mta,
                status=example.status,
                diagnostic_type=example.type,
                command=example.command,
            )
        )

    def _finding(self, finding: Finding) -> Verdict:
        if finding.action not in (Action.FAILED, Action.DELAYED):
            return self._nothing(finding, f"action.{finding.action}")
        source, text = _words_of(finding)
        provider = self._provider(finding)
        decision = self._ask(finding, text, provider)
        if source == "diagnostic" and finding.text and decision.reason is Reason.UNKNOWN:
            second = self._ask(finding, finding.text[: 2 * MAX_TEXT], provider)
            if second.reason is not Reason.UNKNOWN:
                source, decision = "text", replace(second, codes=decision.codes)
        basis = decision.basis
        if "words" in basis:
            basis = tuple([source if word == "words" else word for word in basis])
        return Verdict(
            finding=finding,
            category=decision.category if finding.action is Action.FAILED else None,
            reason=decision.reason,
            fault=decision.fault,
            rule=decision.rule,
            status=decision.codes.status,
            reply_code=decision.codes.reply_code,
            provider=provider,
            matched=decision.matched,
            basis=basis,
            disagreed=decision.disagreed,
        )

    def _ask(self, finding: Finding, text: str, provider: str | None) -> _Decision:
        question = _Question(
            text=text,
            reported=finding.status,
            reply_code=finding.reply_code,
            type=(finding.diagnostic_type or "").strip().lower() or None,
            provider=provider,
            mta=_host(finding.remote_mta),
            command=finding.command or (codes.command_in(finding.text) if finding.text else None),
        )
        return self._decide(question)

    def _decide_anew(self, question: _Question) -> _Decision:
        said = collapse(question.text)
        found = codes.refine(question.reported, question.reply_code, said, local=question.type == "x-unix")
        evidence = self._evidence(question, said, found)
        first = self._engine.first(evidence)
        if first is None:
            return _Decision(Category.SOFT, Reason.UNKNOWN, Fault.NONE, "none", found, None, (), ())
        rule, matched = first
        return _Decision(
            category=_category(rule, evidence),
            reason=rule.reason,
            fault=rule.fault or FAULT_OF[rule.reason],
            rule=rule.id,
            codes=found,
            matched=matched,
            basis=_basis(rule, question, found),
            disagreed=self._disagreed(rule, matched, evidence.around),
        )

    def _evidence(self, question: _Question, said: str, found: codes.Codes) -> Evidence:
        words = wording(said, found.reply_code)
        spoken = codes.speakers(said)
        hosts = tuple(host for host in (question.mta, *spoken) if host)
        providers = {self._providers.of_host(host) for host in hosts} | {question.provider}
        around = Circumstances(
            status=found.status,
            reply_code=found.reply_code,
            providers=frozenset(name for name in providers if name),
            type=question.type,
            final=codes.is_final(said, found),
            command=question.command or codes.command_in(said),
        )
        return Evidence(words.text, words.names, hosts, around)

    def _disagreed(self, rule: Rule, matched: str | None, around: Circumstances) -> tuple[str, ...]:
        """Return what spoke against a rule of words: a code that alone would have meant something else."""
        against = []
        status, reply = around.status, around.reply_code
        if rule.layer <= Layer.PHRASE and not rule.when.status and status and not codes.is_weak(status):
            other = self._engine.first_by_status(status)
            if other and other.reason not in (rule.reason, Reason.UNKNOWN):
                against.append(f'status {status} against text "{matched}"')
        if status and reply and status[0] != reply[0]:
            against.append(f"status {status} against reply code {reply}")
        return tuple(against)

    def _provider(self, finding: Finding) -> str | None:
        recipient = finding.original_recipient or finding.recipient or finding.final_recipient or ""
        return self._provider_of(domain_of(recipient), _host(finding.remote_mta))

    def _complaint(self, report: Report, finding: Finding) -> Verdict:
        feedback = report.feedback.feedback_type.strip().lower() if report.feedback else "abuse"
        if feedback in _NO_COMPLAINTS:
            return self._nothing(finding, f"feedback.{feedback}")
        reason = _COMPLAINTS.get(feedback, Reason.OTHER)
        return Verdict(
            finding=finding,
            category=Category.COMPLAINT,
            reason=reason,
            fault=FAULT_OF[reason],
            rule=f"feedback.{reason}",
            provider=self._provider(finding),
            matched=feedback,
            basis=("feedback_type",),
        )

    def _nothing(self, finding: Finding, rule: str) -> Verdict:
        return Verdict(
            finding,
            None,
            None,
            Fault.NONE,
            rule,
            status=finding.status,
            provider=self._provider(finding),
            basis=("action",),
        )


def _words_of(finding: Finding) -> tuple[str, str]:
    """Return the field to search and its text: the human part only where the machine part has no words."""
    diagnostic = finding.diagnostic or ""
    if not finding.text or _A_WORD.search(diagnostic):
        return "diagnostic", diagnostic[: 2 * MAX_TEXT]
    return "text", f"{diagnostic} {finding.text[: 2 * MAX_TEXT]}" if diagnostic else finding.text[: 2 * MAX_TEXT]


def _host(mta: str | None) -> str | None:
    """Return the host name in a Remote-MTA field, whatever stands around it."""
    if not mta:
        return None
    words = mta.rpartition(";")[2].replace("(", " ").replace("[", " ").split()
    return words[0].lower().strip(".<>") if words else None


def _category(rule: Rule, evidence: Evidence) -> Category:
    """Return hard only for a dead address that was refused for good; every temporary answer is soft."""
    dead = rule.reason in DEAD and rule.category is not Category.SOFT
    return Category.HARD if dead and evidence.around.final is not False else Category.SOFT


def _basis(rule: Rule, question: _Question, found: codes.Codes) -> tuple[str, ...]:
    when = rule.when
    fields = [
        ("words", when.text or when.names),
        ("status", when.status),
        ("reply_code", when.reply_code or (when.final is not None and found.reply_code)),
        ("remote_mta", (when.provider or when.mta) and question.mta),
        ("recipient", (when.provider or when.mta) and not question.mta),
        ("diagnostic_type", when.type),
        ("command", when.command),
    ]
    return tuple(name for name, used in fields if used)
