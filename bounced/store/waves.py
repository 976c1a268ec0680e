"""Counts of refusals by provider, the waves and alarms that they raise, and whom the waves hold."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, func, insert, or_, select, text, true, update

from bounced.model import Alarm, Category, Fault, Member, Reason, Tally, Wave, WaveState
from bounced.store.columns import among, clean
from bounced.store.database import Database
from bounced.store.pseudonyms import Seal
from bounced.store.statements import kept_if, many, upserting
from bounced.store.tables import ADDRESS, event
from bounced.store.watch_tables import RAISED, UNSETTLED, alarm, member, sign_of_life, tally, wave

#: Older waves hold no event that still counts: as far back as histories go.
_PAST: Final = timedelta(days=400)
_PAGE: Final = 1_000
_WAVE: Final = tuple(field.name for field in fields(Wave))
_ALARM: Final = tuple(field.name for field in fields(Alarm))


class Watching:
    """The part of a transaction of the ledger that watches providers rather than addresses."""

    _connection: Connection
    _seal: Seal | None

    def waves(self, now: datetime) -> list[Wave]:
        """Return the waves to which known events may belong, oldest first."""
        known = or_(wave.c.closed_at.is_(None), wave.c.closed_at >= now - _PAST)
        return [_to_wave(row) for row in self._connection.execute(select(wave).where(known).order_by(wave.c.id))]

    def alarms(self) -> list[Alarm]:
        """Return the alarms that stand, oldest first."""
        standing = select(alarm).where(text(RAISED)).order_by(alarm.c.id)
        return [_to_alarm(row) for row in self._connection.execute(standing)]

    def count(self, tallies: Sequence[Tally]) -> None:
        """Add to the counts of refusals."""
        add = upserting(self._connection, tally)
        add = add.on_conflict_do_update(
            index_elements=list(tally.primary_key), set_={"amount": tally.c.amount + add.excluded.amount}
        )
        many(self._connection, add, (_of(each, ("reason", "provider", "quarter", "amount")) for each in tallies))

    def tallies(self, providers: Collection[str], reasons: Collection[Reason], since: int) -> list[Tally]:
        """Return the counts of these providers for these reasons from the quarter `since` on."""
        wanted = (
            select(tally.c.provider, tally.c.reason, tally.c.quarter, tally.c.amount)
            .where(tally.c.reason.in_(sorted(reasons)), self._providers(providers), tally.c.quarter >= since)
            .order_by(tally.c.quarter)
        )
        return [Tally(provider, Reason(r), quarter, n) for provider, r, quarter, n in self._connection.execute(wanted)]

    def breadth(self, reason: Reason, since: int) -> Mapping[int, int]:
        """Return how many providers refused somebody for this reason in each hour (since 1970) from a quarter on."""
        hour = tally.c.quarter // 4
        wanted = (
            select(hour.label("hour"), func.count(tally.c.provider.distinct()))
            .where(tally.c.reason == reason, tally.c.quarter >= since)
            .group_by("hour")
        )
        return {int(hour): amount for hour, amount in self._connection.execute(wanted)}

    def suspects(self, opened: Wave) -> list[str]:
        """Return the addresses that were reported dead since the wave began, those of its provider among them."""
        mine = clean(opened.provider, ADDRESS)
        there = or_(
            event.c.provider == mine,
            event.c.provider.is_(None) & event.c.address.endswith("@" + mine, autoescape=True),
            event.c.provider.is_(None) & event.c.remote_mta.endswith("." + mine, autoescape=True),
        )
        found = (
            select(event.c.address)
            .distinct()
            .where(
                event.c.reason == opened.reason,
                event.c.category == Category.HARD,
                event.c.at >= opened.since,
                event.c.address.is_not(None),
                there,
            )
        )
        return list(self._connection.scalars(found))

    def write_wave(self, changed: Wave) -> Wave:
        """Insert a wave, or bring the one of its number up to date; return it with its number."""
        return replace(changed, id=self._write(wave, _of(changed, _WAVE)))

    def write_alarm(self, changed: Alarm) -> Alarm:
        """Insert an alarm, or bring the one of its number up to date; return it with its number."""
        return replace(changed, id=self._write(alarm, _of(changed, _ALARM)))

    def hold(self, members: Sequence[Member]) -> None:
        """Write whom the waves hold; who is held already is held from the first to the last report."""
        once = upserting(self._connection, member)
        new, old = once.excluded, member.c
        later = {name: kept_if(old.last_at >= new.last_at, old[name], new[name]) for name in ("last_at", "event_id")}
        first = {"first_at": kept_if(old.first_at <= new.first_at, old.first_at, new.first_at)}
        again = once.on_conflict_do_update(index_elements=list(member.primary_key), set_=first | later)
        rows = (_of(each, tuple(old.keys())) | {"address": self._name(each.address)} for each in members)
        many(self._connection, again, rows)

    def members(self, number: int) -> list[str]:
        """Return the addresses that a wave holds."""
        return list(self._connection.scalars(select(member.c.address).where(member.c.wave == number)))

    def outcomes(self, number: int) -> tuple[int, int, int, int]:
        """Return how many addresses a wave holds; how many of them were refused again half a day later, and have
        shown life; and how many addresses have at all.
        """
        held = [Member(*row) for row in self._connection.execute(select(member).where(member.c.wave == number))]
        mine = member.join(sign_of_life, sign_of_life.c.address == member.c.address)
        alive = select(func.count(member.c.address.distinct())).select_from(mine).where(member.c.wave == number)
        known = select(func.count(sign_of_life.c.address.distinct()))
        return (
            len(held),
            sum(each.repeated for each in held),
            self._connection.scalar(alive) or 0,
            self._connection.scalar(known) or 0,
        )

    def _name(self, address: str) -> str:
        return self._seal.name(address) if self._seal else address

    def _providers(self, names: Collection[str]) -> Any:
        return among(self._connection.dialect, tally.c.provider, names)

    def _write(self, table: Table, row: dict[str, Any]) -> int:
        number: int = row.pop("id")
        if number:
            self._connection.execute(update(table).where(table.c.id == number).values(row))
            return number
        made: int = self._connection.execute(insert(table).values(row).returning(table.c.id)).scalar_one()
        return made


class Waves(Database):
    """Questions about waves and alarms."""

    def all_waves(self, unsettled: bool = False, limit: int | None = None, before: int | None = None) -> list[Wave]:
        """Return waves, newest first, those before a number; `unsettled`: only those that are open or ask."""
        wanted = select(wave).where(_older(wave, before)).order_by(wave.c.id.desc()).limit(limit)
        with self._read() as connection:
            found = connection.execute(wanted.where(text(UNSETTLED)) if unsettled else wanted)
            return [_to_wave(row) for row in found]

    def wave(self, number: int) -> Wave | None:
        """Return the wave of that number, or None."""
        with self._read() as connection:
            row = connection.execute(select(wave).where(wave.c.id == number)).one_or_none()
        return None if row is None else _to_wave(row)

    def held(self, number: int, after: str = "") -> Iterator[Member]:
        """Yield whom a wave holds, by address, page by page; those only that come `after` an address."""
        while True:
            page = select(member).where(member.c.wave == number, member.c.address > after)
            with self._read() as connection:
                rows = connection.execute(page.order_by(member.c.address).limit(_PAGE)).all()
            yield from (Member(*row) for row in rows)
            if len(rows) < _PAGE:
                return
            after = rows[-1].address

    def held_amounts(self, numbers: Collection[int]) -> Mapping[int, int]:
        """Return how many addresses each of these waves holds."""
        these = member.c.wave.in_(sorted(numbers))
        wanted = select(member.c.wave, func.count().label("amount")).where(these).group_by(member.c.wave)
        with self._read() as connection:
            return {row.wave: row.amount for row in connection.execute(wanted)}

    def all_alarms(self, standing: bool = False, limit: int | None = None, before: int | None = None) -> list[Alarm]:
        """Return alarms, newest first, those before a number; `standing`: only those that were not cleared."""
        wanted = select(alarm).where(_older(alarm, before)).order_by(alarm.c.id.desc()).limit(limit)
        with self._read() as connection:
            found = connection.execute(wanted.where(text(RAISED)) if standing else wanted)
            return [_to_alarm(row) for row in found]

    def tallies_between(self, provider: str, reason: Reason, since: datetime, until: datetime) -> list[Tally]:
        """Return the counts of one provider for one reason in this time, oldest first; they are kept for weeks."""
        quarters = tally.c.quarter.between(int(since.timestamp() // 900), int(until.timestamp() // 900))
        mine = tally.c.reason == reason, tally.c.provider == clean(provider, ADDRESS), quarters
        wanted = select(tally.c.quarter, tally.c.amount).where(*mine).order_by(tally.c.quarter)
        with self._read() as connection:
            return [Tally(provider, reason, quarter, amount) for quarter, amount in connection.execute(wanted)]

    def prune_tallies(self, now: datetime, days: float) -> int:
        """Remove the counts of quarters older than so many days, and return how many rows that were."""
        oldest = int((now - timedelta(days=days)).timestamp() // 900)
        with self._write() as connection:
            return connection.execute(delete(tally).where(tally.c.quarter < oldest)).rowcount


def _older(table: Table, before: int | None) -> ColumnElement[bool]:
    return true() if before is None else table.c.id < before


def _of(noun: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(noun, name) for name in names}


def _to_wave(row: Row[Any]) -> Wave:
    found = {name: row._mapping[name] for name in _WAVE}
    return Wave(**(found | {"reason": Reason(found["reason"]), "state": WaveState(found["state"])}))


def _to_alarm(row: Row[Any]) -> Alarm:
    found = {name: row._mapping[name] for name in _ALARM}
    return Alarm(**(found | {"reason": Reason(found["reason"]), "fault": Fault(found["fault"])}))
