"""What holds on every page: no barrier, no fault, no stranger's markup, by keyboard and without a script."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import READER, Site
from tests.servers.browser import Visit, assert_accessible

#: What the navigation leads to is found there; these are a step further.
DETAILS = ("/waves/1", "/deliveries/1", "/rules/full.said")


@pytest.fixture
def window(inside: Callable[..., Visit]) -> Visit:
    return inside()


def places(window: Visit) -> Iterator[str]:
    """Yield the path of every page."""
    links = window.go("/").get_by_role("navigation", name="Pages").get_by_role("link").all()
    found = [str(link.get_attribute("href")) for link in links]
    assert len(found) >= 6
    yield from found
    yield from DETAILS
    yield str(window.go("/review?everything=true").locator("a.wording").first.get_attribute("href"))


def test_no_barrier_where_strangers_wrote(window: Visit) -> None:
    """The other pages are looked at with the data of the demo."""
    hostile = window.go("/review?everything=true").locator("a.wording", has_text="javascript:alert")
    for path in ("/review?everything=true", str(hostile.get_attribute("href")), "/mails?reason=unknown", "/waves/1"):
        page = window.go(path)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        assert_accessible(page)


def test_headings_are_in_order(window: Visit) -> None:
    for path in places(window):
        levels = [
            int(name[1])
            for name in window.go(path).locator("h1, h2, h3, h4").evaluate_all("e => e.map(x => x.tagName)")
        ]
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels)), (path, levels)


def test_every_page_without_a_script(inside: Callable[..., Visit]) -> None:
    """Links, filters and forms are plain HTML; what needs a script is not shown."""
    window = inside(java_script_enabled=False)
    for path in places(window):
        page = window.go(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator("button[data-copy]:visible")).to_have_count(0)
    page = window.go("/rules")
    page.get_by_label("Search").fill("greylisted")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name="greylisted.said")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_text("You are logged out.")).to_be_visible()


def test_by_keyboard(window: Visit) -> None:
    """Past the navigation by the first key; what opens, opens by Enter; where one is, one sees."""
    page = window.go("/waves/1")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    seen = []
    for _ in range(6):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "[document.activeElement.textContent.trim(), getComputedStyle(document.activeElement).outlineStyle]"
            )
        )
        if seen[-1][0].startswith(("They live", "They are dead")):
            page.keyboard.press("Enter")
            break
    assert all(style != "none" for _, style in seen), seen
    expect(page.locator("details.ask[open] button")).to_be_visible()


def test_who_is_not_logged_in_sees_nothing(site: Site, visiting: Callable[..., Visit]) -> None:
    """And comes, logged in, to where it was going."""
    window = visiting(site.url)
    page = window.go("/waves/1")
    assert "Wave 1" not in page.content()
    page.get_by_label("Token").fill(site.token(*READER))
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Wave 1: google")
    page.get_by_role("button", name="Log out").click()
    window.go("/waves/1")
    expect(page.get_by_label("Token")).to_be_visible()


def test_strangers_text_stays_text(window: Visit) -> None:
    """Nothing of it runs, links anywhere, turns the direction of a line, or is hidden."""
    paths = ["/review", "/deliveries"]
    page = window.go("/review")
    paths.append(str(page.locator("a.wording", has_text="javascript:alert").get_attribute("href")))
    for path in paths:
        _inert(window.go(path))
    expect(page.locator("pre.raw").first).to_contain_text("<script>document.title='owned'</script>")


def _inert(page: Page) -> None:
    assert "owned" not in page.title()
    assert (
        page.locator("main script, main img, main iframe, main b, main [onerror], main [onload], main [style]").count()
        == 0
    )
    links = page.locator("main a, main form").evaluate_all(
        "e => e.map(x => x.getAttribute('href') ?? x.getAttribute('action'))"
    )
    assert [link for link in links if not re.match(r"[/?#]", link or "/")] == []
    assert not re.search("[\u200b\u202a-\u202e\u2066-\u2069]", page.locator("body").inner_text())
