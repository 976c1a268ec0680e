"""The table of suppressions: found, handed out, and let go in bulk after a look; and that taken back."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime

from playwright.sync_api import expect

from tests.pages.conftest import READER, Site
from tests.pages.story import BAD_LIST
from tests.pages.test_mails import downloaded
from tests.servers.browser import Visit, assert_accessible

_LISTED = [f"listed{number:02}@bad-list.example" for number in range(12)]


def _suppressed(site: Site) -> list[str]:
    return [item["address"] for item in site.ask("/v1/suppressions?limit=500&domain=bad-list.example")["items"]]


def test_undo_after_a_look_and_take_it_back(site: Site, inside: Callable[..., Visit]) -> None:
    """A list that should not have been imported: twelve are meant, twelve go, twelve come back."""
    page = inside().go("/suppressions/undo")
    page.get_by_label("By").fill(f"import {BAD_LIST}")
    page.get_by_role("button", name="Show what is meant").click()
    expect(page.get_by_role("heading", name="12 entries are meant")).to_be_visible()
    assert _suppressed(site) == _LISTED
    assert_accessible(page)

    page.get_by_label("Why, for whoever asks later").fill("the wrong list")
    page.get_by_role("button", name="Release these 12").click()

    expect(page.get_by_role("status")).to_contain_text("12")
    assert _suppressed(site) == []
    line = site.store.journal_of(_LISTED[0])[-1]
    assert (line.why, line.actor[:7]) == ("the wrong list", "page:mo")

    page.goto(f"{site.url}/suppressions/redo")
    for name in ("Released from", "to"):
        page.get_by_label(name, exact=True).fill(datetime.now(UTC).date().isoformat())
    page.get_by_role("button", name="Show what is meant").click()
    expect(page.get_by_role("heading", name="12 releases would be taken back")).to_be_visible()
    page.get_by_label("Why, for whoever asks later").fill("the right list after all")
    page.get_by_role("button", name="Suppress them again").click()
    expect(page.get_by_role("status")).to_contain_text("12")
    assert _suppressed(site) == _LISTED


def test_the_file_is_the_view(site: Site, inside: Callable[..., Visit]) -> None:
    page = inside(*READER).go("/suppressions")
    page.get_by_label("Reason").fill("mailbox_unknown")
    page.get_by_role("button", name="Show").click()
    told = site.ask("/v1/suppressions?limit=500&reason=mailbox_unknown")["items"]
    expect(page.locator("caption")).to_contain_text(f"{len(told)} entries")
    rows = list(csv.DictReader(io.StringIO(downloaded(page, "CSV"))))
    assert sorted(row["address"] for row in rows) == sorted(item["address"] for item in told)
