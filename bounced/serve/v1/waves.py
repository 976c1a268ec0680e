"""`/v1/waves`, `/v1/alarms`: what went wrong at one provider at once, and a word on it."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query, Request

from bounced.model import Fault, Member, Move, Reason, Wave, WaveState
from bounced.serve.problems import Problem, responses
from bounced.serve.v1.doors import Doors
from bounced.serve.v1.shapes import DEFAULT_LIMIT, NUMBER, Cursor, Limit, Page, Told, actor, cursor, place_of
from bounced.store import Store, TokenScope

Number = Annotated[int, Path(ge=1, le=NUMBER)]
Everything = Annotated[bool, Query(description="Also those that are settled.")]


class WaveTold(Told):
    """Far more dead addresses at one provider than is usual there; `held` of them wait for what becomes of it."""

    id: int
    provider: str
    reason: Reason
    state: WaveState
    since: datetime
    opened_at: datetime
    closed_at: datetime | None
    hours: float
    amount: int
    ceiling: float
    breadth: float
    why: str
    actor: str
    held: int


class MemberTold(Told):
    """An address that a wave holds, by its newest report."""

    address: str
    first_at: datetime
    last_at: datetime
    event_id: str


class AlarmTold(Told):
    """Many refusals at one provider that are the sender's or the message's own fault."""

    id: int
    provider: str
    reason: Reason
    fault: Fault
    raised_at: datetime
    cleared_at: datetime | None
    hours: float
    amount: int
    ceiling: float


class Concluded(Told):
    """What a word on a wave came to: entries that were written, and those that were released."""

    state: WaveState
    suppressed: int
    released: int


Numbered = TypeVar("Numbered", WaveTold, AlarmTold)


def routers(doors: Doors) -> list[APIRouter]:
    """Return the routes."""
    read, write = doors.asked(TokenScope.READ, "waves"), doors.told(TokenScope.WRITE, "waves")

    @read.get("/waves")
    async def list_waves(
        everything: Everything = False, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Page[WaveTold]:
        """List waves that are open or wait for a word, newest first."""
        before = _number(cursor)
        found = await doors.ask(lambda store: _told(store, store.all_waves(not everything, limit + 1, before)))
        return _numbered(found, limit)

    @read.get("/waves/{id}", responses=responses(404))
    async def get_wave(id: Number) -> WaveTold:  # noqa: A002
        """Return one wave."""
        (told,) = await doors.ask(lambda store: _told(store, [_wave(store, id)]))
        return told

    @read.get("/waves/{id}/addresses", responses=responses(404))
    async def list_held(
        id: Number,  # noqa: A002
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[MemberTold]:
        """List whom a wave holds, by address."""
        (after,) = place_of(cursor, str) or ("",)

        def held(store: Store) -> list[Member]:
            return list(islice(store.held(_wave(store, id).id, after), limit + 1))

        return _page(await doors.ask(held), limit)

    @write.post("/waves/{id}/release", responses=responses(404))
    async def release_wave(id: Number, request: Request) -> Concluded:  # noqa: A002
        """Say that the addresses live: none of these reports ever counts."""
        return await _conclude(doors, id, WaveState.RELEASED, actor(request))

    @write.post("/waves/{id}/confirm", responses=responses(404))
    async def confirm_wave(id: Number, request: Request) -> Concluded:  # noqa: A002
        """Say that the addresses are dead: the reports count, and suppress as they would have."""
        return await _conclude(doors, id, WaveState.CONFIRMED, actor(request))

    @read.get("/alarms")
    async def list_alarms(
        everything: Everything = False, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Page[AlarmTold]:
        """List where mail is refused by the sender's own fault or the message's, newest first."""
        before = _number(cursor)
        found = await doors.ask(lambda store: store.all_alarms(not everything, limit + 1, before))
        return _numbered([AlarmTold.model_validate(alarm) for alarm in found], limit)

    return [read, write]


async def _conclude(doors: Doors, number: int, state: WaveState, who: str) -> Concluded:
    wave = await doors.ask(lambda store: _wave(store, number))
    changes = await doors.threads.ask(partial(doors.desk().conclude, wave, state, who, datetime.now(UTC)))
    moves = Counter(change.move for change in changes)
    return Concluded(state=state, suppressed=moves[Move.SUPPRESS], released=moves[Move.RELEASE])


def _wave(store: Store, number: int) -> Wave:
    """Return the wave of that number. Raises Problem 404."""
    found = store.wave(number)
    if found is None:
        raise Problem(404, "There is no wave of this number.")
    return found


def _told(store: Store, waves: list[Wave]) -> list[WaveTold]:
    held = store.held_amounts([wave.id for wave in waves])
    return [WaveTold.model_validate(_row(wave, held)) for wave in waves]


def _row(wave: Wave, held: Mapping[int, int]) -> dict[str, Any]:
    row = {name: getattr(wave, name) for name in WaveTold.model_fields if name != "held"}
    return row | {"held": held.get(wave.id, 0)}


def _number(given: str | None) -> int | None:
    """Return the number in a cursor. Raises Problem 422."""
    place = place_of(given, int)
    return None if place is None else max(0, min(place[0], NUMBER))


def _numbered(found: list[Numbered], limit: int) -> Page[Numbered]:
    items = found[:limit]
    return Page(items=items, next=cursor(items[-1].id) if len(found) > limit else None)


def _page(found: list[Member], limit: int) -> Page[MemberTold]:
    items = found[:limit]
    more = cursor(items[-1].address) if len(found) > limit else None
    return Page(items=[MemberTold.model_validate(member) for member in items], next=more)
