"""What pages are made of: strangers' text, ranges of days in a zone, charts."""

import re
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, timedelta

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from bounced.model import By, CountReport, Figures, Only, ReportQuery, ReportRow
from bounced.serve.pages import charts, figures, text
from bounced.serve.pages.frame import environment, local, marks
from bounced.serve.pages.times import span_of
from bounced.serve.problems import Problem

_ACTS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff<>]")
_PAGE = environment(marks()).from_string('<p title="{{ x }}">{{ x }}|{{ x|stranger }}|{{ marked(x, y) }}</p>')


@given(st.text(), st.text(max_size=3))
def test_no_text_of_a_stranger_does_more_than_be_read(words: str, mark: str) -> None:
    """Escaped, and nothing in it hides or turns: also in an attribute, isolated, and where a part of it is marked."""
    page = _PAGE.render(x=words, y=mark)
    plain = re.sub(r'</?(?:p|bdi|mark|span)(?: (?:title|class)="[^"<>]*")?>', "", page)
    assert not _ACTS.search(plain.replace("\n", "").replace("\r", ""))


def test_what_hides_is_written_out() -> None:
    assert text.visible("a\u202eb\x1b[31m\x00\u200bc\r\nd\te\rf") == "a\\u202eb\\x1b[31m\\x00\\u200bc\r\nd\te\\rf"
    assert text.stranger("<b>\u202e") == Markup('<bdi class="stranger">&lt;b&gt;\\u202e</bdi>')
    assert text.marked("no such user", "such") == Markup('<bdi class="stranger">no <mark>such</mark> user</bdi>')


def asked(query: str, zone: str = "") -> Request:
    cookie = [(b"cookie", f"bounced_zone={zone}".encode())] if zone else []
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": query.encode(), "headers": cookie})


NOW = datetime(2026, 10, 25, 23, 30, tzinfo=UTC)


def test_days_are_those_of_the_viewer_and_the_last_is_in_the_range() -> None:
    """The 25th of October has 25 hours in Berlin; it is half past midnight of the next day there."""
    span = span_of(asked("since=2026-10-25&until=2026-10-25", "Europe/Berlin"), NOW)
    assert (span.since, span.until) == (
        datetime(2026, 10, 24, 22, tzinfo=UTC),
        datetime(2026, 10, 25, 23, tzinfo=UTC),
    )
    assert span.days == [date(2026, 10, 25)]
    assert span.query == {"since": "2026-10-25", "until": "2026-10-25"}

    assert span_of(asked("", "Europe/Berlin"), NOW, 7).query == {"since": "2026-10-20", "until": "2026-10-26"}
    assert span_of(asked("", "Moon/Crater"), NOW, 7).query == {"since": "2026-10-19", "until": "2026-10-25"}


def test_a_range_may_be_given_by_times_too() -> None:
    span = span_of(asked("since=2026-10-25T10:00:00Z&until=2026-10-25T12:00:00%2B01:00"), NOW)
    assert span.until - span.since == timedelta(hours=1)


@pytest.mark.parametrize(
    "query",
    ["since=yesterday", "since=2026-02-30", "since=2026-10-25T10:00:00", "since=0001-01-01", "until=9999-12-31",
     "since=2026-10-26&until=2026-10-25", "since=1990-01-01&until=2026-01-01"],
)  # fmt: skip
def test_what_is_no_range_is_told(query: str) -> None:
    with pytest.raises(Problem) as told:
        span_of(asked(query), NOW)
    assert told.value.status_code == 422


@given(st.lists(st.tuples(*[st.integers(0, 10**9)] * 3), min_size=1, max_size=400))
def test_a_chart_of_any_figures_stays_on_its_sheet(amounts: list[tuple[int, int, int]]) -> None:
    days = [charts.Day(date(2026, 1, 1) + timedelta(days=n), each) for n, each in enumerate(amounts)]
    drawn = ET.fromstring(f"<r>{charts.days_chart(days, 'A <title>')}</r>")
    for sheet in drawn:
        _, _, width, height = map(float, sheet.attrib["viewBox"].split())
        assert "style" not in sheet.attrib
        for rect in sheet.iter("rect"):
            x, y, w, h = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
            assert x >= 0 and x + w <= width + 0.1 and y >= 0 and y + h <= height + 0.1


@pytest.mark.parametrize(
    ("most", "top", "step"), [(0, 4, 1), (4, 4, 1), (7, 8, 2), (138, 150, 50), (1_000, 1_000, 250), (1_001, 1_500, 500)]
)
def test_an_axis_has_round_numbers(most: int, top: float, step: float) -> None:
    assert charts.scale(most) == (top, step)


def test_a_row_leads_to_its_mails_in_their_words() -> None:
    """The sender's category is a tag there; what names nothing leads nowhere."""
    query = ReportQuery(date(2026, 1, 1), date(2026, 1, 31), By.CATEGORY, only=Only(list="news", domain="gmx.de"))
    row = ReportRow("shop & more", Figures(hard=1))
    (line,) = figures.lines(CountReport(query, (row,), row))
    assert line.link == (
        "/mails?since=2026-01-01&until=2026-01-31&list=news&domain=gmx.de&tag=shop+%26+more&category=failed"
    )
    assert figures.mails(query, None) is None


@pytest.mark.parametrize(
    ("now", "before", "told"),
    [(3, None, ""), (0, 0, "none before either"), (5, 0, "none before"), (5, 5, "as many as before (5)"),
     (150, 100, "50 % more than before (100)"), (75, 100, "25 % less than before (100)"),
     (250, 100, "2.5 times as many as before (100)")],
)  # fmt: skip
def test_a_change_is_told_in_words(now: int, before: int | None, told: str) -> None:
    assert figures.change(now, before) == told


@pytest.mark.parametrize(
    ("part", "told"),
    [(None, "–"), (0.0, "0.0 %"), (0.125, "12.5 %"), (0.0031, "0.31 %"), (0.000042, "0.0042 %"), (1.0, "100.0 %")],
)
def test_a_rate_has_the_digits_that_tell(part: float | None, told: str) -> None:
    assert text.rate(part) == told


@pytest.mark.parametrize("path", ["//x", "/\\x", "https://x", "javascript:alert(1)", "/a\nb", "", "/a\\b"])
def test_only_a_path_of_ours_is_gone_back_to(path: str) -> None:
    assert local(path) == "/"
    assert local("/mails?a=b&c=%2F") == "/mails?a=b&c=%2F"
