"""The page of one address: its state, what would end that, all that came about it; release and suppress."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request, Response

from bounced.address import normalise
from bounced.model import Category, Change, Event, Move, SignOfLife, Suppression
from bounced.model.names import PRINTABLE
from bounced.serve.entries import WISHED, entries_of, releases
from bounced.serve.pages.frame import Frame, actor
from bounced.serve.pages.text import link
from bounced.serve.problems import Problem
from bounced.serve.v1.shapes import ADDRESS, PROSE
from bounced.store import EVERYWHERE, EventQuery, Store, standing

#: Reports that a timeline shows; the list of mails has all of them.
_REPORTS: Final = 100
_DAYS: Final = 36_500

Asked = Annotated[str, Query(max_length=ADDRESS + 10)]
Given = Annotated[str, Form(max_length=ADDRESS + 10)]
Scope = Annotated[str, Form(max_length=64, pattern=PRINTABLE)]
Why = Annotated[str, Form(max_length=PROSE)]


@dataclass(frozen=True, slots=True)
class Held:
    """An entry as the page shows it, with each thing that would end it; `wished` if letting it go takes a reason."""

    entry: Suppression
    ways: Sequence[str]

    @property
    def wished(self) -> bool:
        """True if somebody complained, or wished to leave."""
        return self.entry.category in WISHED


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened: one of the three is there."""

    at: datetime
    event: Event | None = None
    change: Change | None = None
    sign: SignOfLife | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """All that is known of an address. `more` tells that there are reports which the timeline leaves out."""

    held: Sequence[Suppression]
    moments: Sequence[Moment]
    more: bool


def routers(frame: Frame) -> list[APIRouter]:
    """Return the routes."""
    return [_view(frame), _release(frame), _suppress(frame)]


def _view(frame: Frame) -> APIRouter:
    asked = frame.asked()

    @asked.get("/address")
    async def address(request: Request, address: Asked = "") -> Response:
        """Show what is known of an address; without one, ask for it."""
        name = normalise(address) if address else None
        if name is None:
            return frame.show(request, "address_search.html", 422 if address else 200, wrong=bool(address))
        story = await frame.ask(partial(_story, name=name))
        disputed = frame.desk().policy.disputed
        held = [Held(entry, list(_ways(entry, disputed))) for entry in story.held]
        return frame.show(request, "address.html", address=name, story=story, held=held, scopes=_scopes(story))

    return asked


def _release(frame: Frame) -> APIRouter:
    told = frame.told()

    @told.post("/address/release")
    async def release(request: Request, address: Given, scope: Scope = "", why: Why = "") -> Response:
        """Let an address be mailed again: in one scope, or everywhere."""
        name, now = normal_of(address), datetime.now(UTC)
        held = [e for e in await frame.ask(partial(entries_of, address=name)) if scope in ("", e.scope)]
        back = link("/address", address=name)
        if not why.strip() and any(entry.category in WISHED for entry in held):
            said = "Nothing was changed: somebody complained or unsubscribed. Say why it is taken back."
            return frame.after(request, back, said, "fault")
        lines = releases(held, why.strip() or "released on the page, without a reason", actor(request), now)
        if not lines:
            return frame.after(request, back, "Nothing was changed: it was not suppressed there any more.", "note")
        await frame.threads.ask(partial(frame.desk().commit, lines, now))
        where = ", ".join("everywhere" if e.scope == EVERYWHERE else e.scope for e in held)
        return frame.after(request, back, f"Released ({where}). What came before counts no more against it.")

    return told


def _suppress(frame: Frame) -> APIRouter:
    told = frame.told()

    @told.post("/address/suppress")
    async def suppress(
        request: Request, address: Given, why: Why, scope: Scope = EVERYWHERE, days: Annotated[str, Form()] = ""
    ) -> Response:
        """Suppress an address by a person's word, for some days or without end."""
        name, now = normal_of(address), datetime.now(UTC)
        back = link("/address", address=name)
        until = _until(days, now)
        if not why.strip():
            return frame.after(request, back, "Nothing was changed: say why, for whoever asks later.", "fault")
        if standing(await frame.ask(partial(entries_of, address=name)), scope, until):
            return frame.after(request, back, "It is suppressed there for at least as long already.", "note")
        kept = frame.desk().store.name_of(name)
        line = Change(kept, scope, Move.SUPPRESS, now, "manual", "manual", why.strip(), until, actor=actor(request))
        await frame.threads.ask(partial(frame.desk().commit, [line], now))
        return frame.after(request, back, f"{name} is suppressed.")

    return told


def normal_of(address: str) -> str:
    """Return the normal form of an address in a form. Raises Problem 422."""
    name = normalise(address)
    if name is None:
        raise Problem(422, "That is no mail address.")
    return name


def _until(days: str, now: datetime) -> datetime | None:
    """Return the end that a field names; None without one. Raises Problem 422."""
    if not days.strip():
        return None
    if not days.strip().isdecimal() or not 0 < int(days.strip()[:9]) <= _DAYS:
        raise Problem(422, f"Want a number of days from 1 to {_DAYS:,}, or nothing for no end.")
    return now + timedelta(days=int(days.strip()))


def _story(store: Store, name: str) -> Story:
    now = datetime.now(UTC)
    held = entries_of(store, name)
    names = dict.fromkeys((name, *(entry.address for entry in held)))
    events = list(store.events(EventQuery(address=name, superseded=True, limit=_REPORTS + 1)))
    changes = [line for each in names for line in store.journal_of(each)]
    moments = [
        *(Moment(event.at, event=event) for event in events[:_REPORTS]),
        *(Moment(line.at, change=line) for line in changes),
        *(Moment(sign.at, sign=sign) for sign in store.histories([name], now)[name].signs),
    ]
    order = sorted(moments, key=lambda each: (each.at, each.change is not None), reverse=True)
    return Story(held, order, len(events) > _REPORTS)


def _scopes(story: Story) -> list[str]:
    """Return the scopes that are spoken of, for a choice."""
    spoken = {moment.change.scope for moment in story.moments if moment.change}
    return sorted(spoken | {EVERYWHERE, "marketing", "transactional"})


def _ways(entry: Suppression, disputed: str) -> Iterator[str]:
    """Yield each thing that would end an entry, the nearest first."""
    if entry.until:
        yield f"time: it ends by itself on {entry.until:%-d %B %Y}"
    if entry.category == Category.SOFT:
        yield "proof that the address lives: a report of delivery, or evidence of your own"
    elif entry.category == Category.HARD and disputed == "release":
        yield "proof that the address lives, newer than the last report"
    elif entry.category == Category.HARD:
        yield "your word; proof that the address lives would only make it disputed"
        return
    yield "your word"
