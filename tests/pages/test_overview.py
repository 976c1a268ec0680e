"""The frame, the overview, the reports and the health of the program, as somebody in a browser meets them."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from bounced.model import By, ReportQuery
from bounced.store.session_tables import page_session
from tests.pages.conftest import READER, Site
from tests.servers.browser import Visit, assert_accessible

Inside = Callable[..., Visit]
_FIGURES = ("hard", "soft", "complaints", "suppressed", "released", "auto_replies", "unreadable")


@pytest.mark.parametrize(
    "path", ["/?since=2019-01-01&until=2019-01-02", "/reports?by=provider&compare=true&sort=-hard", "/zone"]
)
def test_everybody_can_use_it(inside: Inside, path: str) -> None:
    """In light and dark, wide and on a phone: no serious fault of accessibility, nothing to scroll sideways."""
    assert_accessible(inside(*READER).go(path))


def test_everybody_can_log_in_and_read_what_went_wrong(site: Site, visiting: Callable[..., Visit]) -> None:
    window = visiting(site.url)
    window.forgive(r"40[14]")
    page = window.go("/login")
    assert_accessible(page)
    page.get_by_label("Token").fill("bounced_of_nobody")
    page.get_by_role("button", name="Log in").click()
    assert "no token in use" in page.get_by_role("alert").inner_text()
    assert_accessible(page)
    assert_accessible(window.go("/nowhere"))


def test_the_figures_are_those_of_the_report(site: Site, inside: Inside) -> None:
    """Overview, report and CSV agree to the unit with what command and interface for programs are told."""
    today = datetime.now(UTC).date()
    query = ReportQuery(today - timedelta(days=89), today, By.PROVIDER)
    told = site.store.report(query)
    wanted = {row.key or "": [getattr(row.figures, name) for name in _FIGURES] for row in told.rows}
    total = told.total.figures
    days = f"since={query.first}&until={query.last}"

    page = inside(*READER).go(f"/?{days}")
    tiles = [int(text.replace(",", "")) for text in page.locator(".figures dd:not(.more)").all_inner_texts()]
    assert tiles == [total.hard, total.soft, total.complaints, total.suppressed, total.released]
    page.get_by_text("The same as a table").click()
    cells = page.get_by_role("region", name="By day").get_by_role("cell").all_inner_texts()
    assert sum(int(text.replace(",", "")) for text in cells) == total.hard + total.soft + total.complaints

    page.goto(f"{site.url}/reports?by=provider&{days}")
    shown = [head.strip().lower().replace("-", "_") for head in page.locator("thead th.num").all_inner_texts()]
    assert shown == [name for name in _FIGURES if getattr(total, name) or name in _FIGURES[:3]]
    rows = [row.locator("td.num").all_inner_texts() for row in page.locator("tbody tr").all()]
    assert sorted([int(cell.replace(",", "")) for cell in row] for row in rows) == sorted(
        [getattr(row.figures, name) for name in shown] for row in told.rows
    )

    with page.expect_download() as waiting:
        page.get_by_role("link", name="CSV").click()
    lines = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text("utf-8"))))
    assert {line["provider"]: [int(line[name]) for name in _FIGURES] for line in lines} == wanted


def test_a_figure_leads_to_as_many_mails(site: Site, inside: Inside) -> None:
    page = inside(*READER).go("/?since=2019-01-01")
    hard = page.locator(".figures .hard a")
    amount = hard.inner_text()
    hard.click()
    assert re.search(r"/mails\?since=2019-01-01&until=[-\d]+&category=hard", page.url)
    assert re.search(rf"\b{amount}\b", page.locator("main").inner_text())
    page.go_back()
    row = page.locator("section.top tr").filter(has_text="google")
    amount = row.locator("td.num").inner_text()
    row.get_by_role("link").click()
    assert "provider=google" in page.url
    assert re.search(rf"\b{amount}\b", page.locator("main").inner_text())


def test_a_report_is_chosen_confined_and_sorted(inside: Inside) -> None:
    page = inside(*READER).go("/reports")
    page.get_by_label("By", exact=True).select_option("reason")
    page.get_by_text("with the days before").click()
    page.get_by_text("Only …").click()
    page.get_by_label("Provider").fill("google")
    page.get_by_role("button", name="Show").click()
    assert "by=reason" in page.url and "provider=google" in page.url and "campaign" not in page.url.partition("?")[0]

    page.get_by_role("columnheader", name="Hard", exact=True).get_by_role("link").click()
    amounts = [
        int(cell.split()[0].replace(",", "")) for cell in page.locator("tbody td:nth-child(3)").all_inner_texts()
    ]
    assert amounts == sorted(amounts, reverse=True)
    assert page.get_by_role("columnheader", name="Hard", exact=False).first.get_attribute("aria-sort") in (
        None,
        "descending",
    )
    assert page.get_by_label("Provider").input_value() == "google"


def test_it_works_without_scripts(inside: Inside) -> None:
    window = inside(*READER, java_script_enabled=False, timezone_id="Asia/Kolkata")
    page = window.go("/health")
    assert page.locator("#zone").inner_text() == "UTC"
    page.locator("#zone").click()
    page.get_by_label("Show times").select_option("Asia/Kolkata")
    page.get_by_role("button", name="Use this zone").click()
    assert page.url.endswith("/health")
    assert page.locator("#zone").inner_text() == "Asia/Kolkata"
    page.get_by_role("button", name="Log out").click()
    assert page.get_by_role("status").inner_text() == "You are logged out."


def test_times_and_days_are_in_the_zone_of_the_browser(site: Site, inside: Inside) -> None:
    """Its clock is ahead by fourteen hours: the next page that the server makes counts days by it."""
    window = inside(*READER, timezone_id="Pacific/Kiritimati")
    page = window.go("/waves")
    for time in page.locator("time").all()[:3]:
        at = datetime.fromisoformat(time.get_attribute("datetime") or "")
        assert f"{at + timedelta(hours=14):%H:%M}" in time.inner_text()
    page = window.go("/reports")
    assert page.locator("#zone").inner_text() == "Pacific/Kiritimati"
    assert page.get_by_label("to").input_value() == f"{datetime.now(UTC) + timedelta(hours=14):%Y-%m-%d}"


def test_who_came_too_late_logs_in_and_is_where_they_were(site: Site, inside: Inside) -> None:
    token = site.token(*READER)
    window = inside(*READER)
    with site.store._write() as connection:
        connection.execute(update(page_session).values(seen_at=datetime.now(UTC) - timedelta(minutes=61)))
    page = window.go("/reports?by=reason")
    assert "/login?next=" in page.url
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Log in").click()
    assert page.url == site.url + "/reports?by=reason"


def test_a_chart_says_in_words_what_it_shows(site: Site, inside: Inside) -> None:
    page = inside(*READER).go("/?since=2019-01-01")
    chart = page.get_by_role("img", name=re.compile("Bounces and complaints by day"))
    assert chart.count() == 1  # the one for phones is not there for a reader of this width
    told = chart.locator("desc").text_content() or ""
    total = site.store.report(ReportQuery(datetime(2019, 1, 1).date(), datetime.now(UTC).date())).total.figures  # noqa: DTZ001
    assert f"{total.hard:,} hard, {total.soft:,} soft, {total.complaints:,} complaint" in told
