"""What the page changes: by whom, as the journal says; in one transaction; and nothing without a second look."""

import io
import os
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection

import pytest

from bounced.model import Move
from bounced.serve.pages.bringing import Shelf
from bounced.store import EventQuery, SuppressionQuery, TokenScope
from tests.serve.conftest import Said, Service
from tests.serve.site import Site
from tests.store.conftest import event

LIST = "address,category,reason,why\nnew1@list.example,hard,mailbox_unknown,=1+1\nnew2@list.example,complaint,abuse,\n"
BOUNDARY = "----a boundary"


@pytest.fixture(scope="module")
def site(shared: Service) -> Iterator[Site]:
    with closing(Site(shared)) as made:
        made.log_in(TokenScope.READ, TokenScope.WRITE)
        yield made


@pytest.fixture(scope="module")
def csrf(site: Site) -> str:
    return site.csrf()


def sent(site: Site, path: str, csrf: str, **form: str) -> str:
    """Send a form, and return the page that it leads to."""
    said = site.call("POST", path, {"csrf": csrf, **form})
    assert said.status == 303, said.body
    return site.call("GET", said.headers["location"]).body.decode()


def brought(site: Site, csrf: str, content: str, **form: str) -> Said:
    """Send a list as a browser does."""
    parts = {"csrf": csrf, **form}
    body = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in parts.items()
    )
    body += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="../old/li<st>.csv"\r\n'
    body += f"Content-Type: text/csv\r\n\r\n{content}\r\n--{BOUNDARY}--\r\n"
    headers = {
        "Content-Type": f'multipart/form-data; boundary="{BOUNDARY}"',
        "Origin": site.origin,
        "Accept": "text/html",
        "Cookie": "; ".join(f"{k}={v}" for k, v in site.cookies.items()),
    }
    with closing(HTTPConnection("127.0.0.1", site.server.port, timeout=30)) as connection:
        connection.request("POST", "/suppressions/import", body.encode(), headers)
        found = connection.getresponse()
        return Said(found.status, dict(found.getheaders()), found.read())


def held(site: Site, **query: str) -> list[str]:
    return [entry.address for entry in site.service.store.suppressions(SuppressionQuery(**query))]  # type: ignore[arg-type]


def test_a_release_is_in_the_journal_with_who_did_it(site: Site, csrf: str) -> None:
    site.service.suppress("ann@example.com")
    shown = sent(site, "/address/release", csrf, address="Ann@Example.com", scope="*", why="she called")

    assert "May be mailed." in shown and "Released (everywhere)" in shown
    line = site.service.store.journal_of("ann@example.com")[-1]
    assert (line.move, line.why, line.actor) == (Move.RELEASE, "she called", f"page:{site.name}")


def test_a_complaint_goes_only_with_a_reason_and_only_where_it_was_meant(site: Site, csrf: str) -> None:
    store = site.service.store
    site.service.suppress("bob@example.com", category="complaint", reason="abuse", scope="news")
    site.service.suppress("bob@example.com", scope="shop")

    assert "Say why" in sent(site, "/address/release", csrf, address="bob@example.com", scope="news", why=" ")
    assert len(held(site, begins="bob@")) == 2
    sent(site, "/address/release", csrf, address="bob@example.com", scope="news", why="wrote to us")

    assert set(store.suppressed(["bob@example.com"], "shop")) == {"bob@example.com"}
    assert store.suppressed(["bob@example.com"], "news") == {}


def test_a_person_suppresses_for_some_days(site: Site, csrf: str) -> None:
    sent(site, "/address/suppress", csrf, address="cy@example.com", scope="news", days="30", why="on holiday")
    (entry,) = site.service.store.suppressions(SuppressionQuery(begins="cy@"))

    assert (entry.scope, entry.why, entry.actor) == ("news", "on holiday", f"page:{site.name}")
    assert entry.until is not None and timedelta(days=29) < entry.until - datetime.now(UTC) < timedelta(days=31)
    again = sent(site, "/address/suppress", csrf, address="cy@example.com", scope="news", days="3", why="shorter")
    assert "at least as long already" in again
    for days in ("0", "-1", "x", "99999999"):
        form = {"csrf": csrf, "address": "cy@example.com", "why": "w", "days": days}
        assert site.call("POST", "/address/suppress", form).status == 422


def test_an_erasure_wants_the_address_typed_once_more(site: Site, csrf: str) -> None:
    store = site.service.store
    with store.begin() as tx:
        tx.record([event(7_001, datetime.now(UTC), address="dora@example.com")])
    site.service.suppress("dora@example.com")
    shown = site.call("GET", "/address/erase?address=dora@example.com").body.decode()
    assert '<strong class="num">1</strong> suppressions go' in shown

    for typed, why in (("dora@example.org", "wish"), ("", "wish"), ("dora@example.com", " ")):
        form = {"csrf": csrf, "address": "dora@example.com", "typed": typed, "why": why}
        assert site.call("POST", "/address/erase", form).status == 422
    assert store.held_on("dora@example.com")
    said = sent(site, "/address/erase", csrf, address="dora@example.com", typed=" Dora@example.com", why="her wish")

    assert "Erased from 1 events" in said
    assert store.held_on("dora@example.com") == {}


def test_a_list_is_looked_at_before_it_is_taken_in(site: Site, csrf: str) -> None:
    """The look changes nothing; the file waits under a name that only this session can say."""
    said = brought(site, csrf, LIST, scope="news")
    shown = said.body.decode()
    assert said.status == 200 and "Take in 2 entries" in shown and "<st>" not in shown
    assert held(site, begins="new") == []
    found = re.search(r'name="brought" value="([^"]+)"', shown)
    assert found
    forged = found[1][:-1] + ("0" if found[1][-1] != "0" else "1")
    assert "waited too long" in sent(site, "/suppressions/import/take", csrf, brought=forged)

    sent(site, "/suppressions/import/take", csrf, brought=found[1])

    entries = list(site.service.store.suppressions(SuppressionQuery(begins="new")))
    assert [(e.address, e.scope, e.category) for e in entries] == [
        ("new1@list.example", "news", "hard"),
        ("new2@list.example", "news", "complaint"),
    ]
    assert entries[0].why == "=1+1"
    assert {e.actor for e in entries} == {f"import li_st_.csv by page:{site.name}"}
    assert "waited too long" in sent(site, "/suppressions/import/take", csrf, brought=found[1])
    assert "Nothing of it is new" in brought(site, csrf, LIST, scope="news").body.decode()


def test_a_list_with_a_bad_line_is_taken_in_whole_or_not_at_all(site: Site, csrf: str) -> None:
    bad = "address,category,reason,why\nfresh@list.example,hard,mailbox_unknown,x\n<script>,hard,mailbox_unknown,x\n"
    shown = brought(site, csrf, bad, scope="*").body.decode()
    assert "1 line is refused." in shown and "&lt;script&gt;" in shown and 'name="brought"' not in shown

    shown = brought(site, csrf, bad, scope="*", skip_bad="true").body.decode()
    assert "Take in 1 entry" in shown
    assert brought(site, csrf, "\x00\x01nothing", scope="*").status in (200, 422)
    assert held(site, begins="fresh") == []


def test_lists_that_wait_make_room() -> None:
    """However many are brought, a few wait, for nobody else to read; and not for ever, nor after the program."""
    shelf = Shelf()
    names = [shelf.put(io.BytesIO(b"%d" % n)) for n in range(12)]
    there = [file for name in names if (file := shelf.find(name))]
    folder = there[0].parent

    assert len(there) == 8
    assert folder.stat().st_mode & 0o077 == 0
    last = shelf.find(names[-1])
    assert last is not None and last.read_bytes() == b"11"
    os.utime(last, (0, 0))
    assert shelf.find(names[-1]) is None
    del shelf
    assert not folder.exists()


def test_an_undo_shows_first_and_refuses_what_changed_meanwhile(site: Site, csrf: str) -> None:
    for n in range(25):
        site.service.suppress(f"mass{n:02}@example.net", why="a mistake", actor="import wrong.csv")
    path = "/suppressions/undo?actor=import+wrong.csv"
    shown = site.call("GET", path).body.decode()
    assert "25 entries are meant" in shown and shown.count("@example.net</bdi>") == 20

    assert "25 entries by now, not 24" in sent(site, path, csrf, expected="24", why="oops")
    assert "say why" in sent(site, path, csrf, expected="25", why=" ")
    assert site.call("POST", "/suppressions/undo", {"csrf": csrf, "expected": "25", "why": "x"}).status == 422
    assert len(held(site, begins="mass")) == 25
    shown = sent(site, path, csrf, expected="25", why="oops")
    assert "25 released" in shown and "25 releases would be taken back" in shown
    assert held(site, begins="mass") == []

    back = re.search(r'action="(/suppressions/redo\?[^"]+)"', shown)
    assert back
    sent(site, back[1].replace("&amp;", "&"), csrf, expected="25", why="was right")
    entries = list(site.service.store.suppressions(SuppressionQuery(begins="mass")))
    assert {(e.actor, e.why) for e in entries} == {("import wrong.csv", "a mistake")}
    assert site.service.store.journal_of("mass00@example.net")[-1].actor == f"page:{site.name}"


CHANGES = [
    ("/address/release", {"address": "eve@example.com", "scope": "*", "why": "x"}),
    ("/address/suppress", {"address": "new@example.com", "why": "x"}),
    ("/address/erase", {"address": "eve@example.com", "typed": "eve@example.com", "why": "x"}),
    ("/suppressions/import/take", {"brought": "x"}),
    ("/suppressions/undo?reason=mailbox_unknown", {"expected": "1", "why": "x"}),
    ("/suppressions/redo?since=2026-01-01", {"expected": "1", "why": "x"}),
]


def test_nothing_changes_without_the_right(site: Site, shared: Service) -> None:
    """By who may only look, by a form of another site, or by one who is not logged in."""
    shared.suppress("eve@example.com")
    before = held(site)
    with closing(Site(shared)) as reader, closing(Site(shared)) as nobody:
        reader.log_in(TokenScope.READ)
        theirs = reader.csrf()
        for path, form in CHANGES:
            assert reader.call("POST", path, {"csrf": theirs, **form}).status == 403, path
            assert site.call("POST", path, {"csrf": theirs, **form}).status == 403, path
            assert site.call("POST", path, form).status == 403, path
            assert nobody.call("POST", path, form).status in (303, 403), path
            assert site.call("GET", path.partition("?")[0]).status in (200, 405, 422), path
        for path in ("/address?address=eve@example.com", "/suppressions", "/suppressions/undo?scope=*", "/mails"):
            shown = reader.call("GET", path).body.decode()
            assert shown.count('method="post"') == 1, path  # logging out
    assert held(site) == before
    assert len(list(shared.store.events(EventQuery(address="eve@example.com")))) == 0
