"""Mails sent: recorded by the sender, looked up for the reports on them, forgotten after a while."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import replace as replaced
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Row,
    Text,
    bindparam,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY

from bounced.model import Records, References, Sent, Tags
from bounced.store.columns import among, clean, listing
from bounced.store.pseudonyms import Pseudonyms, Seal
from bounced.store.sent_tables import sent, tag_mark
from bounced.store.statements import replace
from bounced.store.tables import ADDRESS, LINE

#: Rows written, or removed, in one transaction.
_CHUNK: Final = 5_000
#: A report names 500 recipients at most, a batch 2,000 reports; what exceeds this is not looked up.
_MOST_PAIRS: Final = 20_000


@dataclass(frozen=True, slots=True)
class SentCounts:
    """How much is recorded, and since when."""

    mails: int
    campaigns: int
    oldest: datetime | None


class Recall:
    """The records as a batch of reports sees them. Mixed into the open transaction."""

    _connection: Connection
    _seal: Seal | None

    def recall(self, wanted: Iterable[References]) -> Records:
        """Return what is recorded of the mails that reports refer to: three statements, however many there are."""
        asked = [_Asked(one, self._seal) for one in wanted]
        plain = {name: text for one in asked for name, text in one.plain.items()}
        by_id: dict[str, Sent] = {}
        by_message_id: dict[str, list[Sent]] = {}
        ids = {id_ for one in asked for id_ in one.ids}
        pairs = {(m, r): None for one in asked for m in one.message_ids for r in one.recipients}
        message_ids = {m for one in asked for m in one.message_ids}
        for mail in self._mails(ids, message_ids, list(islice(pairs, _MOST_PAIRS))):
            found = mail if self._seal is None else _unsealed(mail, plain)
            by_id[found.id] = found
            if found.message_id:
                by_message_id.setdefault(found.message_id, []).append(found)
        return Records(by_id, {m: tuple(some) for m, some in by_message_id.items()}, self._tags(asked))

    def keeps_sent(self) -> bool:
        """Return whether anything is recorded at all."""
        some = select(or_(exists(select(sent.c.id)), exists(select(tag_mark.c.mark))))
        return bool(self._connection.scalar(some))

    def _mails(
        self, ids: Collection[str], message_ids: Collection[str], pairs: Collection[tuple[str, str]]
    ) -> list[Sent]:
        """Return the mails of these ids, those of these Message-IDs to these recipients, and the first and last each.

        First and last are found in the index: they tell whether a Message-ID has but one mail.
        """
        dialect = self._connection.dialect
        named = listing(dialect, [clean(m, LINE) for m in message_ids])
        of_it = select(sent.c.id).where(sent.c.message_id == named.c.value).correlate(named).limit(1)
        keys = union(
            select(sent.c.id).where(among(dialect, sent.c.id, ids)),
            select(sent.c.id).where(_one_of(dialect, pairs)),
            select(of_it.order_by(sent.c.recipient).scalar_subquery()).select_from(named),
            select(of_it.order_by(sent.c.recipient.desc()).scalar_subquery()).select_from(named),
        )
        found = self._connection.execute(select(sent).where(sent.c.id.in_(keys)).order_by(sent.c.id))
        return [_mail(row) for row in found]

    def _tags(self, asked: Iterable["_Asked"]) -> dict[str, Tags]:
        marks = {mark for one in asked for mark in one.marks}
        if not marks:
            return {}
        known = select(tag_mark).where(among(self._connection.dialect, tag_mark.c.mark, marks))
        return {row.mark: _tags(row) for row in self._connection.execute(known)}


class _Asked:
    """What one report refers to, by the names under which it is kept; `plain` leads from those back."""

    def __init__(self, wanted: References, seal: Seal | None) -> None:
        self.marks = wanted.marks
        self.plain = {seal.name(t): t for t in (*wanted.ids, *wanted.message_ids, *wanted.recipients)} if seal else {}
        name = seal.name if seal else str
        self.ids, self.message_ids = tuple(map(name, wanted.ids)), tuple(map(name, wanted.message_ids))
        self.recipients = tuple(map(name, wanted.recipients))


def _unsealed(mail: Sent, plain: Mapping[str, str]) -> Sent:
    """Return the record with what the report named itself in plain words again."""
    id_, recipient = plain.get(mail.id, mail.id), plain.get(mail.recipient, mail.recipient)
    message_id = mail.message_id and plain.get(mail.message_id, mail.message_id)
    return replaced(mail, id=id_, recipient=recipient, message_id=message_id)


class SentMails(Pseudonyms):
    """What the sender and the upkeep ask."""

    def add_sent(self, mails: Iterable[Sent], marks: Mapping[str, Tags], now: datetime) -> int:
        """Record mails, and what marks stand for, some thousands to a transaction; return how many mails.

        A mail whose id is known takes the place of the one before. One without a time counts as sent now.
        """
        waiting, added = iter(mails), 0
        self._mark(marks, now)
        while some := {one.id: one for one in islice(waiting, _CHUNK)}:
            with self._write() as connection:
                kept = map(self.seal.sent, some.values()) if self.seal else some.values()
                replace(connection, sent, (_row(one, now) for one in kept))
            added += len(some)
        return added

    def sent_counts(self) -> SentCounts:
        """Return how much is recorded."""
        with self._read() as connection:
            mails, oldest = connection.execute(select(func.count(), func.min(sent.c.at))).one()
            campaigns = connection.scalar(select(func.count()).select_from(tag_mark)) or 0
        return SentCounts(mails, campaigns, oldest)

    def forget_sent(self, before: datetime) -> int:
        """Remove what was recorded before that time, some thousands to a transaction; return how many mails."""
        forgotten = 0
        while True:
            with self._write() as connection:
                old = select(sent.c.id).where(sent.c.at < before).limit(_CHUNK)
                gone = connection.execute(delete(sent).where(sent.c.id.in_(old))).rowcount
            forgotten += gone
            if gone < _CHUNK:
                break
        with self._write() as connection:
            connection.execute(delete(tag_mark).where(tag_mark.c.at < before))
        return forgotten

    def _mark(self, marks: Mapping[str, Tags], now: datetime) -> None:
        if marks:
            with self._write() as connection:
                replace(connection, tag_mark, ({"mark": m, "at": now} | _columns(tags) for m, tags in marks.items()))


def _one_of(dialect: Dialect, pairs: Collection[tuple[str, str]]) -> ColumnElement[bool]:
    """Return the condition that Message-ID and recipient are one of these pairs, each found in the index."""
    clear = [(clean(m, LINE), clean(r, ADDRESS)) for m, r in pairs]
    if dialect.name == "postgresql":
        arrays = (bindparam(None, [p[n] for p in clear], type_=ARRAY(Text()), unique=True) for n in (0, 1))
        listed = func.unnest(*arrays).table_valued("m", "r", name="pairs").render_derived()
        return tuple_(sent.c.message_id, sent.c.recipient).in_(select(listed.c.m, listed.c.r))
    each = func.json_each(json.dumps(clear)).table_valued("value", name="pairs")
    parts = (func.json_extract(each.c.value, literal(f"$[{n}]")) for n in (0, 1))
    return tuple_(sent.c.message_id, sent.c.recipient).in_(select(*parts))


def _row(mail: Sent, now: datetime) -> dict[str, Any]:
    plain = {"id": mail.id, "recipient": mail.recipient, "message_id": mail.message_id, "return_path": mail.return_path}
    return plain | {"at": mail.at or now} | _columns(mail.tags)


def _columns(tags: Tags) -> dict[str, Any]:
    return {"campaign": tags.campaign, "list": tags.list, "categories": tags.categories, "stream": tags.stream}


def _mail(row: Row[Any]) -> Sent:
    return Sent(row.id, row.recipient, row.message_id, _tags(row), row.at, row.return_path)


def _tags(row: Row[Any]) -> Tags:
    found = row._mapping
    return Tags(found["campaign"], found["list"], tuple(found["categories"]), found["stream"])
