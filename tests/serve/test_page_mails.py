"""The pages of mails and addresses: what strangers wrote acts nowhere, and the figures are those of the interface."""

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from bounced.keeping import keep
from bounced.model import RawMessage
from bounced.spreadsheet import FORMULA
from bounced.store import TokenScope
from tests.serve.conftest import Service
from tests.serve.site import Site
from tests.serve.test_export import EVIL, NOW, scenario

RANGE = {"since": (NOW - timedelta(days=2)).date().isoformat(), "until": NOW.date().isoformat()}
RAW = (
    "Subject: \u202e<script>alert(1)</script>\r\nContent-Type: text/html\r\n\r\n<img src=//evil.example/x>\x1b[31m\r\n"
)


class Elements(HTMLParser):
    """Which elements a page has, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def told(shared: Service) -> Service:
    events = list(scenario())
    raw = RAW.encode() + b"x" * 150_000
    with shared.store.begin() as tx:
        tx.record(events)
        kept = keep(RawMessage(events[2].place, raw, len(raw), NOW), NOW, 200_000)
        tx.keep([replace(kept, digest=events[2].digest)])
    return shared


@pytest.fixture(scope="module")
def site(told: Service) -> Iterator[Site]:
    with closing(Site(told)) as made:
        made.log_in(TokenScope.READ)
        yield made


def page(site: Site, path: str, **query: str) -> str:
    said = site.call("GET", f"{path}?{urlencode(query)}" if query else path)
    assert said.status == 200, said.body
    return said.body.decode()


def amount(shown: str) -> int:
    found = re.search(r"<caption>([\d,]+) mails?,", shown)
    return int(found[1].replace(",", "")) if found else 0


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"category": "failed"},
        {"category": "hard"},
        {"category": "soft", "provider": "google"},
        {"category": "complaint", "campaign": EVIL[0]},
        {"tag": EVIL[3]},
        {"address": "@example.org", "fault": "recipient"},
        {"address": "user1", "sort": "at"},
        {"address": "USER7@example.org"},
        {"kind": "auto_reply", "mailbox": "bounces"},
        {"rule": "full.prose", "list": "news"},
        {"reason": "expired"},
    ],
    ids=lambda query: " ".join(query),
)
def test_page_file_and_interface_agree(site: Site, query: dict[str, str]) -> None:
    """To the unit; the file is the whole view, in its order."""
    shown = page(site, "/mails", **query, **RANGE)
    said = site.call("GET", f"/mails/export?{urlencode(query | RANGE | {'format': 'csv'})}")
    rows = list(csv.DictReader(io.StringIO(said.body.decode(), newline="")))
    asked = {name: value for name, value in query.items() if name not in ("category", "address", "sort")}
    asked |= {"since": f"{RANGE['since']}T00:00:00Z", "limit": "500"}
    match query.get("category"), query.get("address", ""):
        case "failed", _:
            asked["failed"] = "true"
        case str(category), _:
            asked["category"] = category
        case _, address if address.startswith("@"):
            asked["domain"] = address[1:]
        case _, address if "@" in address:
            asked["address"] = address
        case _, address if address:
            asked["begins"] = address
    asked["order"] = "oldest" if query.get("sort") == "at" else "newest"
    items = site.service.call("GET", f"/v1/events?{urlencode(asked)}", token="read").json["items"]

    assert [row["id"] for row in rows] == [item["id"] for item in items]
    assert amount(shown) == len(items)
    assert re.findall(r'href="/event\?id=(\w+)"', shown) == [item["id"] for item in items[:50]]


def test_what_strangers_wrote_acts_on_no_page(site: Site) -> None:
    """No element of theirs, no attribute, no link to where they say, no sign that hides or turns."""
    events = [each for n, each in enumerate(scenario()) if n % 5 in (2, 4)][:12]
    paths = ["/mails?" + urlencode(RANGE), f"/mails?{urlencode({'campaign': EVIL[0], **RANGE})}"]
    paths += [f"/event?id={each.id}" for each in events]
    paths += [f"/address?address={quote(each.address or '')}" for each in events]
    for path in paths:
        shown = page(site, path)
        assert not re.search("[\u200b\u202a-\u202e\u2066-\u2069\x00-\x08\x1b]", shown), path
        for tag, given in Elements(shown).found:
            assert tag not in ("img", "svg", "iframe", "object") or str(given.get("src")).startswith("/static/"), path
            assert tag != "script" or str(given.get("src")).startswith("/static/app.js?"), path
            assert not [name for name in given if name.startswith("on") or name == "style"], path
            assert str(given.get("href", "/")).startswith(("/", "#")), (path, given)


def test_a_report_is_inert_text(site: Site) -> None:
    """Cut on the page, whole in the file, which no browser runs."""
    events = list(scenario())
    shown = page(site, "/event", id=events[2].id)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown and "\\u202e" in shown and "\\x1b[31m" in shown
    assert len(shown) < 120_000

    said = site.call("GET", f"/event/raw?id={events[2].id}")
    assert said.body.startswith(RAW.encode()) and len(said.body) > 150_000
    assert said.headers["content-type"] == "text/plain; charset=utf-8"
    assert said.headers["content-disposition"] == f'attachment; filename="{events[2].id}.txt"'
    assert said.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert said.headers["x-content-type-options"] == "nosniff"
    assert site.call("GET", f"/event/raw?id={events[3].id}").status == 404
    assert site.call("GET", "/event?id=ev_nothing").status == 404


def test_files_of_the_page_hold_no_formula(site: Site) -> None:
    for path in ("/mails/export", "/suppressions/export"):
        text = site.call("GET", f"{path}?{urlencode({'format': 'csv'})}").body.decode()
        rows = list(csv.reader(io.StringIO(text, newline="")))
        assert not [cell for row in rows for cell in row if cell.startswith(FORMULA)]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/mails?address=@bad domain", 422),
        ("/mails?address=a@b@", 422),
        ("/mails?category=nonsense", 422),
        ("/mails?cursor=nonsense", 422),
        ("/mails?since=2026-11-22&until=2026-11-21", 422),
        ("/mails?campaign=&list=&reason=&address=", 200),
        ("/mails?address=%25_", 200),
        ("/address?address=nonsense", 422),
        ("/address?address=new@example.net", 200),
        ("/address", 200),
        ("/suppressions?address=@&category=", 422),
        ("/suppressions?address=ann*&since=2026-01-01", 200),
        ("/suppressions?cursor=nonsense", 422),
        ("/suppressions/undo?wave=x", 422),
        ("/suppressions/undo?provider=nobody", 200),
        ("/suppressions/redo?since=2026-01-01", 200),
    ],
)
def test_odd_questions_are_answered(site: Site, path: str, status: int) -> None:
    """By a page, whatever is asked."""
    said = site.call("GET", path.replace(" ", "%20"))
    assert (said.status, "<h1>" in said.body.decode()) == (status, True)


def test_pages_of_the_list_hold_each_mail_once(site: Site) -> None:
    seen: list[str] = []
    path = "/mails?" + urlencode(RANGE)
    while path:
        shown = page(site, path)
        seen += re.findall(r'href="/event\?id=(\w+)"', shown)
        more = re.search(r'href="([^"]+)" rel="next"', shown)
        path = more[1].replace("&amp;", "&") if more else ""
    assert len(seen) == len(set(seen)) == 239


def test_the_data_of_a_person_is_handed_out(site: Site) -> None:
    said = site.call("GET", "/address/export?address=user2@example.org")
    held: dict[str, Any] = json.loads(said.body)["held"]
    assert [row["address"] for row in held["event"]] == ["user2@example.org"]
    assert held["raw_evidence"][0]["content"].startswith(RAW[:20])
    assert said.headers["content-disposition"].startswith("attachment")
