"""A report for a person at a terminal: a table with its totals, and the trend in one line."""

import sys
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bounced.cli.render import cell
from bounced.model import By, CountReport, Figure, Figures, ReportRow

_BARS: Final = "▁▂▃▄▅▆▇█"
#: Bars of a trend; of more days, several share one.
_WIDEST: Final = 60
_HEADS: Final = {
    "hard": "hard",
    "soft": "soft",
    "complaints": "compl.",
    "suppressed": "suppr.",
    "released": "released",
    "auto_replies": "replies",
    "unreadable": "unread.",
}
_STYLES: Final = {"hard": "red", "soft": "yellow", "complaints": "magenta"}
_RATES: Final = {"hard_rate": "hard %", "soft_rate": "soft %", "complaint_rate": "compl. %"}


def print_report(report: CountReport, trend: CountReport, limit: int | None) -> None:
    """Print a report and the trend of its failures and complaints; of the rows no more than `limit`."""
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 400, highlight=False)
    console.print(_title(report), style="bold")
    if not any(_any(row) for row in report.rows):
        console.print("nothing happened", style="dim")
        return
    console.print(_table(report, limit))
    left_out = len(report.rows) - len(report.rows[:limit])
    if left_out:
        console.print(f"and {left_out} more; --limit 0 shows all", style="dim")
    if len(trend.rows) > 1:
        days = [_failures(row.figures) for row in trend.rows]
        console.print(
            Text.assemble("bounces and complaints by day  ", (sparkline(days), "cyan"), f"  up to {max(days):,}")
        )
    if report.source:
        console.print(f"mails sent: as {cell(report.source)} counts them", style="dim")


def sparkline(amounts: Sequence[int]) -> str:
    """Return one bar for each amount; the lowest is for nothing, and of very many, some share one.

    >>> sparkline([0, 1, 4, 8])
    '▁▂▅█'
    """
    share = -(-len(amounts) // _WIDEST)
    sums = [sum(amounts[start : start + share]) for start in range(0, len(amounts), share)]
    most = max(sums, default=0) or 1
    return "".join(_BARS[-(-amount * (len(_BARS) - 1) // most)] for amount in sums)


def _title(report: CountReport) -> str:
    query = report.query
    compared = ", compared with " + _days(*query.before()) if query.compare else ""
    told = ", ".join(f"{name} {cell(value)}" for name, value in query.only.given().items())
    return f"{_days(query.first, query.last)} ({cell(query.timezone)}){', ' + told if told else ''}{compared}"


def _days(first: date, last: date) -> str:
    return f"{first}" if first == last else f"{first} to {last}"


def _table(report: CountReport, limit: int | None) -> Table:
    rates = report.total.figures.sent is not None or any(row.figures.sent is not None for row in report.rows)
    table = Table(box=None, pad_edge=False, header_style="bold", show_footer=False)
    table.add_column(report.query.by.value, overflow="fold")
    for head in ["sent"] * rates + [*_HEADS.values()] + [*_RATES.values()] * rates:
        table.add_column(head, justify="right", no_wrap=True)
    for row in report.rows[:limit]:
        table.add_row(_key(row, report.query.by), *_cells(row, rates))
    table.add_section()
    table.add_row(Text("total", style="bold"), *_cells(report.total, rates), style="bold")
    return table


def _key(row: ReportRow, by: By) -> Text:
    if row.key is None:
        return Text(f"(no {by.value})", style="dim")
    return Text(cell(row.key))


def _cells(row: ReportRow, rates: bool) -> Iterator[Text]:
    """Yield the cells of a row, from the second on."""
    before = row.before
    if rates:
        yield _amount(row.figures.sent, before.sent if before else None, "")
    for figure, amount in row.figures.counts.items():
        yield _amount(amount, before.counts[figure] if before else None, _STYLES.get(figure.value, ""))
    if rates:
        for name in _RATES:
            yield _rate(getattr(row.figures, name), getattr(before, name) if before else None)


def _amount(amount: int | None, before: int | None, style: str) -> Text:
    if amount is None:
        return Text("-", style="dim")
    told = Text(f"{amount:,}", style=style if amount else "dim")
    return told if before is None else Text.assemble(told, _difference(amount - before, f"{amount - before:+,}"))


def _rate(rate: float | None, before: float | None) -> Text:
    if rate is None:
        return Text("-", style="dim")
    told = Text(f"{rate:.2%}".removesuffix("%"))
    return told if before is None else Text.assemble(told, _difference(rate - before, f"{100 * (rate - before):+.2f}"))


def _difference(amount: float, told: str) -> tuple[str, str]:
    return (f" ({told})" if amount else " (=)", "dim")


def _failures(figures: Figures) -> int:
    return figures.hard + figures.soft + figures.complaints


def _any(row: ReportRow) -> bool:
    figures = [row.figures, *([row.before] if row.before else [])]
    return any(each.sent or any(each.counts[name] for name in Figure) for each in figures)
