"""`/v1/review`: what was read and not understood, by wording, and rules made of it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from bounced.model import Cause, Fault, Proposal, Reason, Suggestion, Trial, Wording
from bounced.model.names import PRINTABLE
from bounced.serve.problems import Problem, invalid, responses
from bounced.serve.reviewing import Reviewing, given_proposal
from bounced.serve.v1.doors import Doors
from bounced.serve.v1.shapes import DEFAULT_LIMIT, LINE, PROSE, Asked, Given, Limit, Told, actor
from bounced.store import TokenScope

#: Days that are looked at, unless another time is named.
_DAYS: Final = 30

Key = Annotated[str, Path(pattern="^[0-9a-f]{16}$", examples=["9f86d081884c7d65"])]
From = Annotated[Asked | None, Query(description=f"From then on; else the last {_DAYS} days.")]
Everything = Annotated[bool, Query(description="Also what was dismissed or has a rule.")]


class ExampleTold(Told):
    """One of the newest reports. `event_id` is null for a message in quarantine; `source` says where that lies."""

    event_id: str | None
    at: datetime
    address: str | None
    provider: str | None
    status: str | None
    reply_code: str | None
    rule: str
    against: str
    source: str
    text: str


class WordingTold(Told):
    """What has one cause and one masked wording; amounts are counted by provider, status and verdict."""

    key: str
    cause: Cause
    text: str
    amount: int
    addresses: int
    providers: Mapping[str, int]
    statuses: Mapping[str, int]
    verdicts: Mapping[str, int]
    rule: str = Field(description="The rule that believed the words, of a contradiction; else empty.")
    first_at: datetime
    last_at: datetime


class Wordings(Told):
    """Wordings, the most frequent first."""

    items: list[WordingTold]


class SuggestionTold(Told):
    """A rule to begin with. `guessed` says why this reason; empty where nothing speaks for one."""

    id: str
    text: str
    reason: Reason
    soft: bool
    because: str
    guessed: str
    yaml: str


class WordingWhole(WordingTold):
    """One wording, its newest reports, and a rule to begin with, if one can be made."""

    examples: list[ExampleTold]
    suggestion: SuggestionTold | None


class RuleGiven(Given):
    """What the rule says; what is left out is as suggested. With `dry_run` it is only tried."""

    reason: Reason
    text: Annotated[str, Field(max_length=LINE, pattern=PRINTABLE, description="An RE2 pattern.")] | None = None
    id: Annotated[str, Field(max_length=80, pattern=r"^[a-z0-9][a-z0-9._-]*$")] | None = None
    provider: Annotated[str, Field(max_length=64, pattern=r"^[a-z0-9._-]+$")] | None = None
    fault: Fault | None = None
    soft: bool | None = None
    because: Annotated[str, Field(min_length=1, max_length=PROSE, pattern=PRINTABLE)] | None = None
    dry_run: bool = False


class Move(Told):
    """So many reports would have another verdict."""

    before: str
    after: str
    amount: int


class TrialTold(Told):
    """What the rule comes to: of the newest `asked` failures it takes `hits`, and gives `changes` another verdict."""

    yaml: str
    file: str
    asked: int
    hits: int
    changes: int
    moves: list[Move]


class Dismissed(Told):
    """How many reports are not asked about any more."""

    amount: int


def routers(doors: Doors) -> list[APIRouter]:
    """Return the routes."""
    read, write = doors.asked(TokenScope.READ, "review"), doors.told(TokenScope.WRITE, "review")

    def queue() -> Reviewing:
        return _queue(doors)

    @read.get("/review")
    async def list_wordings(
        since: From = None, cause: Cause | None = None, everything: Everything = False, limit: Limit = DEFAULT_LIMIT
    ) -> Wordings:
        """List what a person should look at, by wording."""
        found = await doors.threads.ask(partial(queue().wordings, _since(since), everything))
        return Wordings(items=[_told(each) for each in found if cause in (None, each.cause)][:limit])

    @read.get("/review/{id}", responses=responses(404))
    async def get_wording(id: Key, since: From = None) -> WordingWhole:  # noqa: A002
        """Return one wording."""
        review = queue()
        found = await doors.threads.ask(partial(_found, review, id, _since(since)))
        made = await doors.threads.judge(partial(review.suggest, found))
        examples = [ExampleTold.model_validate(each) for each in found.examples]
        suggestion = _suggestion(review, made) if made else None
        return WordingWhole(**_told(found).model_dump(), examples=examples, suggestion=suggestion)

    @write.post("/review/{id}/accept", responses=responses(404, 409))
    async def accept_rule(id: Key, given: RuleGiven, request: Request) -> TrialTold:  # noqa: A002
        """Write a rule among the operator's own, if the whole set holds with it; it is in force within seconds."""
        review, now = queue(), datetime.now(UTC)
        found = await doors.threads.ask(partial(_found, review, id, _since(None)))
        proposal = _proposal(review, await doors.threads.judge(partial(review.suggest, found)), given)
        if given.dry_run:
            trial = await doors.threads.judge(partial(review.try_out, proposal, _since(None)))
        else:
            trial = await doors.threads.judge(partial(review.accept, id, proposal, actor(request), now))
        if trial.problems:
            raise Problem(409, "The rule was not taken.", faults=[("rule", problem) for problem in trial.problems])
        if not given.dry_run and (reload := doors.desk().reload):
            reload()
        return _trial(trial)

    @write.post("/review/{id}/dismiss", responses=responses(404))
    async def dismiss(id: Key, request: Request) -> Dismissed:  # noqa: A002
        """Ask no more about what came of a wording so far."""
        review = queue()
        found = await doors.threads.ask(partial(_found, review, id, _since(None)))
        await doors.threads.ask(partial(review.dismiss, id, actor(request), datetime.now(UTC)))
        return Dismissed(amount=found.amount)

    return [read, write]


def _queue(doors: Doors) -> Reviewing:
    review = doors.desk().review
    if review is None:
        raise Problem(404, "There is no review queue here.")
    return review


def _since(given: datetime | None) -> datetime:
    return given or datetime.now(UTC) - timedelta(days=_DAYS)


def _found(review: Reviewing, key: str, since: datetime) -> Wording:
    found = review.wording(key, since)
    if found is None:
        raise Problem(404, "Nothing of this wording came in this time.")
    return found


def _told(found: Wording) -> WordingTold:
    row = {name: getattr(found, name) for name in WordingTold.model_fields}
    return WordingTold.model_validate(row | {name: dict(row[name]) for name in ("providers", "statuses", "verdicts")})


def _suggestion(review: Reviewing, made: Suggestion) -> SuggestionTold:
    row: dict[str, Any] = {name: getattr(made.proposal, name) for name in ("id", "text", "reason", "soft", "because")}
    return SuggestionTold(**row, guessed=made.guessed, yaml=review.yaml(made.proposal))


def _proposal(review: Reviewing, made: Suggestion | None, given: RuleGiven) -> Proposal:
    """Return the rule that is meant. Raises Problem."""
    if made is None:
        raise Problem(409, "No rule can be made of this wording.")
    if given.reason is Reason.UNKNOWN:
        raise invalid("body.reason", "says nothing: name one that means something")
    return given_proposal(review, made.proposal, given.model_dump(exclude={"dry_run"}))


def _trial(trial: Trial) -> TrialTold:
    moves = [Move(before=before, after=after, amount=amount) for before, after, amount in trial.moves]
    row = {name: getattr(trial, name) for name in ("yaml", "file", "asked", "hits", "changes")}
    return TrialTold(**row, moves=moves)
