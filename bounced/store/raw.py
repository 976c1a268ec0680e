"""Raw evidence: kept with its events, found again by digest or time; and events that say better what others said."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, or_, select, update

from bounced.model import Event, Kept
from bounced.store import rows
from bounced.store.bulk import Writer
from bounced.store.columns import among
from bounced.store.database import Database
from bounced.store.private_tables import raw_evidence
from bounced.store.rollups import recount
from bounced.store.statements import many
from bounced.store.tables import event

#: Reports fetched at once.
_PAGE: Final = 200
_FIELDS: Final = ("digest", "at", "received", "size", "content", "cut")
_KEPT: Final = Writer(raw_evidence, _FIELDS, lambda once: once.on_conflict_do_nothing())


class Keeping:
    """What a transaction does about raw evidence and what is made of it later."""

    _connection: Connection

    def keep(self, kept: Sequence[Kept]) -> None:
        """Keep raw evidence; what is kept already stays as it is."""
        _KEPT.write(self._connection, ({name: getattr(each, name) for name in _FIELDS} for each in kept))

    def recorded(self, keys: Collection[str]) -> Mapping[str, str | None]:
        """Return, for each key that is recorded, the id of its event; None where another event superseded that."""
        found = select(event.c.key, event.c.id, event.c.superseded_by)
        found = found.where(among(self._connection.dialect, event.c.key, keys))
        return {row.key: None if row.superseded_by else row.id for row in self._connection.execute(found)}

    def supersede(self, by: Mapping[str, str]) -> None:
        """Let events count no more, by id, for the sake of the event named; they stay to be looked at."""
        recount(self._connection, -1, by)
        these = update(event).where(event.c.id == bindparam("old")).values(superseded_by=bindparam("new"))
        many(self._connection, these, ({"old": old, "new": new} for old, new in sorted(by.items())))


class RawEvidence(Database):
    """Questions to the raw evidence."""

    def kept(self, digest: str) -> Kept | None:
        """Return what is kept of the message with that digest; None if nothing is."""
        with self._read() as connection:
            row = connection.execute(select(raw_evidence).where(raw_evidence.c.digest == digest)).one_or_none()
        return None if row is None else _to_kept(row)

    def kept_amount(self, since: datetime, until: datetime) -> int:
        """Return of how many messages that were handled from `since`, and before `until`, something is kept."""
        counted = select(func.count()).where(raw_evidence.c.at >= since, raw_evidence.c.at < until)
        with self._read() as connection:
            return connection.scalar(counted) or 0

    def kept_between(self, since: datetime, until: datetime) -> Iterator[list[Kept]]:
        """Yield what is kept of the messages of that time, the oldest first, some hundreds at once."""
        table = raw_evidence.c
        at, digest = since, ""
        while True:
            beyond = or_(table.at > at, table.digest > digest)
            page = (
                select(raw_evidence)
                .where(table.at >= at, beyond, table.at < until)
                .order_by(table.at, table.digest)
                .limit(_PAGE)
            )
            with self._read() as connection:
                found = [_to_kept(row) for row in connection.execute(page)]
            if not found:
                return
            yield found
            at, digest = found[-1].at, found[-1].digest

    def events_of_messages(self, digests: Collection[str]) -> dict[str, list[Event]]:
        """Return the events that came of each message and were not superseded, by digest."""
        found: dict[str, list[Event]] = {}
        with self._read() as connection:
            these = among(connection.dialect, event.c.digest, digests), event.c.superseded_by.is_(None)
            for row in connection.execute(select(event).where(*these).order_by(event.c.at, event.c.id)):
                found.setdefault(row.digest, []).append(rows.to_event(row))
        return found


def _to_kept(row: Row[Any]) -> Kept:
    return Kept(**{name: row._mapping[name] for name in _FIELDS})
