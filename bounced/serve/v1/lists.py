"""`/v1/suppressions/import` and `export`: whole lists, in and out, in one request."""

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from bounced.model.names import PRINTABLE
from bounced.serve.exported import MEDIA_TYPES, Form, exported
from bounced.serve.importing import Importing, ListGiven, ListTold
from bounced.serve.problems import Problem, invalid, responses
from bounced.serve.sheets import SUPPRESSIONS
from bounced.serve.v1.doors import JSON, Body, Doors
from bounced.serve.v1.shapes import Domain, ScopeName, Since, Told, Words, actor
from bounced.store import EVERYWHERE, SuppressionQuery, TokenScope

#: A list is known by what is in it, not by what it is called here.
_ACCEPTED: Final = (
    "text/csv",
    "text/tab-separated-values",
    "text/plain",
    JSON,
    "application/jsonl",
    "application/x-ndjson",
    "application/octet-stream",
)
#: Seconds in which a whole list must have come; and octets of it that are written to the disk at once.
_SECONDS: Final = 3600.0
_PIECE: Final = 1_000_000
_LINE: Final[Mapping[str, Any]] = {"type": "string", "description": "CSV, JSON or JSON lines of any form known."}
_BODY: Final[Mapping[str, Any]] = {
    "requestBody": {"required": True, "content": {name: {"schema": dict(_LINE)} for name in _ACCEPTED}}
}
_EXPORTED: Final[Mapping[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file",
        "content": {name: {"schema": {"type": "string"}} for name in MEDIA_TYPES.values()},
    }
}

Name = Annotated[str, Query(min_length=1, max_length=80, pattern=PRINTABLE, description="For the journal.")]
AsForm = Annotated[
    str | None, Query(alias="as", max_length=40, description="Where its columns do not tell; see docs/lists.md.")
]


class TakenTold(Told):
    """What a list came to, or would come to (`dry_run`). All counts but `refused` and `left` are of entries."""

    format: str
    dry_run: bool
    entries: int = Field(description="Lines that are entries.")
    added: dict[str, int] = Field(description="New in the table, by category.")
    strengthened: int = Field(description="There before for a weaker cause or a shorter time.")
    known: int
    released: int = Field(description="Stay free: released here after what the list tells.")
    over: int = Field(description="Have run out.")
    repeated: int = Field(description="Lines that repeat an address of another line.")
    left: dict[str, int] = Field(description="Lines that are deliberately no entry, by kind.")
    refused: int = Field(description="Lines that could not be read; with `skip_bad` the others are taken in.")


def routers(doors: Doors) -> list[APIRouter]:
    """Return the routes, by the scope that their tokens need."""
    read = doors.asked(TokenScope.READ, "suppressions")
    write = doors.told(TokenScope.WRITE, "suppressions", accepts=_ACCEPTED)

    @write.post("/suppressions/import", openapi_extra=dict(_BODY))
    async def import_suppressions(  # noqa: PLR0913  each parameter is one of the query
        request: Request,
        as_: AsForm = None,
        scope: Annotated[ScopeName, Query()] = EVERYWHERE,
        name: Name = "list",
        dry_run: Annotated[bool, Query(description="Say what would be done, and do nothing.")] = False,
        skip_bad: Annotated[bool, Query(description="Take in the rest where lines are refused.")] = False,
    ) -> TakenTold:
        """Suppress the addresses of a list: all of it, or nothing; again changes nothing.

        422 names the lines that cannot be read, the first twenty of them; then nothing is taken in.
        """
        importing = _importing(doors, as_)
        with tempfile.NamedTemporaryFile(prefix="bounced-list-") as file:
            await _receive(doors, request, file)
            given = ListGiven(Path(file.name), name, as_, scope, skip_bad)
            work = partial(importing.look, given) if dry_run else partial(importing.take, given, actor(request))
            found = await doors.threads.take_in(work)
        _demand_taken(found, skip_bad)
        return _told(found)

    @read.get("/suppressions/export", response_class=StreamingResponse, responses={**_EXPORTED, **responses(409)})
    async def export_suppressions(  # noqa: PLR0913  each parameter is one of the query
        scope: Annotated[ScopeName | None, Query()] = None,
        category: Words | None = None,
        reason: Words | None = None,
        domain: Domain | None = None,
        disputed: bool = False,
        since: Since = None,
        before: Since = None,
        form: Annotated[Form, Query(alias="format", description="One entry a line.")] = Form.CSV,
    ) -> Response:
        """Write every entry that holds now and fits; `import` reads it back as it was. 409 as in the listing."""
        if domain and doors.desk().store.seal:
            raise Problem(409, "The database keeps hashes for addresses: nobody can tell their domains.")
        query = SuppressionQuery(
            scope=scope,
            category=category,
            reason=reason,
            domain=domain.lower() if domain else None,
            disputed=disputed,
            since=since,
            before=before,
            holding_at=datetime.now(UTC),
        )
        return await exported(doors.threads, doors.desk().store.suppressions(query), form, SUPPRESSIONS)

    return [read, write]


def _importing(doors: Doors, form: str | None) -> Importing:
    """Return what takes in lists. Raises Problem 422 for a form that nobody knows."""
    importing = doors.desk().importing
    if importing is None:
        raise Problem(404, "Lists are not taken in here.")
    if form is not None and form not in importing.forms:
        raise invalid("query.as", f"want one of {', '.join(importing.forms)}")
    return importing


async def _receive(doors: Doors, request: Request, file: IO[bytes]) -> None:
    """Write the body to the disk, as it comes. Raises Problem 413 and 408."""
    if isinstance(request, Body):
        request.limit, request.seconds = doors.desk().http.import_bytes, _SECONDS
    waiting = bytearray()
    async for piece in request.stream():
        waiting += piece
        if len(waiting) >= _PIECE:
            await doors.threads.judge(partial(file.write, bytes(waiting)))
            waiting.clear()
    file.write(waiting)
    file.flush()


def _demand_taken(found: ListTold, skip_bad: bool) -> None:
    """Raise Problem 422 for a list that cannot be read, or has lines that cannot."""
    if found.doubt is not None:
        raise Problem(422, "This is no list that can be taken in.", faults=[("body", found.doubt)])
    if found.refused and not skip_bad:
        more = found.refused - len(found.first)
        faults = [(f"body.line {line}", why) for line, why, _ in found.first]
        faults += [("body", f"and {more} lines more")] if more else []
        raise Problem(422, f"{found.refused} lines cannot be read; nothing was taken in.", faults=faults)


def _told(found: ListTold) -> TakenTold:
    taken = found.taken
    return TakenTold(
        format=found.title,
        dry_run=not found.done,
        entries=found.entries,
        added=dict(taken.added),
        strengthened=taken.strengthened,
        known=taken.known,
        released=taken.released,
        over=taken.over,
        repeated=taken.repeated,
        left=dict(found.left),
        refused=found.refused,
    )
