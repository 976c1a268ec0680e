"""The page of reports: counts by day, campaign, reason and the rest, with rates, comparison, and as CSV."""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from bounced.model import By, CountReport, Figure, Figures, ReportRow
from bounced.serve.pages.figures import TAG, Line, days_chart, failed, lines, only_of, question
from bounced.serve.pages.frame import Frame
from bounced.serve.pages.guard import HEADERS
from bounced.serve.pages.text import link
from bounced.serve.pages.times import span_of
from bounced.serve.v1.reports import csv_of

#: Rows that a page shows; the CSV has them all.
_ROWS: Final = 500
_SORTS: Final = ("key", "sent", *(figure.value for figure in Figure))
#: The columns that are there where anything stands in them; the CSV has them always.
_RARE: Final = (
    ("suppressed", "Suppressed"),
    ("released", "Released"),
    ("auto_replies", "Auto-replies"),
    ("unreadable", "Unreadable"),
)
#: What a report can be confined to, as the query names it, and in words.
_ONLY: Final = (
    ("campaign", "Campaign"),
    ("list", "List"),
    (TAG, "Category of the sender"),
    ("provider", "Provider"),
    ("domain", "Domain"),
    ("reason", "Reason"),
    ("fault", "Fault"),
    ("rule", "Rule"),
    ("mailbox", "Mailbox"),
)

Sort = Annotated[str, Query(pattern=f"^-?({'|'.join(_SORTS)})$")]


def routers(frame: Frame) -> list[APIRouter]:
    """Return the routes."""
    asked = frame.asked()

    async def report_of(request: Request, by: By, compare: bool) -> CountReport:
        span = span_of(request, datetime.now(UTC))
        only = only_of(request.query_params)
        return await frame.ask(lambda store: store.report(question(span, by, only, compare)))

    @asked.get("/reports")
    async def reports(request: Request, by: By = By.DAY, compare: bool = False, sort: Sort = "") -> Response:
        """Show a report."""
        report = await report_of(request, by, compare)
        rows = _sorted(lines(report), sort, by)
        return frame.show(
            request,
            "reports.html",
            span=span_of(request, datetime.now(UTC)),
            report=report,
            by=by,
            choices=[each.value for each in By],
            compare=compare,
            rows=rows[:_ROWS],
            left_out=max(0, len(rows) - _ROWS),
            anything=any(_happened(line.figures) for line in rows),
            chart=days_chart(report, "Bounces and complaints by day") if by is By.DAY else None,
            columns=[(name, words) for name, words in _RARE if _counted(report.total, name)],
            only=_ONLY,
            confined=bool(report.query.only.given()),
            csv=link("/reports.csv", **dict(request.query_params)),
        )

    @asked.get("/reports.csv")
    async def as_csv(request: Request, by: By = By.DAY, compare: bool = False, sort: Sort = "") -> Response:
        """Hand out the same report as CSV: every row of it, days oldest first unless asked otherwise."""
        report = await report_of(request, by, compare)
        rows = {row.key: row for row in report.rows}
        ordered = [rows[line.name] for line in _sorted(lines(report), sort, by)] if sort else list(report.rows)
        file = csv_of(report, ordered)
        file.headers.update(HEADERS)
        return file

    return [asked]


def _sorted(rows: list[Line], sort: str, by: By) -> list[Line]:
    """Return the rows as asked for; days run backwards unless asked, the rest as the report has them."""
    key = sort.removeprefix("-")
    if not key:
        return rows[::-1] if by is By.DAY else rows
    if key == "key":
        return sorted(rows, key=lambda line: line.name or "", reverse=sort.startswith("-"))
    return sorted(rows, key=lambda line: getattr(line.figures, key) or 0, reverse=sort.startswith("-"))


def _counted(total: ReportRow, name: str) -> bool:
    """True if anything of that name was counted, now or before."""
    return any(getattr(figures, name) for figures in (total.figures, total.before) if figures)


def _happened(figures: Figures) -> bool:
    return bool(failed(figures) or figures.sent or any(figures.counts.values()))
