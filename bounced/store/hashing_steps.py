"""What becomes of the rows of each table when hashes are put for all addresses; what names nobody stays."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Row,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    null,
    or_,
    select,
    text,
    true,
    update,
)

from bounced.store import rows
from bounced.store.columns import among
from bounced.store.private_tables import raw_evidence
from bounced.store.pseudonyms import PREFIX, Seal
from bounced.store.report_tables import sent_mark
from bounced.store.rollups import recount
from bounced.store.sent_counts import sealed_mark
from bounced.store.sent_tables import sent
from bounced.store.statements import many, replace
from bounced.store.tables import (
    OPEN,
    attempt,
    delivery,
    event,
    journal,
    message,
    notification,
    suppression,
    suppression_count,
)
from bounced.store.watch_tables import member, sign_of_life

#: How ids begin that follow from no address any more; where they do there is a hexadecimal digit in place of the h.
_EVENT, _NEWS = "ev_h", "msg_h"


@dataclass(frozen=True, slots=True)
class Step:
    """One table: which of its rows may name somebody, and what makes the rows of a chunk nameless."""

    table: Table
    left: ColumnElement[bool]
    convert: Callable[[Connection, Seal, Sequence[Row[Any]]], None]


def _name(seal: Seal, address: str) -> str:
    """Return what stands for an address; what was erased, or is a hash already, stays."""
    return seal.name(address) if "@" in address else address


def _events(connection: Connection, seal: Seal, found: Sequence[Row[Any]]) -> None:
    """Write events anew, and with them the lines that they caused, so that the figures of reports stay in step."""
    old = [row.id for row in found]
    lines = connection.execute(select(journal).where(among(connection.dialect, journal.c.event_id, old))).all()
    numbers = [line.seq for line in lines]
    recount(connection, -1, old, numbers)
    connection.execute(delete(event).where(among(connection.dialect, event.c.id, old)))
    new = [seal.event(rows.to_event(row)) for row in found]
    many(connection, insert(event), map(rows.of_event, new))
    _rename_lines(connection, seal, lines)
    recount(connection, 1, [each.id for each in new], numbers)


def _lines(connection: Connection, seal: Seal, found: Sequence[Row[Any]]) -> None:
    numbers = [line.seq for line in found]
    recount(connection, -1, (), numbers)
    _rename_lines(connection, seal, found)
    recount(connection, 1, (), numbers)


def _rename_lines(connection: Connection, seal: Seal, found: Sequence[Row[Any]]) -> None:
    line = update(journal).where(journal.c.seq == bindparam("number"))
    line = line.values(address=bindparam("name"), why=bindparam("said"), event_id=bindparam("id"))
    many(
        connection,
        line,
        (
            {
                "number": row.seq,
                "name": _name(seal, row.address),
                "said": seal.text(row.why, (row.address,)),
                "id": row.event_id and seal.event_id(row.event_id),
            }
            for row in found
        ),
    )


def _entries(connection: Connection, seal: Seal, found: Sequence[Row[Any]]) -> None:
    """Rename entries; one that stands under the hash already, of a person who was forgotten, gives way."""
    _remove(connection, suppression, found)
    named = [(seal.entry(rows.to_suppression(row)), "@" in row.address) for row in found]
    new = {(entry.address, entry.scope): entry for entry, _ in sorted(named, key=itemgetter(1))}
    these = among(connection.dialect, suppression.c.address, {address for address, _ in new})
    there = connection.execute(select(suppression).where(these)).all()
    amounts = Counter(entry.category for entry in new.values())
    amounts.subtract(row.category for row in found)
    amounts.subtract(row.category for row in there if (row.address, row.scope) in new)
    replace(connection, suppression, map(rows.of_suppression, new.values()))
    for category, more in amounts.items():
        amount = suppression_count.c.amount + more
        connection.execute(
            update(suppression_count).where(suppression_count.c.category == category).values(amount=amount)
        )


def _signs(connection: Connection, seal: Seal, found: Sequence[Row[Any]]) -> None:
    _remove(connection, sign_of_life, found)
    named = (
        dict(row._mapping) | {"address": _name(seal, row.address), "source": seal.text(row.source, (row.address,))}
        for row in found
    )
    replace(connection, sign_of_life, named)


def _members(connection: Connection, seal: Seal, found: Sequence[Row[Any]]) -> None:
    _remove(connection, member, found)
    named = (
        dict(row._mapping) | {"address": _name(seal, row.address), "event_id": seal.event_id(row.event_id)}
        for row in found
    )
    replace(connection, member, named)


def _sent(connection: Connection, seal: Seal, found: Sequence[Row[Any]]) -> None:
    _remove(connection, sent, found)
    names = ("id", "recipient", "message_id")
    replace(
        connection,
        sent,
        (
            dict(row._mapping)
            | {"return_path": None}
            | {n: v and seal.name(v) for n in names if (v := row._mapping[n])}
            for row in found
        ),
    )


def _marks(connection: Connection, seal: Seal, found: Sequence[Row[Any]]) -> None:
    """Put sealed marks for those of mails in logs: they follow from recipients. A log that is read again is known."""
    _remove(connection, sent_mark, found)
    replace(connection, sent_mark, ({"mark": sealed_mark(row.mark, seal), "day": row.day} for row in found))


def _news(connection: Connection, seal: Seal, found: Sequence[Row[Any]]) -> None:
    """Drop the notifications that no endpoint waits for; the others keep their deliveries under another id."""
    waiting = exists().where(delivery.c.notification_id == notification.c.id, text(OPEN))
    these = among(connection.dialect, notification.c.id, [row.id for row in found])
    open_ = set(connection.scalars(select(notification.c.id).where(these, waiting)))
    mine = [row for row in found if row.id in open_]
    new = ({"id": seal.notification_id(r.id), "type": r.type, "at": r.at, "data": seal.data(r.data)} for r in mine)
    many(connection, insert(notification), new)
    moved = update(delivery).where(delivery.c.notification_id == bindparam("old"))
    moved = moved.values(notification_id=bindparam("new"), last_error=null())
    many(connection, moved, ({"old": row.id, "new": seal.notification_id(row.id)} for row in mine))
    connection.execute(delete(notification).where(these))


def _masked(*columns: str) -> Callable[[Connection, Seal, Sequence[Row[Any]]], None]:
    """Return what takes addresses out of columns of words."""

    def convert(connection: Connection, seal: Seal, found: Sequence[Row[Any]]) -> None:
        table = message if "detail" in columns else attempt
        key = _key(table)
        changed = update(table).where(*(column == value for column, value in key.items()))
        changed = changed.values({name: bindparam(f"new_{name}") for name in columns})
        many(
            connection,
            changed,
            (
                {f"key_{column.name}": row._mapping[column.name] for column in key}
                | {f"new_{n}": row._mapping[n] and seal.text(row._mapping[n]) for n in columns}
                for row in found
            ),
        )

    return convert


def _reports(connection: Connection, _seal: Seal, found: Sequence[Row[Any]]) -> None:
    _remove(connection, raw_evidence, found)


def _remove(connection: Connection, table: Table, found: Sequence[Row[Any]]) -> None:
    key = _key(table)
    gone = delete(table).where(and_(*(column == value for column, value in key.items())))
    many(connection, gone, ({f"key_{c.name}": row._mapping[c.name] for c in key} for row in found))


def _key(table: Table) -> dict[Column[Any], BindParameter[Any]]:
    return {column: bindparam(f"key_{column.name}") for column in table.primary_key}


def _plain(*columns: ColumnElement[str]) -> ColumnElement[bool]:
    return or_(*(column.like("%@%") for column in columns))


def _telling(column: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that an event is named by an id that follows from an address."""
    return and_(column.startswith("ev_", autoescape=True), ~column.startswith(_EVENT, autoescape=True))


STEPS: Final = (
    Step(raw_evidence, true(), _reports),
    Step(event, _telling(event.c.id), _events),
    Step(journal, or_(_plain(journal.c.address, journal.c.why), _telling(journal.c.event_id)), _lines),
    Step(suppression, or_(_plain(suppression.c.address), _telling(suppression.c.event_id)), _entries),
    Step(sign_of_life, _plain(sign_of_life.c.address), _signs),
    Step(member, or_(_plain(member.c.address), _telling(member.c.event_id)), _members),
    Step(sent, ~sent.c.id.startswith(PREFIX), _sent),
    Step(sent_mark, sent_mark.c.mark >= 0, _marks),
    Step(notification, ~notification.c.id.startswith(_NEWS, autoescape=True), _news),
    Step(attempt, _plain(attempt.c.response, attempt.c.error), _masked("response", "error")),
    Step(message, _plain(message.c.detail, message.c.last_error), _masked("detail", "last_error")),
)
