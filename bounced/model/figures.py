"""What reports count: questions over spans of whole days, and the figures that answer them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from enum import StrEnum
from typing import Final


class By(StrEnum):
    """What the rows of a report stand for."""

    DAY = "day"
    CAMPAIGN = "campaign"
    LIST = "list"
    CATEGORY = "category"
    PROVIDER = "provider"
    DOMAIN = "domain"
    REASON = "reason"
    FAULT = "fault"
    RULE = "rule"
    MAILBOX = "mailbox"


class Figure(StrEnum):
    """What is counted."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINTS = "complaints"
    SUPPRESSED = "suppressed"
    RELEASED = "released"
    AUTO_REPLIES = "auto_replies"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Only:
    """What a report is confined to. `category` is one of the tags that the sender gave the mail."""

    campaign: str | None = None
    list: str | None = None
    category: str | None = None
    provider: str | None = None
    domain: str | None = None
    reason: str | None = None
    fault: str | None = None
    rule: str | None = None
    mailbox: str | None = None

    def given(self) -> dict[str, str]:
        """Return what is asked for, by name."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """What is counted, over whole days of a time zone, `first` and `last` included.

    `compare` adds the figures of the span before: the month before a whole month, else as many days.
    """

    first: date
    last: date
    by: By = By.DAY
    timezone: str = "UTC"
    only: Only = field(default_factory=Only)
    compare: bool = False

    @property
    def days(self) -> int:
        """How many days that is."""
        return (self.last - self.first).days + 1

    def before(self) -> tuple[date, date]:
        """Return first and last day of the span that this one is compared with."""
        last = self.first - timedelta(days=1)
        whole_month = self.first.day == 1 and self.last == _end_of_month(self.first)
        return (last.replace(day=1) if whole_month else self.first - timedelta(days=self.days)), last


@dataclass(frozen=True, slots=True)
class Figures:
    """How often what happened. `sent` is None where nobody told how many mails were sent."""

    hard: int = 0
    soft: int = 0
    complaints: int = 0
    suppressed: int = 0
    released: int = 0
    auto_replies: int = 0
    unreadable: int = 0
    sent: int | None = None

    @property
    def hard_rate(self) -> float | None:
        """Hard bounces for each mail sent; None where that is not known."""
        return self.hard / self.sent if self.sent else None

    @property
    def soft_rate(self) -> float | None:
        """Soft bounces for each mail sent; None where that is not known."""
        return self.soft / self.sent if self.sent else None

    @property
    def complaint_rate(self) -> float | None:
        """Complaints for each mail sent; None where that is not known."""
        return self.complaints / self.sent if self.sent else None

    @property
    def counts(self) -> Mapping[Figure, int]:
        """What was counted, without what was sent."""
        return {figure: getattr(self, figure.value) for figure in Figure}


#: The names of the rates.
RATES: Final = ("hard_rate", "soft_rate", "complaint_rate")


@dataclass(frozen=True, slots=True)
class ReportRow:
    """The figures of one day (as ISO 8601 has it), campaign, … `key` is None for what names none.

    `before` holds the figures of the same key, or of the day as far into its span, in the span before.
    """

    key: str | None
    figures: Figures
    before: Figures | None = None


@dataclass(frozen=True, slots=True)
class CountReport:
    """A report: days in order and none left out; else the keys with most failures and complaints first.

    `total` counts each event once, also where it has several categories and so stands in several rows. `source` names
    who told how many mails were sent.
    """

    query: ReportQuery
    rows: tuple[ReportRow, ...]
    total: ReportRow
    source: str | None = None


@dataclass(frozen=True, slots=True)
class SentCount:
    """How many mails were sent on one day (the sender's) of a campaign, list, category, to a provider; all may lack.

    Counts of one `source` are parts: each mail is in one of them. Another source counts the same mails once more.
    """

    day: date
    sent: int
    campaign: str | None = None
    list: str | None = None
    category: str | None = None
    provider: str | None = None
    source: str = "sender"


def report_columns(query: ReportQuery) -> tuple[str, ...]:
    """Return the names that `flat` gives to the values of a row, in order."""
    names = ("sent", *(figure.value for figure in Figure))
    before = tuple(f"{name}_before" for name in names) if query.compare else ()
    return (query.by.value, *names, *RATES, *before)


def flat(row: ReportRow, query: ReportQuery) -> dict[str, str | int | float | None]:
    """Return a row of a report as one object: what it stands for under the name of that, then figures and rates."""
    told: dict[str, str | int | float | None] = {query.by.value: row.key, "sent": row.figures.sent}
    told |= {figure.value: amount for figure, amount in row.figures.counts.items()}
    told |= {name: None if (rate := getattr(row.figures, name)) is None else round(rate, 6) for name in RATES}
    if query.compare:
        before = row.before or Figures()
        told["sent_before"] = before.sent
        told |= {f"{figure.value}_before": amount for figure, amount in before.counts.items()}
    return told


def days_between(first: date, last: date) -> Iterator[date]:
    """Yield the days, both included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _end_of_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
