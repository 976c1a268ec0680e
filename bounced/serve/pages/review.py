"""The pages of the review queue: what was not understood, by wording; one wording, and a rule made of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Form, Path, Request, Response

from bounced.model import Cause, Fault, Proposal, Reason, Suggestion, Trial, Wording
from bounced.serve.pages.frame import Frame, actor
from bounced.serve.pages.text import link
from bounced.serve.pages.times import Span, span_of
from bounced.serve.problems import Problem
from bounced.serve.reviewing import Reviewing, given_proposal

log = structlog.get_logger("bounced.serve")

#: Wordings on a page; there is no second one: who has looked at these comes back.
_MOST: Final = 200
#: What complaints complain of: no rule says so.
_NO_RULE: Final = frozenset({Reason.ABUSE, Reason.FRAUD, Reason.VIRUS, Reason.OTHER, Reason.UNKNOWN})
_REASONS: Final = tuple(reason for reason in Reason if reason not in _NO_RULE)
#: What each cause means, for the page.
CAUSES: Final = {
    Cause.UNKNOWN: "No rule understands these words: soft, of unknown reason.",
    Cause.CODE: "No rule understands these words; the reply code alone decided.",
    Cause.CONTRADICTION: "The words say one thing, the codes another. The words were believed.",
    Cause.NOBODY: "A failure that names no address of yours: nobody can be suppressed for it.",
    Cause.PUZZLING: "Looks like a report, and yet no reader makes sense of it.",
    Cause.QUARANTINE: "Could not be read at all, and was set aside in the mailbox.",
}

Key = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]
Text = Annotated[str, Form(max_length=1_000)]


@dataclass(frozen=True, slots=True)
class _Given:
    """The form of a rule as it was sent; empty texts count as not given."""

    id: str = ""
    text: str = ""
    reason: str = ""
    provider: str = ""
    fault: str = ""
    category: str = ""
    because: str = ""

    def proposal(self, review: Reviewing, suggested: Proposal) -> Proposal:
        """Return the rule that is meant."""
        words: dict[str, Any] = {name: getattr(self, name).strip() or None for name in ("id", "text", "provider")}
        words["reason"] = Reason(self.reason) if self.reason in set(_REASONS) else None
        words["fault"] = Fault(self.fault) if self.fault in set(Fault) else None
        words["because"] = " ".join(self.because.split()) or None
        return given_proposal(review, suggested, words | {"soft": self.category == "soft"})


@dataclass(frozen=True, slots=True)
class _Looked:
    """One wording as it is looked at: with the rule suggested, and what came of trying one."""

    found: Wording
    suggestion: Suggestion | None
    proposal: Proposal | None = None
    trial: Trial | None = None
    yaml: str = ""
    missing: Sequence[str] = field(default_factory=tuple)


def routers(frame: Frame) -> list[APIRouter]:
    """Return the routes."""
    asked, told = frame.asked(), frame.told()

    @asked.get("/review")
    async def wordings(request: Request, cause: Cause | None = None, everything: bool = False) -> Response:
        """Show what a person should look at."""
        span = span_of(request, datetime.now(UTC))
        found = await frame.threads.ask(partial(_queue(frame).wordings, span.since, everything))
        return frame.show(
            request,
            "review.html",
            span=span,
            wordings=[each for each in found if cause in (None, each.cause)][:_MOST],
            amounts=Counter(each.cause for each in found),
            reports=sum(each.amount for each in found),
            all=len(found),
            causes=CAUSES,
            cause=cause,
            everything=everything,
            folder=_has_folder(frame),
        )

    @asked.get("/review/{key}")
    async def wording(request: Request, key: Key) -> Response:
        """Show one wording."""
        span = span_of(request, datetime.now(UTC))
        looked = await _looked(frame, key, span)
        return _show(frame, request, span, looked)

    @told.post("/review/{key}/rule")
    async def rule(  # noqa: PLR0913  the fields of a form
        request: Request,
        key: Key,
        do: Annotated[str, Form()],
        id: Text = "",  # noqa: A002  the word of the form
        text: Text = "",
        reason: Text = "",
        provider: Text = "",
        fault: Text = "",
        category: Text = "",
        because: Text = "",
    ) -> Response:
        """Try a rule, or take it over."""
        span, now = span_of(request, datetime.now(UTC)), datetime.now(UTC)
        looked = await _looked(frame, key, span)
        if looked.suggestion is None:
            raise Problem(409, "No rule can be made of this wording.")
        review = _queue(frame)
        given = _Given(id, text, reason, provider, fault, category, because)
        proposal = given.proposal(review, looked.suggestion.proposal)
        if given.reason not in set(_REASONS):
            missing = ("reason",)
            return _show(frame, request, span, replace(looked, proposal=proposal, missing=missing), 422)
        if do == "accept":
            trial = await frame.threads.judge(partial(review.accept, key, proposal, actor(request), now))
        else:
            trial = await frame.threads.judge(partial(review.try_out, proposal, span.since))
        if do != "accept" or trial.problems:
            looked = replace(looked, proposal=proposal, trial=trial, yaml=trial.yaml)
            return _show(frame, request, span, looked, 422 if trial.problems else 200)
        return _accepted(frame, request, proposal, trial)

    @told.post("/review/{key}/dismiss")
    async def dismiss(request: Request, key: Key) -> Response:
        """Ask no more about what came so far."""
        found = await frame.threads.ask(partial(_found, _queue(frame), key, span_of(request, datetime.now(UTC)).since))
        await frame.threads.ask(partial(_queue(frame).dismiss, key, actor(request), datetime.now(UTC)))
        log.info("wording dismissed", key=key, reports=found.amount, actor=actor(request))
        said = f"{found.amount:,} reports dismissed. The wording is listed again if more come."
        return frame.after(request, "/review", said)

    return [asked, told]


def _queue(frame: Frame) -> Reviewing:
    review = frame.desk().review
    if review is None:
        raise Problem(404, "There is no review queue here.")
    return review


def _has_folder(frame: Frame) -> bool:
    return getattr(frame.desk().review, "local", None) is not None


def _found(review: Reviewing, key: str, since: datetime) -> Wording:
    found = review.wording(key, min(since, datetime.now(UTC) - timedelta(days=30)))
    if found is None:
        raise Problem(404, "Nothing of this wording came in this time. It may have been judged anew meanwhile.")
    return found


async def _looked(frame: Frame, key: str, span: Span) -> _Looked:
    review = _queue(frame)
    found = await frame.threads.ask(partial(_found, review, key, span.since))
    made = await frame.threads.judge(partial(review.suggest, found))
    if made is None:
        return _Looked(found, None)
    return _Looked(found, made, made.proposal, yaml=review.yaml(made.proposal))


def _show(frame: Frame, request: Request, span: Span, looked: _Looked, status: int = 200) -> Response:
    return frame.show(
        request,
        "wording.html",
        status,
        span=span,
        looked=looked,
        found=looked.found,
        causes=CAUSES,
        reasons=_REASONS,
        faults=[str(fault) for fault in Fault if fault is not Fault.NONE],
        folder=_has_folder(frame),
    )


def _accepted(frame: Frame, request: Request, proposal: Proposal, trial: Trial) -> Response:
    reload = frame.desk().reload
    if reload:
        reload()
    log.info("rule accepted", rule=proposal.id, file=trial.file, actor=actor(request))
    force = "It is in force within seconds" if reload else "Reload the daemon to put it in force"
    said = (
        f"{proposal.id} is written to {trial.file}. {force}; other daemons on this database want `systemctl reload "
        f"bounced`. {trial.changes:,} of the newest {trial.asked:,} failures would read otherwise: "
        "`bounced replay --since 30d` shows them, and `--apply` corrects them."
    )
    return frame.after(request, link("/review"), said)
