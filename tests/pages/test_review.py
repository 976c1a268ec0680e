"""From what was not understood to a rule that holds, by hand in a browser."""

import json
import re
from collections.abc import Callable
from urllib.request import Request

import pytest
from playwright.sync_api import Page, expect

from bounced.model import Cause
from bounced.reviewing import FILE
from tests.pages.conftest import READER, Site
from tests.servers.browser import Visit
from tests.servers.program import eventually

MOON = "has left us for the moon"


def opened(page: Page, words: str) -> Page:
    """Open a wording from the list."""
    page.get_by_role("link", name=words).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A wording to review")
    return page


def test_review_to_rule(site: Site, inside: Callable[..., Visit]) -> None:
    """Look, try, accept: the rule is in the operator's file, in force without a restart, and the wording is settled."""
    window = inside()
    page = opened(window.go("/review"), MOON)
    expect(page.get_by_text("24 about 24 addresses")).to_be_visible()

    page.get_by_role("button", name="Try it").click()
    assert page.evaluate("document.activeElement.name") == "reason"  # the browser wants it filled in
    page.get_by_label(re.compile("^What it means")).select_option("mailbox_unknown")
    page.get_by_role("button", name="Try it").click()

    expect(page.get_by_text("The whole set holds with this rule.")).to_be_visible()
    expect(page.get_by_text("24 × soft unknown (none) → hard mailbox unknown (recipient)")).to_be_visible()
    assert not (site.rules / FILE).exists()

    page.get_by_role("button", name="Accept it").click()

    expect(page.get_by_role("status")).to_contain_text("It is in force within seconds")
    expect(page.get_by_role("status")).to_contain_text("bounced replay --since 30d")
    expect(page.get_by_role("link", name=MOON)).to_have_count(0)
    written = (site.rules / FILE).read_text()
    assert re.search(r"# Accepted on \d{4}-\d\d-\d\d by page:mo\d+\.\n- id: own\.", written)
    assert {word.actor for word in site.store.settled().values()} <= {f"page:mo{n}" for n in range(100)}
    assert eventually(lambda: "own.has-left-us" in window.go("/rules?mine=true").content())
    judged = _judged(site, "550 the tenant of <zoe@new.example> has left us for the moon, ticket 1")
    assert (judged["reason"], judged["rule"].startswith("own.")) == ("mailbox_unknown", True)


def test_a_rule_that_does_not_hold_says_why(site: Site, inside: Callable[..., Visit]) -> None:
    window = inside()
    window.forgive("422")
    page = opened(window.go("/review"), "come back when the fog")
    page.get_by_label(re.compile("^What it means")).select_option("network")
    page.get_by_label(re.compile("^Words it is known by")).fill("(fog")
    before = sorted(site.rules.iterdir())

    page.get_by_role("button", name="Accept it").click()

    expect(page.get_by_role("alert")).to_contain_text("RE2 does not take the pattern '(fog'")
    expect(page.get_by_label(re.compile("^Words it is known by"))).to_have_value("(fog")
    assert sorted(site.rules.iterdir()) == before


def test_only_at_one_provider(inside: Callable[..., Visit]) -> None:
    page = opened(inside().go("/review?everything=true"), MOON)
    page.get_by_label("Where").select_option(label="only at google (8)")
    page.get_by_label(re.compile("^What it means")).select_option("content_block")
    page.get_by_label("Name of the rule").fill("own.moon-at-google")
    page.get_by_label("Whose fault").select_option("sender")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#yaml")).to_contain_text("provider:\n    - google")
    expect(page.locator("#yaml")).to_contain_text("fault: sender")


def test_dismissed(site: Site, inside: Callable[..., Visit]) -> None:
    page = opened(inside().go("/review?cause=contradiction"), "over quota")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("status")).to_contain_text("1 reports dismissed")
    expect(page.get_by_role("link", name="over quota")).to_have_count(0)
    page.get_by_label("also what was dismissed").check()
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name="over quota")).to_have_count(1)


@pytest.mark.parametrize("cause", [Cause.QUARANTINE, Cause.NOBODY])
def test_what_no_rule_can_help_says_what_does(cause: Cause, inside: Callable[..., Visit]) -> None:
    page = inside().go(f"/review?cause={cause}")
    page.locator("a.wording").first.click()
    expect(page.get_by_role("heading", name="What to do")).to_be_visible()
    expect(page.get_by_role("button", name="Accept it")).to_have_count(0)


def test_who_may_only_look_changes_nothing(inside: Callable[..., Visit]) -> None:
    page = opened(inside(*READER).go("/review?everything=true"), MOON)
    for name in ("Try it", "Accept it", "Dismiss"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    expect(page.locator("#yaml")).to_contain_text("- id: own.")


def _judged(site: Site, reply: str) -> dict[str, str]:
    """Return what the program says of a reply now."""
    headers = {"Content-Type": "application/json"}
    found: dict[str, str] = site.call(
        Request(f"{site.url}/v1/classify", json.dumps({"reply": reply}).encode(), headers)
    )
    return found
