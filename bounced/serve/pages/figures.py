"""Figures of reports as pages show them: the question in a query, rows with bars, changes, links to the mails."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Final

from markupsafe import Markup

from bounced.model import By, CountReport, Figures, Only, ReportQuery, ReportRow
from bounced.serve.pages import charts
from bounced.serve.pages.text import link
from bounced.serve.pages.times import Span, zone_name

#: What a view of mails calls it; there `category` is hard, soft or complaint.
TAG: Final = "tag"
#: There, all that the bars show: hard, soft and complaints.
FAILED: Final = "failed"
#: What the mails can be filtered by, of what a report counts by.
_FILTERS: Final = {
    By.CAMPAIGN: "campaign",
    By.LIST: "list",
    By.CATEGORY: TAG,
    By.PROVIDER: "provider",
    By.DOMAIN: "domain",
    By.REASON: "reason",
    By.FAULT: "fault",
    By.RULE: "rule",
    By.MAILBOX: "mailbox",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a report as a page shows it. `link` leads to its mails, where there is such a view."""

    name: str | None
    figures: Figures
    before: Figures | None
    link: str | None
    bar: Markup

    @property
    def failed(self) -> int:
        """Bounces and complaints together."""
        return failed(self.figures)


def failed(figures: Figures) -> int:
    """Return bounces and complaints together."""
    return figures.hard + figures.soft + figures.complaints


def question(span: Span, by: By, only: Only | None = None, compare: bool = False) -> ReportQuery:
    """Return the question for the days of a span."""
    return ReportQuery(span.first, span.last, by, zone_name(span.zone), only or Only(), compare)


def only_of(query: Mapping[str, str]) -> Only:
    """Return what the query of a view confines a report to."""
    names = {each.name for each in fields(Only)} - {"category"}
    given = {name: value.strip() for name, value in query.items() if name in names}
    return Only(category=query.get(TAG), **given)


def lines(report: CountReport, most: int | None = None) -> list[Line]:
    """Return the rows, the first `most` of them."""
    rows = report.rows if most is None else [row for row in report.rows if failed(row.figures)][:most]
    longest = max((failed(row.figures) for row in rows), default=0)
    return [_line(report.query, row, longest) for row in rows]


def days_chart(report: CountReport, title: str) -> Markup:
    """Return the chart of a report by day."""
    days = [charts.Day(date.fromisoformat(row.key or ""), _stack(row.figures)) for row in report.rows]
    return charts.days_chart(days, title)


def mails(query: ReportQuery, key: str | None, **more: str) -> str | None:
    """Return the link to the mails behind a row; None where mails cannot be told by it."""
    words = {"since": query.first.isoformat(), "until": query.last.isoformat(), **_filters(query.only)}
    if query.by is By.DAY:
        return link("/mails", **{**words, "since": key, "until": key} if key else words, **more)
    if key is None or query.by not in _FILTERS:
        return None
    return link("/mails", **{**words, _FILTERS[query.by]: key}, **more)


def change(now: int, before: int | None) -> str:
    """Return how much more or less than before, as people say it."""
    if before is None:
        return ""
    if not before:
        return "none before" if now else "none before either"
    if now == before:
        return f"as many as before ({before:,})"
    less = now < before
    ratio = now / before
    by = (
        f"{ratio:.1f} times as many as"
        if ratio >= 2
        else f"{abs(ratio - 1) * 100:.0f} % {'less' if less else 'more'} than"
    )
    return f"{by} before ({before:,})"


def _line(query: ReportQuery, row: ReportRow, longest: int) -> Line:
    parts = list(zip(charts.STACK, _stack(row.figures), strict=True))
    return Line(row.key, row.figures, row.before, mails(query, row.key, category=FAILED), charts.bar(parts, longest))


def _stack(figures: Figures) -> tuple[int, int, int]:
    return figures.hard, figures.soft, figures.complaints


def _filters(only: Only) -> dict[str, str]:
    """Return what confines a report as a view of mails names it."""
    return {TAG if name == "category" else name: value for name, value in only.given().items()}
