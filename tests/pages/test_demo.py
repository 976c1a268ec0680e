"""The ninety days of `bounced demo`, which the real pipeline lived through: every page of them, and their figures."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bounced.config import Database
from bounced.store import Store
from tests.pages.conftest import WRITER, Site, log_in, served
from tests.pages.test_mails import downloaded, shown
from tests.pages.test_reports import FIGURES, of_page
from tests.servers.browser import Visit, assert_accessible
from tests.servers.program import bounced

#: A link on a page -> the pages a step further, that only a history has.
STEPS = {
    "/mails": ("table.mails tbody td a", "table.mails tbody th a"),
    "/waves": ("h3 a", "tbody th a"),
    "/deliveries?state=dead": ("tbody th a",),
    "/review": ("a.wording",),
}


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Site]:
    """Return the demo's database and configuration, at work."""
    command = [sys.executable, "-m", "bounced", "demo", "--history-only", "--folder", str(tmp_path / "demo")]
    subprocess.run(command, check=True, timeout=240, capture_output=True)
    store = Store.open(Database(url=f"sqlite:///{tmp_path}/demo/bounced.db"))
    made = Site(tmp_path / "demo", store)
    made.tokens = {WRITER: made.token(*WRITER)}
    with served(made.folder / "config.yaml") as made.url:
        yield made
    store.close()


@pytest.mark.timeout(600)
def test_the_demo_tells_its_story(demo: Site, visiting: Callable[..., Visit]) -> None:
    """Every page opens on it without a barrier or a fault, and command, page, file and interface agree to the unit."""
    window = log_in(visiting(demo.url), demo.tokens[WRITER])
    page = window.go("/")
    expect(page.locator(".alerts")).to_contain_text("Wave")
    expect(page.locator(".alerts")).to_contain_text("Alarm")

    for path in _every(window):
        page = window.go(path)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.locator("main")).not_to_contain_text("Nothing came in")
        assert_accessible(page)

    _figures_agree(demo, window)
    _mails_agree(demo, window)


def _every(window: Visit) -> Iterator[str]:
    """Yield the pages, and one of each kind a step further."""
    first = window.go("/").get_by_role("navigation", name="Pages").get_by_role("link").all()
    yield from ["/rules?q=quota" if (to := str(link.get_attribute("href"))) == "/rules" else to for link in first]
    yield from ("/reports?by=provider&compare=true", "/suppressions/undo", "/suppressions/redo", "/rules/full.said")
    for path, links in STEPS.items():
        page = window.go(path)
        yield from [str(page.locator(link).first.get_attribute("href")) for link in links]


def _figures_agree(demo: Site, window: Visit) -> None:
    page = window.go("/reports?by=provider&since=2001-01-01&until=2009-01-01")
    expect(page.get_by_text("Nothing was counted in these days.")).to_be_visible()
    page = window.go("/reports?by=provider")
    by_page = of_page(page)
    rows = csv.DictReader(io.StringIO(downloaded(page, "CSV")))
    by_file = {row["provider"] or None: tuple(int(row[name]) for name in FIGURES) for row in rows}
    asked = ("--by", "provider", "--limit", "0", "--timezone", "UTC", "--format", "json")
    rows = json.loads(bounced(demo.folder / "config.yaml", "report", *asked).stdout)
    by_command = {row["provider"]: tuple(row[name] for name in FIGURES) for row in rows}
    assert len(by_page) > 5
    assert by_page == {name: amounts for name, amounts in by_file.items() if any(amounts)}
    assert by_file == by_command


def _mails_agree(demo: Site, window: Visit) -> None:
    """The complaints of a month."""
    page = window.go("/mails?category=complaint")
    rows = list(csv.DictReader(io.StringIO(downloaded(page, "CSV"))))
    since = page.get_by_label("From").input_value()
    told = demo.ask(f"/v1/events?limit=500&category=complaint&since={since}T00:00:00Z", WRITER)
    assert told["next"] is None
    assert [row["id"] for row in rows] == [item["id"] for item in told["items"]]
    assert shown(page) == len(rows) > 3
