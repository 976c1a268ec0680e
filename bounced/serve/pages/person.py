"""The pages on a person's data: all that is held on an address as a file, and taking it out of everything."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request, Response

from bounced.address import normalise
from bounced.keeping import unpacked
from bounced.serve.pages.address import Asked, Given, Why, normal_of
from bounced.serve.pages.frame import Frame, actor
from bounced.serve.pages.guard import HEADERS
from bounced.store import Erasure


def routers(frame: Frame) -> list[APIRouter]:
    """Return the routes."""
    asked, told = frame.asked(), frame.told()

    @asked.get("/address/export")
    async def export(address: Asked) -> Response:
        """Hand out all that is held on an address, as JSON."""
        name = normal_of(address)
        held = await frame.ask(lambda store: store.held_on(name))
        for report in held.get("raw_evidence", ()):
            report["content"] = unpacked(report["content"]).decode("utf-8", "replace")
        text = json.dumps({"address": name, "held": held}, ensure_ascii=False, indent=2, default=_plain)
        headers = {**HEADERS, "Content-Disposition": 'attachment; filename="held-on-one-address.json"'}
        return Response(text.encode("utf-8", "replace"), media_type="application/json", headers=headers)

    @asked.get("/address/erase")
    async def before_erasing(request: Request, address: Asked) -> Response:
        """Show what an erasure would come to, and ask for it to be confirmed."""
        return await _ask_again(frame, request, normal_of(address))

    @told.post("/address/erase")
    async def erase(
        request: Request,
        address: Given,
        typed: Given = "",
        why: Why = "",
        keep_hash: Annotated[bool, Form()] = False,
    ) -> Response:
        """Take an address out of everything that is kept, if it was typed once more."""
        name = normal_of(address)
        if normalise(typed) != name or not why.strip():
            return await _ask_again(frame, request, name, 422)
        keeps = keep_hash and frame.desk().store.pseudonym is not None
        who = Erasure(name, actor(request), why.strip(), datetime.now(UTC), keeps)
        erased = await frame.ask(lambda store: store.erase(who))
        kept = " The suppression stands under a hash." if keeps and erased.suppressions else ""
        said = f"Erased from {erased.events:,} events and {erased.journal:,} lines of the journal.{kept}"
        return frame.after(request, "/address", said)

    return [asked, told]


async def _ask_again(frame: Frame, request: Request, name: str, status: int = 200) -> Response:
    held: Mapping[str, Sequence[Any]] = await frame.ask(lambda store: store.held_on(name))
    amounts = [(_HELD.get(table, table.replace("_", " ")), len(rows)) for table, rows in held.items()]
    hashes = frame.desk().store.pseudonym is not None
    return frame.show(
        request, "address_erase.html", status, address=name, amounts=amounts, hashes=hashes, wrong=status != 200
    )


_HELD: Final = {
    "event": "events lose the name and what strangers wrote",
    "raw_evidence": "reports go",
    "notification": "notifications go",
    "suppression": "suppressions go",
    "suppression_journal": "lines of the journal stay without the name",
    "message": "notes on messages lose the name",
}


def _plain(value: object) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
