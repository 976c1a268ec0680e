"""Whole lists taken in at once: staged beside the tables, compared with them, merged in one transaction."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Final, Protocol

from sqlalchemy import Connection, bindparam, text

from bounced.store.columns import Instant, clean
from bounced.store.faults import mapped
from bounced.store.pseudonyms import Pseudonyms, forgotten
from bounced.store.staging import Staged, Staging, staging_on
from bounced.store.statements import many, upserting
from bounced.store.suppressions import EVERYWHERE
from bounced.store.tables import ADDRESS, LINE, NAME, PROSE, suppression_count

#: How strong a category is as a cause; every other one stands between. A bounce never renames a complaint or a wish.
STRENGTH: Final[Mapping[str, int]] = {"complaint": 4, "unsubscribe": 3, "hard": 1, "soft": 0}
BY_OTHERS: Final = 2


class Incoming(Protocol):
    """An entry of a list, its address in normal form; `scope`, `since` and `until` are None where it tells none.

    `passing` marks a soft failure without an end of its own.
    """

    @property
    def address(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def scope(self) -> str | None: ...
    @property
    def since(self) -> datetime | None: ...
    @property
    def until(self) -> datetime | None: ...
    @property
    def passing(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Terms:
    """Who takes in a list, when, and what its entries get that do not say it themselves.

    `passing` is how long an entry holds that another system gave up for soft failures.
    """

    actor: str
    now: datetime
    scope: str = EVERYWHERE
    passing: timedelta | None = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a list comes to, counted by address and scope; `over` and `repeated` are lines.

    `added` are new, by category; `strengthened` were there for a weaker cause or a shorter time; `known` stay as they
    are; `released` stay free, since they were released after what the list tells; `over` have run out.
    """

    added: Mapping[str, int] = field(default_factory=dict)
    strengthened: int = 0
    known: int = 0
    released: int = 0
    over: int = 0
    repeated: int = 0

    @property
    def changed(self) -> int:
        """How many entries the table has more, or has otherwise."""
        return sum(self.added.values()) + self.strengthened


class Intake:
    """One list on its way in. Until `commit` returns, the tables do not know of it."""

    def __init__(self, database: "Transfers", connection: Connection, terms: Terms) -> None:
        self._database = database
        self._connection = connection
        self._terms = terms
        self._staging: Staging = staging_on(connection)
        asked = database.pseudonym is not None and database.seal is None
        self._forgotten = frozenset(forgotten(connection)) if asked else frozenset()
        connection.commit()
        self._staged = 0
        self._over = 0

    def add(self, entries: Iterable[Incoming]) -> None:
        """Stage the entries; called once. Memory does not grow with their number. Raises StoreDown."""
        self._staging.fill(self._rows(entries))

    def plan(self) -> Taken:
        """Return what `commit` would do if nobody writes meanwhile. Raises StoreDown."""
        with self._connection.begin():
            self._resolve()
            return self._taken()

    def commit(self) -> Taken:
        """Merge all or nothing: journal, state and counts in one transaction that no other writer overlaps.

        What was taken in before changes nothing. Raises StoreDown, with nothing merged.
        """
        with self._database.merging(self._connection):
            self._resolve()
            taken = self._taken()
            if taken.changed:
                self._merge()
        return taken

    def _rows(self, entries: Iterable[Incoming]) -> Iterator[Staged]:
        """Yield what is staged of each entry that has not run out."""
        now, scope, passing = self._terms.now, self._terms.scope, self._terms.passing
        short = lru_cache(1000)(partial(clean, limit=NAME))
        for line, entry in enumerate(entries):
            until, since = entry.until, entry.since
            if since is not None and since > now:
                since = now
            firm = 1
            if entry.passing and until is None and passing is not None:
                until, firm = (since or now) + passing, since is not None
            if until is not None and until <= now:
                self._over += 1
                continue
            self._staged += 1
            category = entry.category
            name, why = self._named(entry)
            yield (
                line,
                clean(name, ADDRESS),
                short(entry.scope or scope),
                short(category),
                STRENGTH.get(category, BY_OTHERS),
                short(entry.reason),
                clean(why, PROSE),
                since,
                until,
                int(firm),
            )

    def _named(self, entry: Incoming) -> tuple[str, str]:
        """Return address and words; of a person who was forgotten, what stands for the address, and no words."""
        seal = self._database.seal
        if seal is not None:
            return seal.name(entry.address), seal.text(entry.why, (entry.address,))
        pseudonym = self._database.pseudonym
        if pseudonym is not None and self._forgotten and (name := pseudonym(entry.address)) in self._forgotten:
            return name, ""
        return entry.address, entry.why

    def _resolve(self) -> None:
        """Make the table that says of each address and scope what becomes of it."""
        self._connection.execute(text(f"DROP TABLE IF EXISTS {self._staging.resolved}"))
        statement = text(_RESOLVE.format(**self._names())).bindparams(bindparam("now", type_=Instant))
        self._connection.execute(statement, {"now": self._terms.now})

    def _taken(self) -> Taken:
        counted = self._connection.execute(
            text(f"SELECT outcome, category, count(*) FROM {self._staging.resolved} GROUP BY outcome, category")  # noqa: S608  a name of ours
        ).all()
        sums: Counter[str] = Counter()
        for outcome, _, amount in counted:
            sums[outcome] += amount
        return Taken(
            added={category: amount for outcome, category, amount in sorted(counted) if outcome == "added"},
            strengthened=sums["strengthened"],
            known=sums["known"],
            released=sums["released"],
            over=self._over,
            repeated=self._staged - sums.total(),
        )

    def _merge(self) -> None:
        """Write the journal, the state that it adds up to, and the numbers of entries."""
        actor = {"actor": clean(self._terms.actor, LINE)}
        self._count()
        lines = text(_JOURNAL.format(**self._names())).bindparams(bindparam("now", type_=Instant))
        self._connection.execute(lines, actor | {"now": self._terms.now})
        self._connection.execute(text(_STATE.format(**self._names())), actor)

    def _count(self) -> None:
        more: Counter[str] = Counter()
        found = self._connection.execute(text(_COUNT.format(**self._names())))
        for category, old, amount in found:
            more[category] += amount
            if old is not None:
                more[old] -= amount
        add = upserting(self._connection, suppression_count)
        sum_ = suppression_count.c.amount + add.excluded.amount
        add = add.on_conflict_do_update(index_elements=[suppression_count.c.category], set_={"amount": sum_})
        many(self._connection, add, ({"category": name, "amount": n} for name, n in sorted(more.items()) if n))

    def _names(self) -> Mapping[str, str]:
        cases = " ".join(f"WHEN '{category}' THEN {strength}" for category, strength in STRENGTH.items())
        return {
            "staged": self._staging.staged,
            "resolved": self._staging.resolved,
            "table": self._staging.create,
            "never": self._staging.never,
            "before": self._staging.before,
            "latest": self._staging.latest,
            "earliest": self._staging.earliest,
            "old_rank": f"CASE e.category {cases} ELSE {BY_OTHERS} END",
        }


class Transfers(Pseudonyms):
    """Takes in whole lists."""

    @contextmanager
    def taking_in(self, terms: Terms) -> Iterator[Intake]:
        """Lend an intake. What is not committed when it ends is forgotten. Raises StoreDown.

        No webhook is sent for what it suppresses: a receiver would drown in news that are none.
        """
        with mapped(self.where), self._engine.connect() as connection:
            self._admit(connection)
            connection.commit()
            connection.detach()  # it leaves with its staging and its settings, and never returns to the pool
            yield Intake(self, connection, terms)

    @contextmanager
    def merging(self, connection: Connection) -> Iterator[None]:
        """Hold the transaction in which a list is merged. Raises StoreDown."""
        with self._turn(), self._transaction(connection, alone=True):
            self._admit(connection, writes=True)
            yield


#: Of each address and scope the strongest line, the earliest beginning, the latest end; against it the present entry.
#: A line without a time, and a soft one, cannot tell whether it is newer than a release: it gives way.
_RESOLVE: Final = """
CREATE {table} {resolved} AS
WITH ranked AS (
  SELECT address, scope, category, rank, reason, why,
    row_number() OVER (same ORDER BY rank DESC, coalesce(until, {never}) DESC, line) AS place,
    min(since) OVER same AS since,
    max(coalesce(until, {never})) OVER same AS ends,
    max(CASE WHEN firm = 1 THEN coalesce(until, {never}) ELSE {before} END) OVER same AS firmly
  FROM {staged} WINDOW same AS (PARTITION BY address, scope)
), met AS (
  SELECT r.*, e.category AS old_category, e.reason AS old_reason, e.why AS old_why, e.event_id AS old_event_id,
    e.since AS old_since, coalesce(e.until, {never}) AS old_ends, {old_rank} AS old_rank,
    e.address IS NOT NULL AND (e.until IS NULL OR e.until > :now) AS holds,
    EXISTS (SELECT 1 FROM suppression_journal j WHERE j.address = r.address AND j.scope = r.scope
      AND (j.move = 'release' OR (j.move = 'expire' AND r.category = 'soft'))
      AND (r.since IS NULL OR j.at >= r.since)) AS freed
  FROM ranked r LEFT JOIN suppression e ON e.address = r.address AND e.scope = r.scope
  WHERE r.place = 1
), judged AS (
  SELECT met.*, holds AND rank <= old_rank AS keeps,
    CASE WHEN NOT holds THEN CASE WHEN freed THEN 'released' ELSE 'added' END
      WHEN NOT freed AND (rank > old_rank OR firmly > old_ends) THEN 'strengthened'
      ELSE 'known' END AS outcome
  FROM met
)
SELECT address, scope, outcome, old_category,
  CASE WHEN keeps THEN old_category ELSE category END AS category,
  CASE WHEN keeps THEN old_reason ELSE reason END AS reason,
  CASE WHEN keeps THEN old_why ELSE why END AS why,
  CASE WHEN keeps THEN old_event_id END AS event_id,
  since AS told,
  CASE WHEN holds THEN {earliest}(old_since, coalesce(since, :now)) ELSE coalesce(since, :now) END AS since,
  nullif(CASE WHEN holds THEN {latest}(old_ends, firmly) ELSE ends END, {never}) AS until
FROM judged
"""

_CHANGED: Final = "outcome IN ('added', 'strengthened')"

_JOURNAL: Final = f"""
INSERT INTO suppression_journal (address, scope, move, at, category, reason, why, until, event_id, actor, since)
SELECT address, scope, 'suppress', :now, category, reason, why, until, event_id, :actor, told
FROM {{resolved}} WHERE {_CHANGED}
"""  # noqa: S608  names of ours

_STATE: Final = f"""
INSERT INTO suppression (address, scope, category, reason, since, until, event_id, why, actor)
SELECT address, scope, category, reason, since, until, event_id, why, :actor
FROM {{resolved}} WHERE {_CHANGED}
ON CONFLICT (address, scope) DO UPDATE SET category = excluded.category, reason = excluded.reason,
  since = excluded.since, until = excluded.until, event_id = excluded.event_id, why = excluded.why,
  actor = excluded.actor, disputed = NULL
"""  # noqa: S608  names of ours

_COUNT: Final = f"""
SELECT category, old_category, count(*) FROM {{resolved}} WHERE {_CHANGED} GROUP BY category, old_category
"""  # noqa: S608  names of ours
