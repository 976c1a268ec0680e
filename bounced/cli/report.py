"""`bounced report`: figures by day, campaign, provider and more, with rates, trend and comparison."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from bounced.cli.ledger import ledger
from bounced.cli.options import ConfigOption, FormatOption
from bounced.cli.render import Format, Row, show
from bounced.model import By, Fault, Only, Reason, ReportQuery, flat, report_columns

#: Days counted where nothing says which, and rows of a table where nothing says how many.
_DAYS: Final = 30
_ROWS: Final = 40

Name = Annotated[str | None, typer.Option(metavar="NAME")]


def report(  # noqa: PLR0913  each parameter is an option of the command line
    by: Annotated[By, typer.Option(help="What a row stands for; a category is one that you gave the mail.")] = By.DAY,
    from_: Annotated[str | None, typer.Option("--from", metavar="DATE", help="The first day.")] = None,
    to: Annotated[str | None, typer.Option(metavar="DATE", help="The last day, included; else today.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=36_500, help="So many days up to the last one.")] = None,
    month: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="A whole month.")] = None,
    timezone: Annotated[str | None, typer.Option(metavar="ZONE", help="Whose days; else reports.timezone.")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Show how figures differ from the span before.")] = False,
    campaign: Name = None,
    list_: Annotated[str | None, typer.Option("--list", metavar="NAME")] = None,
    category: Annotated[
        str | None, typer.Option(metavar="NAME", help="One of the categories you gave the mail.")
    ] = None,
    provider: Name = None,
    domain: Annotated[str | None, typer.Option(metavar="DOMAIN", help="Of the recipients.")] = None,
    reason: Annotated[Reason | None, typer.Option()] = None,
    fault: Annotated[Fault | None, typer.Option()] = None,
    rule: Name = None,
    mailbox: Name = None,
    limit: Annotated[int | None, typer.Option(min=0, help="Rows; 0: all. A table of anything but days has 40.")] = None,
    fmt: FormatOption = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """Count bounces, complaints, and what was suppressed and released: the last 30 days, unless others are named.

    Hard, soft and complaints are columns. Rates need to know how many mails were sent: see `bounced sent --help`.
    """
    only = Only(campaign, list_, category, provider, domain, reason, fault, rule, mailbox)
    with ledger(config) as (settings, store):
        zone = timezone or settings.reports.zone
        first, last = _span(from_, to, days, month, _today(zone))
        query = ReportQuery(first, last, by, zone, only, compare)
        found = store.report(query)
        trend = found if by is By.DAY else store.report(replace(query, by=By.DAY, compare=False))
    if fmt is Format.TABLE:
        from bounced.cli.report_table import print_report

        print_report(found, trend, _ROWS if limit is None and by is not By.DAY else limit or None)
        return
    rows: Iterator[Row] = (flat(row, query) for row in found.rows[: limit or None])
    show(rows, fmt, report_columns(query))


def _today(zone: str) -> date:
    try:
        return datetime.now(ZoneInfo(zone)).date()
    except (LookupError, OSError, ValueError):
        raise typer.BadParameter(f"{zone!r} is no time zone; want one such as Europe/Berlin") from None


def _span(from_: str | None, to: str | None, days: int | None, month: str | None, today: date) -> tuple[date, date]:
    """Return first and last day of what is asked for, or end with a usage error."""
    if month is not None:
        if from_ or to or days:
            raise typer.BadParameter("--month names all of its days: leave out --from, --to and --days")
        begin = _month(month)
        return begin, (begin.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    if from_ and to and days:
        raise typer.BadParameter("--days goes with --from or --to, not with both")
    first = _date(from_) if from_ else None
    if first and days and not to:
        return first, first + timedelta(days=days - 1)
    last = _date(to) if to else today
    first = first or last - timedelta(days=(days or _DAYS) - 1)
    if first > last:
        raise typer.BadParameter(f"the last day, {last}, is before the first, {first}")
    return first, last


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r}: want a date such as 2026-11-21") from None


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise typer.BadParameter(f"{text!r}: want a month such as 2026-11") from None
