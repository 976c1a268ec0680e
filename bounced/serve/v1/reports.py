"""`/v1/reports` and `/v1/sent`: figures over spans of days, and how many mails were sent."""

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from bounced.counting import Counting, Day, Source
from bounced.model import By, CountReport, Fault, Figures, Only, Reason, ReportQuery, ReportRow, flat, report_columns
from bounced.serve.problems import Problem, invalid
from bounced.serve.v1.doors import Doors
from bounced.serve.v1.shapes import Domain, Given, Told, Words
from bounced.spreadsheet import shown
from bounced.store import TokenScope

#: Days of a report where nothing says how many, and the most.
_DAYS: Final = 30
_MOST_DAYS: Final = 3_660
_YEARS: Final = range(1970, 2200)
#: Rows of a report where nothing says how many, and the most.
_ROWS, _MOST_ROWS = 1_000, 100_000
#: Counts of one request, and the octets that so many may take.
_BATCH, _BATCH_OCTETS = 10_000, 8_000_000
_MEDIA: Final = "text/csv"
_TOLD: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {_MEDIA: {"schema": {"type": "string"}}}}}


class Form(StrEnum):
    """How a report is written."""

    JSON = "json"
    CSV = "csv"


class FiguresTold(Told):
    """How often what happened. `sent`, and rates for each mail sent, are null where that is not known."""

    sent: int | None
    hard: int
    soft: int
    complaints: int
    suppressed: int
    released: int
    auto_replies: int
    unreadable: int
    hard_rate: float | None
    soft_rate: float | None
    complaint_rate: float | None


class RowTold(FiguresTold):
    """The figures of one day, campaign …; `key` is null for what names none. `before`: in the span before."""

    key: str | None
    before: FiguresTold | None

    @classmethod
    def of(cls, row: ReportRow) -> Self:
        """Return a row as it is told."""
        before = FiguresTold.model_validate(row.before) if row.before else None
        return cls(key=row.key, before=before, **_figures(row.figures))


class SpanTold(Told):
    """Days, both included."""

    first: date
    last: date


class ReportTold(Told):
    """Days in order and none left out; else the keys with most failures and complaints first.

    In `total` each event counts once, also one with several categories. `more` rows were left out for the limit.
    """

    by: By
    timezone: str
    span: SpanTold
    before: SpanTold | None = Field(description="What is compared with: a month with the month before it.")
    rows: list[RowTold]
    total: RowTold
    more: int
    source: str | None = Field(description="Who told how many mails were sent.")


class SentGiven(Given):
    """Counts of one source are parts: each mail is in one of them. Another source counts the same mails once more."""

    counts: list[Counting] = Field(min_length=1, max_length=_BATCH)
    source: Source = "sender"


class SentTold(Told):
    """How many counts were taken."""

    taken: int


def routers(doors: Doors) -> list[APIRouter]:
    """Return the routes."""
    read, write = doors.asked(TokenScope.READ, "reports"), doors.told(TokenScope.WRITE, "reports", _BATCH_OCTETS)

    def asked(  # noqa: PLR0913  each parameter is one of the query
        by: Annotated[By, Query(description="What a row stands for.")] = By.DAY,
        from_: Annotated[Day | None, Query(alias="from", description="The first day; else 30 days in all.")] = None,
        to: Annotated[Day | None, Query(description="The last day, included; else today.")] = None,
        timezone: Annotated[
            str | None,
            Query(max_length=64, description="Whose days; else `reports.timezone`.", examples=["Europe/Berlin"]),
        ] = None,
        compare: Annotated[bool, Query(description="Tell the figures of the span before, too.")] = False,
        campaign: Words | None = None,
        list: Words | None = None,  # noqa: A002  the word of the query
        category: Annotated[Words | None, Query(description="One that you gave the mail.")] = None,
        provider: Words | None = None,
        domain: Domain | None = None,
        reason: Reason | None = None,
        fault: Fault | None = None,
        rule: Words | None = None,
        mailbox: Words | None = None,
    ) -> ReportQuery:
        """Return what was asked for. Raises Problem 422."""
        zone = timezone or doors.desk().zone
        first, last = _span(from_, to, _today(zone))
        domain = domain.lower() if domain else None
        only = Only(campaign, list, category, provider, domain, reason, fault, rule, mailbox)
        return ReportQuery(first, last, by, zone, only, compare)

    @read.get("/reports", response_model=ReportTold, responses=_TOLD)
    async def report(
        query: Annotated[ReportQuery, Depends(asked)],
        limit: Annotated[int, Query(ge=1, le=_MOST_ROWS, description="Rows that are not days.")] = _ROWS,
        form: Annotated[Form, Query(alias="format", description="CSV: no total, no cell a formula.")] = Form.JSON,
    ) -> Response | ReportTold:
        """Count bounces, complaints, and what was suppressed and released, over whole days of a time zone."""
        found = await doors.ask(lambda store: store.report(query))
        rows = found.rows if query.by is By.DAY else found.rows[:limit]
        return csv_of(found, rows) if form is Form.CSV else _told(found, rows)

    @write.post("/sent")
    async def put_sent(given: SentGiven) -> SentTold:
        """Tell how many mails were sent. What was told before of the same day and names by that source is replaced."""
        counts = [each.count(given.source) for each in given.counts]
        return SentTold(taken=await doors.ask(lambda store: store.put_sent_counts(counts)))

    return [read, write]


def _today(zone: str) -> date:
    try:
        return datetime.now(ZoneInfo(zone)).date()
    except (LookupError, OSError, ValueError):  # unknown; a folder of the data; a path that leads out of it
        raise invalid("query.timezone", "is no time zone, want one such as Europe/Berlin") from None


def _span(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    """Return first and last day. Raises Problem 422."""
    last = last or (max(first, today) if first else today)
    if last.year not in _YEARS or (first and first.year not in _YEARS):
        raise Problem(422, f"Only days from {_YEARS[0]} to {_YEARS[-1]} can be asked for.")
    first = first or last - timedelta(days=_DAYS - 1)
    if first > last:
        raise invalid("query.to", "is before `from`")
    if (last - first).days >= _MOST_DAYS:
        raise invalid("query.from", f"is more than {_MOST_DAYS} days before `to`")
    return first, last


def _told(found: CountReport, rows: tuple[ReportRow, ...]) -> ReportTold:
    query = found.query
    before = SpanTold(first=query.before()[0], last=query.before()[1]) if query.compare else None
    return ReportTold(
        by=query.by,
        timezone=query.timezone,
        span=SpanTold(first=query.first, last=query.last),
        before=before,
        rows=[RowTold.of(row) for row in rows],
        total=RowTold.of(found.total),
        more=len(found.rows) - len(rows),
        source=found.source,
    )


def _figures(figures: Figures) -> dict[str, Any]:
    return {name: getattr(figures, name) for name in FiguresTold.model_fields}


def csv_of(found: CountReport, rows: Sequence[ReportRow]) -> Response:
    """Return rows of a report as a file of the columns that `bounced report` writes."""
    out, query = io.StringIO(), found.query
    writer = csv.writer(out, lineterminator="\r\n")
    columns = report_columns(query)
    writer.writerow(columns)
    for row in rows:
        told = flat(row, query)
        writer.writerow(["" if (value := told[name]) is None else shown(str(value)) for name in columns])
    name = f"bounced-by-{query.by}-{query.first}-{query.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(out.getvalue(), media_type=f"{_MEDIA}; charset=utf-8", headers=headers)
