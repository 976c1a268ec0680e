"""Who gets in, for how long, and what a token that is taken back is worth."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect
from sqlalchemy import update

from bounced.store import TokenScope
from bounced.store.session_tables import page_session
from tests.pages.conftest import Site
from tests.servers.browser import Visit, assert_accessible


def test_a_wrong_token_and_one_of_too_little_scope(site: Site, visiting: Callable[..., Visit]) -> None:
    window = visiting(site.url)
    window.forgive("40[0-9]")
    page = window.go("/login")
    assert_accessible(page)
    for token in ("bounced_nonsense", site.token(TokenScope.CHECK)):
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_be_visible()
    assert_accessible(page)


def test_a_session_ends_by_itself(site: Site, inside: Callable[..., Visit]) -> None:
    """However busy it was; and what was to be done afterwards is not done."""
    window = inside()
    page = window.go("/waves/2")
    page.get_by_text("They are dead: confirm …").click()
    with site.store._write() as connection:
        long_ago = datetime.now(UTC) - timedelta(days=2)
        connection.execute(update(page_session).values(began_at=long_ago))

    page.get_by_role("button", name="Confirm, and suppress").click()

    expect(page.get_by_label("Token")).to_be_visible()
    wave = site.store.wave(2)
    assert wave is not None
    assert wave.state == "released"
    assert window.context.cookies()[0]["httpOnly"]
    assert window.context.cookies()[0]["sameSite"] == "Strict"
