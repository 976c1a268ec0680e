"""The pages of the rules: what is recognised, in which order, how often, and one rule with the texts that prove it."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response

from bounced.model import By, ReportQuery
from bounced.serve.pages.frame import Frame
from bounced.serve.problems import Problem
from bounced.serve.reviewing import RuleShown

#: Days in which it is counted how often a rule fired.
_DAYS: Final = 30


def routers(frame: Frame) -> list[APIRouter]:
    """Return the routes."""
    asked = frame.asked()

    @asked.get("/rules")
    async def rules(
        request: Request,
        q: Annotated[str, Query(max_length=200)] = "",
        layer: Annotated[str | None, Query(max_length=20)] = None,
        reason: Annotated[str | None, Query(max_length=40)] = None,
        mine: bool = False,
    ) -> Response:
        """List the rules in the order in which they are asked."""
        known = frame.desk().rules
        found = [
            rule
            for rule in known
            if (layer in (None, rule.layer)) and (reason in (None, rule.reason)) and (rule.local or not mine)
            if all(word in _words(rule) for word in q.lower().split())
        ]
        return frame.show(
            request,
            "rules.html",
            rules=found,
            all=len(known),
            own=sum(rule.local for rule in known),
            layers=list(dict.fromkeys(rule.layer for rule in known)),
            reasons=sorted({rule.reason for rule in known}),
            fired=await _fired(frame),
            since=_first(),
            filtered=bool(q or layer or reason or mine),
        )

    @asked.get("/rules/{id}")
    async def rule(request: Request, id: Annotated[str, Path(max_length=500)]) -> Response:  # noqa: A002
        """Show one rule."""
        found = next(((place, each) for place, each in enumerate(frame.desk().rules, 1) if each.id == id), None)
        if found is None:
            raise Problem(404, f"No rule of the name {id} is in force.")
        place, shown = found
        fired = (await _fired(frame)).get(id, 0)
        return frame.show(request, "rule.html", rule=shown, place=place, fired=fired, since=_first(), days=_DAYS)

    return [asked]


async def _fired(frame: Frame) -> dict[str, int]:
    """Return how often each rule decided of late."""
    today = datetime.now(UTC).date()
    report = await frame.ask(lambda store: store.report(ReportQuery(today - timedelta(days=_DAYS - 1), today, By.RULE)))
    return {row.key: row.figures.hard + row.figures.soft + row.figures.complaints for row in report.rows if row.key}


def _first() -> str:
    """Return the day from which on it is counted."""
    return (datetime.now(UTC).date() - timedelta(days=_DAYS - 1)).isoformat()


def _words(rule: RuleShown) -> str:
    """Return all that can be searched in, in lower case."""
    texts = (rule.id, rule.because, rule.reason, rule.file, *(text for _, text in rule.when), *rule.matches)
    return " ".join(texts).lower()
