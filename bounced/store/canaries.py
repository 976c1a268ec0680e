"""What is remembered of the canary: each that was sent, when it came back, and the alarms that it raised."""

from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, text, true, update

from bounced.model import Canary, CanaryAlarm
from bounced.store.canary_tables import RAISED, canary, canary_alarm
from bounced.store.columns import among
from bounced.store.database import Database

#: Canaries that are asked for to see whether all is well, and that are kept in all.
_RECENT: Final = 50
_KEPT: Final = 500
_CANARY: Final = tuple(field.name for field in fields(Canary))
_ALARM: Final = tuple(field.name for field in fields(CanaryAlarm))


class Aviary:
    """The part of a transaction of the ledger that cares for the canary."""

    _connection: Connection

    def canaries(self, now: datetime) -> list[Canary]:
        """Return, newest first, the latest canaries: of all, of those that were due by now, and of those that came
        back; however many others are on their way meanwhile."""
        conditions = (true(), canary.c.due_at <= now, canary.c.returned_at.is_not(None))
        found = {each.token: each for which in conditions for each in _canaries(self._connection, _RECENT, which)}
        return sorted(found.values(), key=lambda each: (-each.sent_at.timestamp(), each.token))

    def fly(self, new: Canary) -> None:
        """Write down a canary that is about to be sent, and forget those that were due long ago."""
        self._connection.execute(insert(canary).values(asdict(new)))
        due = canary.c.due_at <= new.sent_at
        old = select(canary.c.token).where(due).order_by(canary.c.sent_at.desc()).offset(_KEPT)
        for token in self._connection.scalars(old.limit(_KEPT)).all():
            self._connection.execute(delete(canary).where(canary.c.token == token))

    def land(self, tokens: dict[str, str], at: datetime) -> list[Canary]:
        """Write down which canaries came back, by token, with what was said; return those that had not before."""
        mine = among(self._connection.dialect, canary.c.token, list(tokens))
        out = select(canary).where(mine, canary.c.returned_at.is_(None))
        landed = [
            replace(each, returned_at=at, said=tokens[each.token], problem=None)
            for each in map(_canary, self._connection.execute(out))
        ]
        for each in landed:
            told = {"returned_at": at, "said": each.said, "problem": None}
            self._connection.execute(update(canary).where(canary.c.token == each.token).values(told))
        return landed

    def canary_alarm(self) -> CanaryAlarm | None:
        """Return the alarm that stands; None if all is well."""
        return _standing(self._connection)

    def write_canary_alarm(self, changed: CanaryAlarm) -> CanaryAlarm:
        """Insert an alarm, or bring the one of its number up to date; return it with its number."""
        row = asdict(changed)
        number = row.pop("id")
        if number:
            self._connection.execute(update(canary_alarm).where(canary_alarm.c.id == number).values(row))
            return changed
        made = self._connection.execute(insert(canary_alarm).values(row).returning(canary_alarm.c.id)).scalar_one()
        return replace(changed, id=made)


class Canaries(Database):
    """Questions about the canary, and what its sender writes down."""

    def recent_canaries(self, limit: int = _RECENT) -> list[Canary]:
        """Return the latest canaries, newest first."""
        with self._read() as connection:
            return _canaries(connection, limit, true())

    def standing_canary_alarm(self) -> CanaryAlarm | None:
        """Return the alarm that stands; None if all is well."""
        with self._read() as connection:
            return _standing(connection)

    def canary_alarms(self, limit: int = _RECENT) -> list[CanaryAlarm]:
        """Return alarms, newest first, also those that were cleared."""
        wanted = select(canary_alarm).order_by(canary_alarm.c.id.desc()).limit(limit)
        with self._read() as connection:
            return [_alarm(row) for row in connection.execute(wanted)]

    def handed_over(self, token: str, problem: str | None) -> None:
        """Write down that the mail server took a canary; or why it did not."""
        with self._write() as connection:
            connection.execute(update(canary).where(canary.c.token == token).values(problem=problem))


def _canaries(connection: Connection, limit: int, which: ColumnElement[bool]) -> list[Canary]:
    newest = select(canary).where(which).order_by(canary.c.sent_at.desc(), canary.c.token).limit(limit)
    return [_canary(row) for row in connection.execute(newest)]


def _standing(connection: Connection) -> CanaryAlarm | None:
    standing = select(canary_alarm).where(text(RAISED)).order_by(canary_alarm.c.id.desc()).limit(1)
    row = connection.execute(standing).one_or_none()
    return None if row is None else _alarm(row)


def _canary(row: Row[Any]) -> Canary:
    return Canary(**{name: row._mapping[name] for name in _CANARY})


def _alarm(row: Row[Any]) -> CanaryAlarm:
    return CanaryAlarm(**{name: row._mapping[name] for name in _ALARM})
