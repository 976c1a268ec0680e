"""The pages of waves and alarms: what went wrong at one provider at once, whom that holds, and a word on it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Path, Query, Request, Response

from bounced.model import Member, Move, Tally, Wave, WaveState
from bounced.serve.pages.frame import Frame, actor
from bounced.serve.pages.tide import Hours, tide_chart
from bounced.serve.pages.times import zone_of
from bounced.serve.problems import Problem
from bounced.serve.v1.shapes import NUMBER, cursor, place_of
from bounced.store import Store

log = structlog.get_logger("bounced.serve")

#: Waves and alarms that are over, shown at most; addresses on a page.
_PAST, _PAGE = 50, 50
#: Hours that a chart shows before a wave and after it, and how many bars it has at most.
_AROUND, _BARS = 12, 120
_SECONDS: Final = 3_600

Number = Annotated[int, Path(ge=1, le=NUMBER)]
_UNSETTLED: Final = (WaveState.OPEN, WaveState.ASKING)


def routers(frame: Frame) -> list[APIRouter]:
    """Return the routes."""
    asked, told = frame.asked(), frame.told()

    @asked.get("/waves")
    async def waves(request: Request) -> Response:
        """Show what is open or asks, what is over, and the alarms."""
        unsettled = await frame.ask(lambda store: store.all_waves(unsettled=True))
        past = await frame.ask(lambda store: store.all_waves(limit=_PAST + len(unsettled)))
        known = {each.id for each in unsettled}
        settled = [each for each in past if each.id not in known][:_PAST]
        held = await frame.ask(lambda store: store.held_amounts([each.id for each in (*unsettled, *settled)]))
        standing = await frame.ask(lambda store: store.all_alarms(standing=True))
        alarms = await frame.ask(lambda store: store.all_alarms(limit=_PAST + len(standing)))
        cleared = [each for each in alarms if each.cleared_at is not None][:_PAST]
        return frame.show(
            request, "waves.html", unsettled=unsettled, settled=settled, held=held, standing=standing, cleared=cleared
        )

    @asked.get("/waves/{number}")
    async def wave(
        request: Request, number: Number, after: Annotated[str | None, Query(alias="cursor", max_length=2_000)] = None
    ) -> Response:
        """Show one wave, its hours and whom it holds."""
        (start,) = place_of(after, str) or ("",)
        found = await frame.ask(partial(_wave, number))
        held = await frame.ask(lambda store: store.held_amounts([number]).get(number, 0))
        members: list[Member] = await frame.ask(lambda store: [*islice(store.held(number, start), _PAGE + 1)])
        hours = await frame.ask(partial(_hours, found, datetime.now(UTC)))
        ceiling = found.ceiling if found.hours == 1 and _step(hours) == 1 else None
        title = (
            f"Addresses refused at {found.provider} in each {'hour' if _step(hours) == 1 else f'{_step(hours)} hours'}"
        )
        return frame.show(
            request,
            "wave.html",
            wave=found,
            held=held,
            members=members[:_PAGE],
            next=cursor(members[_PAGE - 1].address) if len(members) > _PAGE else None,
            hours=[hour for hour in hours if hour.amount],
            chart=tide_chart(hours, ceiling, title, zone_of(request)) if any(hour.amount for hour in hours) else None,
            unsettled=found.state in _UNSETTLED,
        )

    @told.post("/waves/{number}/release")
    async def release(request: Request, number: Number) -> Response:
        """Say that the addresses live."""
        return await conclude(request, number, WaveState.RELEASED)

    @told.post("/waves/{number}/confirm")
    async def confirm(request: Request, number: Number) -> Response:
        """Say that the addresses are dead."""
        return await conclude(request, number, WaveState.CONFIRMED)

    async def conclude(request: Request, number: int, state: WaveState) -> Response:
        found = await frame.ask(partial(_wave, number))
        settle = partial(frame.desk().conclude, found, state, actor(request), datetime.now(UTC))
        moves = Counter(change.move for change in await frame.threads.ask(settle))
        log.info("wave concluded", wave=number, state=str(state), actor=actor(request))
        said = f"Wave {number} is {state}: {moves[Move.SUPPRESS]:,} entries written, {moves[Move.RELEASE]:,} released."
        return frame.after(request, f"/waves/{number}", said)

    return [asked, told]


def _wave(number: int, store: Store) -> Wave:
    found = store.wave(number)
    if found is None:
        raise Problem(404, f"There is no wave {number}.")
    return found


def _hours(wave: Wave, now: datetime, store: Store) -> list[Hours]:
    """Return the refusals around a wave, in steps of so many hours that they can be told apart."""
    begin = _hour(wave.since) - timedelta(hours=_AROUND)
    end = min(_hour(wave.closed_at or now) + timedelta(hours=_AROUND), _hour(now) + timedelta(hours=1))
    tallies = store.tallies_between(wave.provider, wave.reason, begin, end)
    amounts = _by_hour(tallies) if tallies else _by_members(store.held(wave.id))
    hours = max(1, int((end - begin) / timedelta(hours=1)))
    step = -(-hours // _BARS)
    made = []
    for number in range(0, hours, step):
        at = begin + timedelta(hours=number)
        until = at + timedelta(hours=step)
        amount = sum(amounts.get(at + timedelta(hours=more), 0) for more in range(step))
        inside = until > wave.since and (wave.closed_at is None or at <= wave.closed_at)
        made.append(Hours(at, amount, inside))
    return made


def _step(hours: Sequence[Hours]) -> int:
    """Return how many hours one bar stands for."""
    return max(1, round((hours[1].at - hours[0].at).total_seconds() / _SECONDS)) if len(hours) > 1 else 1


def _by_hour(tallies: Sequence[Tally]) -> Mapping[datetime, int]:
    amounts = Counter[datetime]()
    for each in tallies:
        amounts[datetime.fromtimestamp(each.quarter // 4 * _SECONDS, UTC)] += each.amount
    return amounts


def _by_members(members: Iterable[Member]) -> Mapping[datetime, int]:
    """Return when the addresses were first refused: what is left once the counts of those hours are gone."""
    return Counter(_hour(each.first_at) for each in members)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
