"""Waves, deliveries and rules: what a person decides there is done, and in the books with who did it."""

from collections.abc import Callable

from playwright.sync_api import expect

from bounced.model import DeliveryState, WaveState
from bounced.store import DeliveryQuery
from tests.pages.conftest import READER, Site
from tests.servers.browser import Visit


def test_a_wave_is_released_and_the_word_taken_back(site: Site, inside: Callable[..., Visit]) -> None:
    """Asked again before it is done; afterwards one may change one's mind."""
    page = inside().go("/waves")
    page.get_by_role("link", name="Decide on wave 1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Wave 1: google")
    expect(page.get_by_role("button", name="Release 130 addresses")).to_be_hidden()

    page.get_by_text("They live: release …").click()
    page.get_by_role("button", name="Release 130 addresses").click()

    expect(page.get_by_role("status")).to_contain_text("Wave 1 is released")
    wave = site.store.wave(1)
    assert wave is not None
    assert (wave.state, wave.actor[:7]) == (WaveState.RELEASED, "page:mo")

    page.get_by_text("They are dead: confirm …").click()
    page.get_by_role("button", name="Confirm, and suppress").click()

    expect(page.get_by_role("status")).to_contain_text("Wave 1 is confirmed")
    expect(page.get_by_text("They are dead: confirm …")).to_have_count(0)


def test_the_chart_of_a_wave_has_its_table(inside: Callable[..., Visit]) -> None:
    """The same numbers, for who does not see the picture."""
    page = inside().go("/waves/1")
    bars = page.locator("svg.tide rect title").all_text_contents()
    page.get_by_text("The same as a table").click()
    rows = page.get_by_role("region", name="By the hour").locator("tbody tr td:first-of-type").all_text_contents()
    assert [bar.rpartition(": ")[2] for bar in bars] == rows
    assert sum(page.locator("svg.tide rect.hard").count() for _ in range(1)) >= 8


def test_held_addresses_are_paged(inside: Callable[..., Visit]) -> None:
    page = inside().go("/waves/1")
    seen: list[str] = []
    for more in (True, True, False):
        seen += page.get_by_role("region", name="Addresses held").locator("tbody th").all_text_contents()
        if more:
            page.get_by_role("link", name="Next addresses").click()
    assert seen == [f"held{number:03}@gmail.example" for number in range(130)]


def test_one_delivery_is_tried_again(site: Site, inside: Callable[..., Visit]) -> None:
    dead = site.store.deliveries(DeliveryQuery(state=DeliveryState.DEAD))
    page = inside().go("/deliveries?state=dead")
    page.get_by_role("link", name=f"bounce.hard {dead[0].id}").click()
    expect(page.get_by_role("cell", name="503", exact=True)).to_be_visible()
    page.get_by_role("button", name="Try again now").click()

    expect(page.get_by_role("status")).to_contain_text("is tried again")
    found = site.store.delivery(dead[0].id)
    assert found is not None
    assert (found.state, found.attempts) == (DeliveryState.OPEN, 0)


def test_all_that_was_given_up_is_tried_again(site: Site, inside: Callable[..., Visit]) -> None:
    page = inside().go("/deliveries")
    page.get_by_role("button", name="again at crm").click()
    expect(page.get_by_role("status")).to_contain_text("notifications for crm are tried again")
    assert ("crm", DeliveryState.DEAD) not in site.store.delivery_counts()


def test_an_endpoint_shows_no_secret(inside: Callable[..., Visit]) -> None:
    """A URL may hold one: its host is enough."""
    page = inside(*READER).go("/deliveries")
    expect(page.get_by_role("cell", name="shop.example", exact=True)).to_be_visible()
    assert "/hook/secret" not in page.content()
    expect(page.get_by_role("button", name="again")).to_have_count(0)


def test_rules_are_searched_and_counted(inside: Callable[..., Visit]) -> None:
    page = inside().go("/rules")
    page.get_by_label("Search").fill("quota mailbox")
    page.get_by_label("Looks at").select_option("phrase")
    page.get_by_role("button", name="Show").click()
    names = page.get_by_role("region", name="Rules").locator("tbody th a").all_text_contents()
    assert "full.said" in names
    assert not any(name.startswith("google") for name in names)

    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="full.said", exact=True))
    link = row.get_by_role("link", name="mails judged by full.said")
    assert "rule=full.said" in str(link.get_attribute("href"))
    page.get_by_role("link", name="full.said", exact=True).click()
    expect(page.get_by_role("heading", name="It takes")).to_be_visible()
