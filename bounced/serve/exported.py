"""Whole listings as files: CSV or JSON lines, sent as they are read, so that memory does not grow with them."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import Any, Final

from fastapi.responses import StreamingResponse

from bounced.model import Event
from bounced.serve.desk import Threads
from bounced.spreadsheet import shown

#: Events that are read, written and sent at once.
_STEP: Final = 1_000
#: The columns of CSV. `categories` are the sender's, joined by a comma and a blank.
COLUMNS: Final = (
    *("at", "id", "kind", "category", "reason", "fault", "trust", "address", "final_recipient", "provider"),
    *("status", "reply_code", "action", "diagnostic", "remote_mta", "reporting_mta", "feedback_type"),
    *("campaign", "list", "stream", "categories", "message_id", "subject", "reported_at"),
    *("reader", "rule", "matched", "identified_by", "trust_why", "decision", "superseded_by"),
    *("mailbox", "folder", "uidvalidity", "uid"),
)


class Form(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


MEDIA_TYPES: Final[Mapping[Form, str]] = {Form.CSV: "text/csv", Form.JSONL: "application/x-ndjson"}


async def exported(threads: Threads, events: Iterator[Event], form: Form) -> StreamingResponse:
    """Return the file of the events. Raises StoreDown if not even the first can be read; later it breaks off."""
    first = await threads.ask(lambda: list(islice(events, _STEP)))
    write = WRITERS[form]

    async def pieces() -> AsyncIterator[bytes]:
        some = first
        yield HEADS[form].encode()
        while some:
            yield await threads.ask(partial(_octets, write, some))
            some = await threads.ask(lambda: list(islice(events, _STEP))) if len(some) == _STEP else []

    name = f"events-{datetime.now(UTC):%Y%m%d-%H%M%S}.{form}"
    return StreamingResponse(
        pieces(), media_type=MEDIA_TYPES[form], headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def told(event: Event) -> dict[str, Any]:
    """Return what is told of an event: the fields of `/v1/events`."""
    row = asdict(event)
    del row["key"], row["digest"]
    return row


def as_csv(events: Iterable[Event]) -> str:
    """Return a line of CSV for each event, in the order of COLUMNS."""
    return _table(map(_cells, events))


def as_jsonl(events: Iterable[Event]) -> str:
    """Return a line of JSON for each event, exactly what is kept of it."""
    lines = (json.dumps(told(event), ensure_ascii=False, separators=(",", ":"), default=_plain) for event in events)
    return "".join(f"{line}\n" for line in lines)


def _cells(event: Event) -> list[str]:
    """Return a line of CSV: what strangers wrote is shown as what it is."""
    tags, place = event.tags, event.place
    apart = {
        "campaign": tags.campaign,
        "list": tags.list,
        "stream": tags.stream,
        "categories": ", ".join(tags.categories),
        "mailbox": place.mailbox,
        "folder": place.folder,
        "uidvalidity": place.uidvalidity,
        "uid": place.uid,
    }
    values = (apart[name] if name in apart else getattr(event, name) for name in COLUMNS)
    return ["" if value is None else shown(_plain(value)) for value in values]


def _table(lines: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(lines)
    return out.getvalue()


def _plain(value: object) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


def _octets(write: Callable[[Iterable[Event]], str], events: Sequence[Event]) -> bytes:
    return write(events).encode("utf-8", "replace")


#: What writes the events, and what stands before them.
WRITERS: Final[Mapping[Form, Callable[[Iterable[Event]], str]]] = {Form.CSV: as_csv, Form.JSONL: as_jsonl}
HEADS: Final[Mapping[Form, str]] = {Form.CSV: _table([COLUMNS]), Form.JSONL: ""}
