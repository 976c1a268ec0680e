"""One address: released and suppressed again by hand, each in the journal with who did it."""

from collections.abc import Callable

from playwright.sync_api import expect

from bounced.model import Move
from tests.pages.conftest import READER, Site
from tests.servers.browser import Visit, assert_accessible

NAME = "user7n0@google.example"


def test_release_and_suppress_again(site: Site, inside: Callable[..., Visit]) -> None:
    page = inside().go(f"/address?address={NAME}")
    expect(page.get_by_role("heading", name="Not to be mailed at all")).to_be_visible()
    page.get_by_label("Reason for letting it go").fill("called us")
    page.get_by_role("button", name="Release").click()

    expect(page.get_by_text("May be mailed.")).to_be_visible()
    assert site.ask(f"/v1/suppressions/{NAME}")["suppressed"] is False
    line = site.store.journal_of(NAME)[-1]
    assert (line.move, line.why, line.actor[:7]) == (Move.RELEASE, "called us", "page:mo")

    page.get_by_text("Suppress it").click()
    page.get_by_label("Days (empty: no end)").fill("30")
    page.get_by_label("Why, for whoever asks later").fill("asked us by phone")
    page.get_by_role("button", name="Suppress").click()

    expect(page.get_by_role("heading", name="Not to be mailed at all")).to_be_visible()
    told = site.ask(f"/v1/suppressions/{NAME}")["suppression"]
    assert (told["why"], told["actor"][:7], bool(told["until"])) == ("asked us by phone", "page:mo", True)
    assert_accessible(page)


def test_who_may_only_look_changes_nothing(inside: Callable[..., Visit]) -> None:
    page = inside(*READER).go(f"/address?address={NAME}")
    for name in ("Release", "Suppress"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
