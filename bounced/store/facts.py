"""What reports count, where it was written: events that still count, journal lines, messages that nobody could read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    FromClause,
    Select,
    Text,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
)

from bounced.model import Category, Disposition, Figure, Kind, Move
from bounced.store.days import SECONDS
from bounced.store.tables import event, journal, message

#: What a fact may be told apart by. `categories` is the text of a JSON list.
DIMENSIONS: Final = ("campaign", "list", "categories", "provider", "domain", "reason", "fault", "rule", "mailbox")

_OF_EVENT: Final = case(
    (event.c.category == Category.HARD, literal(Figure.HARD.value)),
    (event.c.category == Category.SOFT, literal(Figure.SOFT.value)),
    (event.c.category == Category.COMPLAINT, literal(Figure.COMPLAINTS.value)),
    (event.c.kind == Kind.AUTO_REPLY, literal(Figure.AUTO_REPLIES.value)),
)
_OF_LINE: Final = case(
    (journal.c.move == Move.SUPPRESS, literal(Figure.SUPPRESSED.value)),
    (journal.c.move.in_((Move.RELEASE, Move.EXPIRE)), literal(Figure.RELEASED.value)),
)


@dataclass(frozen=True, slots=True)
class Facts:
    """One kind of facts: where they stand, when they happened, what each counts as, and what tells them apart."""

    source: FromClause
    at: ColumnElement[Any]
    slot: ColumnElement[int]
    figure: ColumnElement[str | None]
    values: Mapping[str, ColumnElement[Any]]
    where: Sequence[ColumnElement[bool]]

    def counted(self, wanted: Sequence[str], *where: ColumnElement[bool], when: Any = None) -> Select[Any]:
        """Return the question how many there are, by `when` (an expression of the slot), figure and what is wanted."""
        columns = [when.label("time")] if when is not None else []
        columns += [self.figure.label("figure"), *(self.values[name].label(name) for name in wanted)]
        found = select(func.count().label("amount"), *columns).select_from(self.source)
        return found.where(*self.where, *where).group_by(*columns)


def events(dialect: Dialect) -> Facts:
    """Return bounces, complaints and auto-replies: what nothing supersedes."""
    names = ("campaign", "list", "provider", "domain", "reason", "fault", "rule", "mailbox")
    values: dict[str, ColumnElement[Any]] = {name: event.c[name] for name in names}
    values["categories"] = type_coerce(event.c.categories, Text())
    counts = or_(event.c.category.is_not(None), event.c.kind == Kind.AUTO_REPLY)
    where = counts, event.c.superseded_by.is_(None)
    return Facts(event, event.c.at, _slot(dialect, event.c.at), _OF_EVENT, values, where)


def changes(dialect: Dialect) -> Facts:
    """Return what the journal says was suppressed, and released or run out; with the event that caused it, if any."""
    line = journal.c
    values: dict[str, ColumnElement[Any]] = {
        name: event.c[name] for name in ("campaign", "list", "provider", "fault", "rule", "mailbox")
    }
    values |= {"categories": type_coerce(event.c.categories, Text()), "reason": line.reason}
    values["domain"] = func.coalesce(_domain(dialect, line.address), event.c.domain)
    source = journal.outerjoin(event, event.c.id == line.event_id)
    return Facts(source, line.at, _slot(dialect, line.at), _OF_LINE, values, (line.move != Move.DISPUTE,))


def unreadable(dialect: Dialect) -> Facts:
    """Return the messages in quarantine: nothing is known of them but the mailbox."""
    values: dict[str, ColumnElement[Any]] = {name: cast(null(), Text()) for name in DIMENSIONS}
    values["mailbox"] = message.c.mailbox
    figure: ColumnElement[str | None] = literal(Figure.UNREADABLE.value)
    where = (message.c.disposition == Disposition.QUARANTINE,)
    return Facts(message, message.c.at, _slot(dialect, message.c.at), figure, values, where)


def _slot(dialect: Dialect, at: ColumnElement[Any]) -> ColumnElement[int]:
    if dialect.name == "postgresql":
        return cast(func.floor(func.extract("epoch", at) / SECONDS), BigInteger)
    return type_coerce(at, BigInteger) // (SECONDS * 1_000_000)


def _domain(dialect: Dialect, address: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return what stands after the last @ of an address; null where there is none."""
    if dialect.name == "postgresql":
        domain: ColumnElement[Any] = func.substring(address, "[^@]*$")
    else:
        up_to_it = func.rtrim(address, func.replace(address, "@", ""))
        domain = func.substr(address, func.length(up_to_it) + 1)
    return case((address.contains("@"), domain))
