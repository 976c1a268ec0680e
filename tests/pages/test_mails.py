"""Mail by mail: what a filter shows is what the story holds, the interface tells and the file has."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from bounced.model import Event
from tests.pages.conftest import READER, Site
from tests.pages.story import HOSTILE_ADDRESS
from tests.servers.browser import Visit

LONG = 100


def shown(page: Page) -> int:
    """Return how many mails the page says there are."""
    return int(page.locator("table.mails caption").inner_text().split()[0].replace(",", ""))


def downloaded(page: Page, name: str) -> str:
    """Click on a link to a file, and return what came."""
    with page.expect_download() as waiting:
        page.get_by_role("link", name=name, exact=True).click()
    return Path(waiting.value.path()).read_text(encoding="utf-8-sig")


def test_filters_find_what_there_is(site: Site, inside: Callable[..., Visit]) -> None:
    page = inside(*READER).go(f"/mails?since={_day(LONG)}")
    assert shown(page) == len(site.events)

    page.get_by_label("Verdict").select_option("hard")
    page.get_by_label("Provider").fill("google")
    page.get_by_role("button", name="Show").click()
    wanted = [e for e in site.events if e.category == "hard" and e.provider == "google"]
    assert shown(page) == len(wanted)

    page.get_by_label("Campaign").fill("autumn 1")
    page.get_by_role("button", name="Show").click()
    assert shown(page) == sum(e.tags.campaign == "autumn 1" for e in wanted)

    page.get_by_role("link", name="Verdict hard take away").click()
    assert shown(page) == sum(e.tags.campaign == "autumn 1" and e.provider == "google" for e in site.events)


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("", lambda e: True),
        ("category=soft&provider=microsoft", lambda e: e.category == "soft" and e.provider == "microsoft"),
        ("reason=unknown", lambda e: e.reason == "unknown"),
    ],
    ids=["all", "filtered", "hostile"],
)
def test_the_file_is_the_view_and_what_the_interface_tells(
    query: str, fits: Callable[[Event], bool], site: Site, inside: Callable[..., Visit]
) -> None:
    """Page, CSV and HTTP name the same mails, in the same order."""
    wanted = {event.id for event in site.events if fits(event)}
    page = inside(*READER).go(f"/mails?since={_day(LONG)}&{query}")

    rows = list(csv.DictReader(io.StringIO(downloaded(page, "CSV"))))
    told: list[str] = []
    path, cursor = f"/v1/events?limit=500&since={_day(LONG)}T00:00:00Z&{query}", ""
    while cursor is not None:
        answer = site.ask(path + (f"&cursor={quote(cursor)}" if cursor else ""))
        told += [item["id"] for item in answer["items"]]
        cursor = answer["next"]

    assert {row["id"] for row in rows} == wanted
    assert [row["id"] for row in rows] == told
    assert shown(page) == len(wanted)
    cells = [cell for row in rows for cell in row.values() if cell]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))] == []


def test_pages_follow_each_other_and_none_is_shown_twice(site: Site, inside: Callable[..., Visit]) -> None:
    page = inside(*READER).go(f"/mails?since={_day(LONG)}&category=complaint&sort=at")
    seen: list[str] = []
    while True:
        seen += page.locator("table.mails tbody th a").all_text_contents()
        if not page.get_by_role("link", name="Next mails").count():
            break
        page.get_by_role("link", name="Next mails").click()
    wanted = sorted((e for e in site.events if e.category == "complaint"), key=lambda e: e.at)
    assert seen == [event.address for event in wanted]


def test_one_mail_tells_why(inside: Callable[..., Visit]) -> None:
    page = inside(*READER).go("/mails?address=user3n0*")
    page.locator("table.mails tbody td a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A hard bounce")
    expect(page.get_by_role("link", name="google.unknown")).to_be_visible()


def test_a_hostile_mail_changes_nothing(site: Site, inside: Callable[..., Visit]) -> None:
    """Diagnostic, subject, address, campaign full of script, markup, turned text and formulas."""
    (mine,) = [event for event in site.events if event.address == HOSTILE_ADDRESS]
    window = inside()
    for path in (f"/mails?since={_day(LONG)}&reason=unknown", f"/event?id={mine.id}", "/reports?by=campaign"):
        page = window.go(path)
        assert page.locator("main script, main img, main svg[onload], main [onerror], main b, main i").count() == 0
        assert "owned" not in page.title()
        text = page.locator("body").inner_text()
        assert not set(text) & set("\u200b\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
        links = page.locator("main a").evaluate_all("e => e.map(x => x.protocol + '//' + x.host)")
        assert set(links) <= {site.url}
    page.goto(f"{site.url}/event?id={mine.id}")
    expect(page.locator("blockquote")).to_contain_text("<script>document.title='owned'</script>")


def _day(ago: int) -> str:
    return (datetime.now(UTC) - timedelta(days=ago)).date().isoformat()
