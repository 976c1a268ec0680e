"""How many mails were sent: as the sender counts them, or as its log tells, each mail of a log once."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import date
from itertools import islice
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from bounced.model import By, SentCount
from bounced.store.columns import among
from bounced.store.pseudonyms import Pseudonyms, Seal
from bounced.store.report_tables import sent_count, sent_mark
from bounced.store.spans import Span
from bounced.store.statements import many, taking_place, upserting

#: Counts, or marks, written in one transaction.
_CHUNK: Final = 5_000
#: Days that a mail of a log is known again.
MAILED_DAYS: Final = 120
_DIMENSIONS: Final = ("campaign", "list", "category", "provider")
_POSITIVE: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Mailed:
    """One mail to one recipient in a log, under every name that it may be met by again."""

    names: Sequence[str]
    day: date
    provider: str | None


@dataclass(frozen=True, slots=True)
class SentFigures:
    """What one source says was sent in a span: by key, where it tells the keys apart, and in all."""

    source: str
    total: int
    by_key: Mapping[str | None, int] = field(default_factory=dict)


class SentAmounts(Pseudonyms):
    """What was sent."""

    def put_sent_counts(self, counts: Iterable[SentCount]) -> int:
        """Write counts; each takes the place of one of the same source, day and so on. Return how many."""
        waiting, written = iter(counts), 0
        while some := {_number(one): one for one in islice(waiting, _CHUNK)}:
            with self._write() as connection:
                many(connection, taking_place(upserting(connection, sent_count)), map(_row, some.values()))
            written += len(some)
        return written

    def sent_amounts(self, first: date, last: date, limit: int | None = None) -> list[SentCount]:
        """Return the counts of these days, both included, the newest first."""
        table = sent_count.c
        wanted = select(sent_count).where(table.day >= first, table.day <= last)
        wanted = wanted.order_by(table.day.desc(), table.source, table.id).limit(limit)
        with self._read() as connection:
            return [_to_count(row._mapping) for row in connection.execute(wanted)]

    def count_mailed(self, mails: Iterable[Mailed], source: str) -> tuple[int, int]:
        """Add the mails of a log that were not met before to its source's counts; return how many those are, and of
        how many in all. A mail is known again by any of its names.
        """
        waiting, new, seen = iter(mails), 0, 0
        while some := list(islice(waiting, _CHUNK)):
            with self._write(alone=True) as connection:
                new += _count_once(connection, some, source, self.seal)
            seen += len(some)
        return new, seen

    def forget_mailed(self, before: date) -> int:
        """Forget which mails of logs were counted on days before that one; return how many names that were."""
        with self._write() as connection:
            return connection.execute(delete(sent_mark).where(sent_mark.c.day < before)).rowcount


def sent_in(connection: Connection, span: Span, source: str | None = None) -> SentFigures | None:
    """Return what was sent in a span, by the one source that can tell it, or tells of most; None where nobody can.

    Sources are never added up: they tell of the same mails. With `source` only that one is asked.
    """
    if not set(span.only.given()) <= set(_DIMENSIONS):
        return None
    table = sent_count.c
    key: ColumnElement[Any] | None = table.day if span.by is By.DAY else None
    if span.by.value in _DIMENSIONS:
        key = table[span.by.value]
    columns = [table.source, *([key] if key is not None else [])]
    where = [table.day >= span.first, table.day <= span.last]
    where += [table[name] == value for name, value in span.only.given().items()]
    where += [table.source == source] if source is not None else []
    sources: dict[str, dict[str | None, int]] = {}
    for who, *keys, amount in connection.execute(
        select(*columns, func.sum(table.amount)).where(*where).group_by(*columns)
    ):
        name = (keys[0].isoformat() if isinstance(keys[0], date) else keys[0]) if keys else None
        sources.setdefault(who, {})[name] = int(amount)
    able = {who: by for who, by in sources.items() if key is None or any(name is not None for name in by)}
    if not able:
        return None
    best = max(sorted(able), key=lambda who: sum(n for name, n in able[who].items() if key is None or name is not None))
    return SentFigures(best, sum(able[best].values()), able[best] if key is not None else {})


def sealed_mark(mark: int, seal: Seal) -> int:
    """Return what stands for the mark of a mail where no addresses are kept, below zero as no other is: without the
    key nobody can try addresses against it."""
    return ~_digest("mailed", seal.name(str(mark)))


def _mark(name: str, seal: Seal | None) -> int:
    mark = _digest("mailed", name)
    return sealed_mark(mark, seal) if seal else mark


def _count_once(connection: Connection, mails: Sequence[Mailed], source: str, seal: Seal | None) -> int:
    """Count those of whom no name is known, note all names, and return how many."""
    names = [[_mark(name, seal) for name in mail.names] for mail in mails]
    asked = {name for some in names for name in some}
    dialect = connection.dialect
    known = set(connection.scalars(select(sent_mark.c.mark).where(among(dialect, sent_mark.c.mark, asked))))
    noted: dict[int, date] = {}
    more: Counter[SentCount] = Counter()
    for mail, marks in zip(mails, names, strict=True):
        if known.isdisjoint(marks):
            more[SentCount(mail.day, 0, provider=mail.provider, source=source)] += 1
        noted |= {mark: mail.day for mark in marks if mark not in known}
        known.update(marks)
    many(connection, insert(sent_mark), ({"mark": mark, "day": day} for mark, day in noted.items()))
    add = upserting(connection, sent_count)
    sums = {"amount": sent_count.c.amount + add.excluded.amount}
    add = add.on_conflict_do_update(index_elements=[sent_count.c.id], set_=sums)
    many(connection, add, (_row(replace(one, sent=n)) for one, n in more.items()))
    return sum(more.values())


def _number(count: SentCount) -> int:
    """Return the number of what a count is of: the same one whatever the amount."""
    day, _, *names = astuple(count)
    return _digest("sent", day.isoformat(), *("\0" if name is None else name for name in names))


def _digest(*words: str) -> int:
    told = "\x1f".join(words).encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "big") & _POSITIVE


def _row(count: SentCount) -> dict[str, Any]:
    names = {name: getattr(count, name) for name in _DIMENSIONS}
    return {"id": _number(count), "source": count.source, "day": count.day, "amount": count.sent} | names


def _to_count(row: Any) -> SentCount:
    names = {name: row[name] for name in _DIMENSIONS}
    return SentCount(day=row["day"], sent=row["amount"], source=row["source"], **names)
