"""The pages of undo and redo: what is meant is counted and shown first, and changed by a second click."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Query, Request, Response

from bounced.model import Suppression
from bounced.serve.pages.frame import Frame, actor
from bounced.serve.pages.text import link
from bounced.serve.pages.times import Span, span_of
from bounced.serve.problems import Problem
from bounced.serve.v1.shapes import LINE, NUMBER, PROSE
from bounced.store import Amount, Store, UndoQuery, Word

#: Entries that are shown of those that are meant.
_SAMPLE: Final = 20
#: All lines of one undo bear the same time, and the database keeps it to this.
_INSTANT: Final = timedelta(microseconds=1)
#: The filters, by name and in words.
_FILTERS: Final = {
    "since": "Suppressed from",
    "until": "to",
    "provider": "Provider",
    "reason": "Reason",
    "rule": "Rule",
    "wave": "Wave (its number)",
    "scope": "Scope",
    "actor": "Written by",
}

Words = Annotated[str | None, Query(max_length=LINE)]
Why = Annotated[str, Form(max_length=PROSE)]


@dataclass(frozen=True, slots=True)
class Meant:
    """What an undo, or a redo, would come to."""

    amounts: Sequence[Amount] = ()
    sample: Sequence[Suppression] = ()

    @property
    def total(self) -> int:
        """How many entries."""
        return sum(each.amount for each in self.amounts)


def asked_of(  # noqa: PLR0913  each parameter is one of the query
    request: Request,
    provider: Words = None,
    reason: Words = None,
    rule: Words = None,
    wave: Annotated[int | None, Query(ge=1, le=NUMBER)] = None,
    scope: Words = None,
    actor: Words = None,
) -> UndoQuery:
    """Return which entries are meant. Raises Problem 422."""
    span = _span(request)
    since, until = (span.since, span.until) if span else (None, None)
    return UndoQuery(since, until, provider, reason, rule, scope, wave, actor)


Asked = Annotated[UndoQuery, Depends(asked_of)]


def routers(frame: Frame) -> list[APIRouter]:
    """Return the routes."""
    return [*_undo(frame), *_redo(frame)]


def _undo(frame: Frame) -> list[APIRouter]:
    asked, told = frame.asked(), frame.told()

    @asked.get("/suppressions/undo")
    async def before(request: Request, query: Asked) -> Response:
        """Ask what is meant; once it is said, show it."""
        meant = await frame.ask(lambda store: _meant(store, query)) if query != UndoQuery() else None
        return frame.show(request, "undo.html", filters=_FILTERS, meant=meant, given=_given(request))

    @told.post("/suppressions/undo")
    async def undo(request: Request, query: Asked, why: Why, expected: Annotated[int, Form(ge=0)]) -> Response:
        """Release all that is meant, if it is still as many as were shown."""
        back = link("/suppressions/undo", **_given(request))
        if query == UndoQuery():
            raise Problem(422, "Name at least one thing that the entries have in common.")
        if not why.strip():
            return frame.after(request, back, "Nothing was changed: say why, for whoever asks later.", "fault")
        meant = await frame.ask(lambda store: _meant(store, query))
        if meant.total != expected:
            said = f"Nothing was changed: it is {meant.total:,} entries by now, not {expected:,}. Look again."
            return frame.after(request, back, said, "note")
        word = Word(actor(request), datetime.now(UTC), why.strip())
        released = await frame.ask(lambda store: store.undo(query, word, frame.desk().tell))
        exact = {"since": word.at.isoformat(), "until": (word.at + _INSTANT).isoformat()}
        said = f"{released:,} released. What came before counts no more against them. Here you can take just that back."
        return frame.after(request, link("/suppressions/redo", **exact), said)

    return [asked, told]


def _redo(frame: Frame) -> list[APIRouter]:
    asked, told = frame.asked(), frame.told()

    @asked.get("/suppressions/redo")
    async def before(request: Request) -> Response:
        """Show what persons released in a time and nothing happened to since."""
        span = _span(request)
        meant = await frame.ask(lambda store: Meant(store.redo_amounts(span.since, span.until))) if span else None
        return frame.show(request, "redo.html", meant=meant, given=_given(request), span=span)

    @told.post("/suppressions/redo")
    async def redo(request: Request, why: Why, expected: Annotated[int, Form(ge=0)]) -> Response:
        """Suppress them again as they were, if they are still as many as were shown."""
        span = _span(request)
        if span is None:
            raise Problem(422, "Name the time of the releases.")
        back = link("/suppressions/redo", **_given(request))
        if not why.strip():
            return frame.after(request, back, "Nothing was changed: say why, for whoever asks later.", "fault")
        total = Meant(await frame.ask(lambda store: store.redo_amounts(span.since, span.until))).total
        if total != expected:
            said = f"Nothing was changed: it is {total:,} entries by now, not {expected:,}. Look again."
            return frame.after(request, back, said, "note")
        word = Word(actor(request), datetime.now(UTC), why.strip())
        put_back = await frame.ask(lambda store: store.redo(span.since, span.until, word, frame.desk().tell))
        return frame.after(request, "/suppressions", f"{put_back:,} suppressed again, as they were.")

    return [asked, told]


def _meant(store: Store, query: UndoQuery) -> Meant:
    return Meant(store.undo_amounts(query), store.undo_sample(query, _SAMPLE))


def _span(request: Request) -> Span | None:
    given: Mapping[str, Any] = request.query_params
    return span_of(request, datetime.now(UTC), days=3_650) if given.get("since") or given.get("until") else None


def _given(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.query_params.items() if name in _FILTERS}
