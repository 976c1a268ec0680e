"""The figures of a known story agree to the unit: as the page shows them, in the file, over HTTP, by command."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from playwright.sync_api import Page

from bounced.model import Category, Event
from tests.pages.conftest import READER, Site
from tests.pages.test_mails import downloaded
from tests.servers.browser import Visit
from tests.servers.program import bounced

#: How a key of a report is found in an event.
KEYS: dict[str, Callable[[Event], str | None]] = {
    "day": lambda event: event.at.astimezone(UTC).date().isoformat(),
    "provider": lambda event: event.provider,
    "reason": lambda event: event.reason,
    "campaign": lambda event: event.tags.campaign,
    "fault": lambda event: event.fault,
    "rule": lambda event: event.rule,
}
FIGURES = {"hard": Category.HARD, "soft": Category.SOFT, "complaints": Category.COMPLAINT}

_JSON = ("--timezone", "UTC", "--limit", "0", "--format", "json")

Table = dict[str | None, tuple[int, ...]]


def counted(events: list[Event], by: str) -> Table:
    """Count the story by hand."""
    amounts = Counter((KEYS[by](event), event.category) for event in events)
    return {
        key: tuple(amounts[key, category] for category in FIGURES.values())
        for key in {key for key, category in amounts if category}
    }


def of_page(page: Page) -> Table:
    rows = page.locator("table.report tbody tr").evaluate_all(
        "rows => rows.map(r => [r.querySelector('th').innerText, "
        "...['Hard', 'Soft', 'Complaints'].map(n => r.querySelector(`td[data-label=${n}]`).firstChild.textContent)])"
    )
    return _table((None if name == "not told" else _day(name.strip()), *amounts) for name, *amounts in rows)


def _day(name: str) -> str:
    """Return a day as the file writes it; any other name as it is."""
    return (
        datetime.strptime(name, "%a %d %b %Y").replace(tzinfo=UTC).date().isoformat()
        if re.search(r" 20\d\d$", name)
        else name
    )


def _table(rows: object) -> Table:
    found = {row[0]: tuple(int(str(amount).replace(",", "")) for amount in row[1:]) for row in rows}  # type: ignore[attr-defined]
    return {key: amounts for key, amounts in found.items() if any(amounts)}


@pytest.mark.parametrize("by", ["day", "provider", "campaign", "rule"])
def test_page_and_file_say_what_happened(by: str, site: Site, inside: Callable[..., Visit]) -> None:
    since, until = _span()
    page = inside(*READER).go(f"/reports?by={by}&since={since}&until={until}")
    wanted = counted(list(site.events), by)

    rows = list(csv.DictReader(io.StringIO(downloaded(page, "CSV"))))

    said = bounced(site.folder / "config.yaml", "report", "--by", by, "--from", f"{since}", "--to", f"{until}", *_JSON)
    command = _table((row[by], *(row[name] for name in FIGURES)) for row in json.loads(said.stdout))
    assert command == wanted
    file = _table((row[by].removeprefix("'") or None, *(row[name] for name in FIGURES)) for row in rows)
    assert {_plain(key): amounts for key, amounts in file.items()} == {_plain(k): a for k, a in wanted.items()}
    assert {_plain(key): amounts for key, amounts in of_page(page).items()} == {_plain(k): a for k, a in wanted.items()}


def _plain(key: str | None) -> str:
    """Return a key as any of them may write it."""
    return (key or "").replace("_", " ")


def _span() -> tuple[date, date]:
    today = datetime.now(UTC).date()
    return today - timedelta(days=100), today
