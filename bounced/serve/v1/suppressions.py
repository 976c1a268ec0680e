"""`/v1/suppressions`: the question before each mail, for one address or thousands, and a program's word on it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field
from pydantic_core import to_json
from starlette.convertors import Convertor, register_url_convertor

from bounced.address import normalise
from bounced.model import Change, Move, Suppression
from bounced.serve.entries import WISHED, entries_of, releases
from bounced.serve.problems import Problem, responses
from bounced.serve.v1.doors import JSON, Doors
from bounced.serve.v1.shapes import (
    DEFAULT_LIMIT,
    PROSE,
    Address,
    Cursor,
    Domain,
    Given,
    Limit,
    Page,
    ScopeName,
    Since,
    Told,
    Words,
    actor,
    cursor,
    normal,
    place_of,
)
from bounced.store import EVERYWHERE, Store, SuppressionQuery, TokenScope, standing

#: Addresses of one check, and the octets that so many may take.
BATCH: Final = 10_000
_BATCH_OCTETS: Final = 4_000_000

#: What is longer spoils a whole batch; what is merely no address is named in the answer.
Spelling = Annotated[str, Field(max_length=320)]
Why = Annotated[str, Field(min_length=1, max_length=PROSE, description="For whoever asks later.")]


class Entry(Told):
    """An address not to mail in a scope. `until` is null where there is no end."""

    address: str
    scope: str
    category: str
    reason: str
    since: datetime
    until: datetime | None
    event_id: str | None
    why: str
    actor: str
    disputed: datetime | None = Field(description="Since when signs of life contradict it; null where nothing does.")


class Answer(Told):
    """Whether one address may be mailed in a scope. `suppression` says why not; null where it may."""

    address: str
    scope: str
    suppressed: bool
    suppression: Entry | None


class Question(Given):
    """Many addresses, in any spelling, and where they are to be mailed."""

    addresses: list[Spelling] = Field(max_length=BATCH, examples=[["ann@example.com"]])
    scope: ScopeName = EVERYWHERE


class Match(Told):
    """A suppressed address, and how the question spelled it."""

    asked: str
    address: str
    scope: str
    category: str
    reason: str
    since: datetime
    until: datetime | None
    disputed: datetime | None


class Answers(Told):
    """Who of those asked about is not to be mailed; whoever is in neither list is free."""

    scope: str
    checked: int = Field(description="How many different addresses were asked about.")
    suppressed: list[Match]
    invalid: list[str] = Field(description="What is no mail address, as it was asked.")


class NewEntry(Given):
    """A suppression by a program's own word."""

    address: Address
    why: Why
    scope: ScopeName = EVERYWHERE
    days: Annotated[float, Field(gt=0, le=36_500, strict=True)] | None = Field(
        default=None, description="For so many days; else without end."
    )


class Release(Given):
    """Lets an address be mailed again: in one scope, or wherever it is suppressed."""

    address: Address
    scope: ScopeName | None = None
    why: Why | None = Field(default=None, description="Required where somebody complained or unsubscribed.")


class Released(Told):
    """What was taken back; nothing where the address was free."""

    address: str
    released: list[Entry]


class _AddressInPath(Convertor[str]):
    """Everything, slashes too, but the words that stand for something else at this place."""

    regex = "(?!(?:check|release|import|export)$).*"

    def convert(self, value: str) -> str:
        """Return what stands in the path."""
        return value

    def to_string(self, value: str) -> str:
        """Return what is to stand in a path."""
        return value


register_url_convertor("address", _AddressInPath())


def routers(doors: Doors) -> list[APIRouter]:
    """Return the routes, by the scope that their tokens need."""
    check = doors.asked(TokenScope.CHECK, "suppressions")
    batch = doors.told(TokenScope.CHECK, "suppressions", limit=_BATCH_OCTETS)
    read = doors.asked(TokenScope.READ, "suppressions")
    write = doors.told(TokenScope.WRITE, "suppressions")

    @batch.post("/suppressions/check", response_model=Answers)
    async def check_suppressions(question: Question) -> Response:
        """Say which of up to 10,000 addresses are suppressed. A few ways to write one address count as one."""
        return Response(to_json(await doors.ask(partial(_answers, question=question))), media_type=JSON)

    @read.get("/suppressions", responses=responses(409))
    async def list_suppressions(  # noqa: PLR0913  each parameter is one of the query
        scope: Annotated[ScopeName | None, Query()] = None,
        category: Words | None = None,
        reason: Words | None = None,
        domain: Domain | None = None,
        disputed: bool = False,
        since: Since = None,
        before: Since = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[Entry]:
        """List who is suppressed now, by address and scope. 409 for a domain where hashes are kept for addresses."""
        if domain and doors.desk().store.seal:
            raise Problem(409, "The database keeps hashes for addresses: nobody can tell their domains.")
        after = place_of(cursor, str, str)
        query = SuppressionQuery(
            scope=scope,
            category=category,
            reason=reason,
            domain=domain.lower() if domain else None,
            disputed=disputed,
            since=since,
            before=before,
            holding_at=datetime.now(UTC),
            after=(after[0], after[1]) if after else None,
            limit=limit + 1,
        )
        return _page(await doors.ask(lambda store: list(store.suppressions(query))), limit)

    @write.post("/suppressions", status_code=201, responses={200: {"model": Entry, "description": "It stood already"}})
    async def create_suppression(new: NewEntry, request: Request, response: Response) -> Entry:
        """Suppress an address. One that is suppressed there for at least as long already stays as it is (200)."""
        address, now = normal(new.address, "body.address"), datetime.now(UTC)
        until = now + timedelta(days=new.days) if new.days else None
        stands = standing(await doors.ask(partial(entries_of, address=address)), new.scope, until)
        if stands is not None:
            response.status_code = 200
            return _entry(replace(stands, address=address))
        who = actor(request)
        name = doors.desk().store.name_of(address)
        line = Change(name, new.scope, Move.SUPPRESS, now, "manual", "manual", new.why, until, actor=who)
        await doors.threads.ask(partial(doors.desk().commit, [line], now))
        return Entry(
            address=address, scope=new.scope, category="manual", reason="manual", since=now, until=until,
            event_id=None, why=new.why, actor=who, disputed=None,
        )  # fmt: skip

    @write.post("/suppressions/release", responses=responses(409))
    async def release_suppression(wish: Release, request: Request) -> Released:
        """Let an address be mailed again; its events and its journal stay. 409 where a reason is missing."""
        address, now = normal(wish.address, "body.address"), datetime.now(UTC)
        held = [e for e in await doors.ask(partial(entries_of, address=address)) if wish.scope in (None, e.scope)]
        if wish.why is None and any(entry.category in WISHED for entry in held):
            raise Problem(409, "Somebody complained or unsubscribed: say why it is taken back.")
        why, who = wish.why or "released by a program, which gave no reason", actor(request)
        lines = releases(held, why, who, now)
        if lines:
            await doors.threads.ask(partial(doors.desk().commit, lines, now))
        return Released(address=address, released=[_entry(replace(entry, address=address)) for entry in held])

    @check.get("/suppressions/{address:address}")
    async def get_suppression(
        address: Annotated[Address, Path(description="In any spelling.")],
        scope: Annotated[ScopeName, Query()] = EVERYWHERE,
    ) -> Answer:
        """Say whether an address may be mailed in a scope, and if not, why. An entry in * holds in every scope."""
        asked = normal(address, "path.address")
        found = await doors.ask(lambda store: store.lookup(asked, scope))
        entry = _entry(replace(found, address=asked)) if found else None
        return Answer(address=asked, scope=scope, suppressed=entry is not None, suppression=entry)

    return [batch, read, write, check]


def _answers(store: Store, question: Question) -> dict[str, Any]:
    """Return the answers to a batch, as `Answers` describes them; one query, whatever the number."""
    asked = {text: normalise(text) for text in question.addresses}
    addresses = {address for address in asked.values() if address}
    found = store.suppressed(sorted(addresses), question.scope) if addresses else {}
    return {
        "scope": question.scope,
        "checked": len(addresses),
        "suppressed": list(_matches(asked.items(), found)),
        "invalid": [text for text, address in asked.items() if address is None],
    }


def _matches(asked: Iterable[tuple[str, str | None]], found: Mapping[str, Suppression]) -> Iterator[dict[str, Any]]:
    for text, address in asked:
        if address is not None and (entry := found.get(address)):
            yield {
                "asked": text,
                "address": address,
                "scope": entry.scope,
                "category": entry.category,
                "reason": entry.reason,
                "since": entry.since,
                "until": entry.until,
                "disputed": entry.disputed,
            }


def _entry(entry: Suppression) -> Entry:
    return Entry.model_validate(entry)


def _page(found: list[Suppression], limit: int) -> Page[Entry]:
    items = found[:limit]
    more = cursor(items[-1].address, items[-1].scope) if len(found) > limit else None
    return Page(items=[_entry(entry) for entry in items], next=more)
