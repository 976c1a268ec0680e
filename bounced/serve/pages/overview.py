"""The first page: how mail fared of late, what is wrong now, and where to look."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from bounced.model import Alarm, By, CanaryAlarm, CountReport, Wave, WaveState
from bounced.serve.pages import charts
from bounced.serve.pages.figures import Line, change, days_chart, failed, lines, mails, question
from bounced.serve.pages.frame import Frame
from bounced.serve.pages.mailboxes import state_of
from bounced.serve.pages.times import Span, span_of
from bounced.store import Counts, Store

#: The tables of the page: what by, its heading.
_TOPS = ((By.REASON, "Reasons"), (By.PROVIDER, "Providers"), (By.CAMPAIGN, "Campaigns"), (By.FAULT, "Whose fault"))
_ROWS = 8
#: A notification that waits longer is worth a word.
_PATIENCE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Known:
    """What the store says for the page."""

    days: CountReport
    tops: Mapping[By, CountReport]
    waves: list[Wave]
    held: Mapping[int, int]
    alarms: list[Alarm]
    canary: CanaryAlarm | None
    counts: Counts

    def late(self, now: datetime) -> timedelta | None:
        """Return how long the oldest notification has waited, where that is too long."""
        oldest = self.counts.oldest_open_delivery
        return now - oldest if oldest and now - oldest > _PATIENCE else None


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the figures at the top."""

    name: str
    kind: str
    amount: int
    change: str
    rate: float | None
    link: str | None
    spark: Markup


def routers(frame: Frame) -> list[APIRouter]:
    """Return the routes."""
    asked = frame.asked()

    @asked.get("/")
    async def overview(request: Request) -> Response:
        """Show it."""
        span = span_of(request, datetime.now(UTC))
        known = await frame.ask(lambda store: _ask(store, span))
        return frame.show(
            request,
            "overview.html",
            span=span,
            tiles=_tiles(known.days),
            chart=days_chart(known.days, f"Bounces and complaints by day, {span.first} to {span.last}"),
            days=lines(known.days)[::-1],
            anything=bool(failed(known.days.total.figures)),
            tops=[_top(by, name, known.tops[by]) for by, name in _TOPS],
            known=known,
            late=known.late(datetime.now(UTC)),
            asking=[wave for wave in known.waves if wave.state is WaveState.ASKING],
            mailboxes={name: state_of(box) for name, box in frame.health.mailboxes().items()},
            boxes=frame.health.mailboxes(),
            stuck=list(frame.health.stuck()),
        )

    return [asked]


def _ask(store: Store, span: Span) -> Known:
    waves = store.all_waves(unsettled=True)
    return Known(
        days=store.report(question(span, By.DAY, compare=True)),
        tops={by: store.report(question(span, by)) for by, _ in _TOPS},
        waves=waves,
        held=store.held_amounts([wave.id for wave in waves]),
        alarms=store.all_alarms(standing=True),
        canary=store.standing_canary_alarm(),
        counts=store.counts(),
    )


def _tiles(report: CountReport) -> list[Tile]:
    now, before = report.total.figures, report.total.before
    rates = {"hard": now.hard_rate, "soft": now.soft_rate, "complaints": now.complaint_rate}
    shown = (
        ("hard", "Hard bounces", "hard"),
        ("soft", "Soft bounces", "soft"),
        ("complaints", "Complaints", "complaint"),
        ("suppressed", "Newly suppressed", ""),
        ("released", "Released", ""),
    )
    return [
        Tile(
            name,
            kind,
            getattr(now, field),
            change(getattr(now, field), getattr(before, field) if before else None),
            rates.get(field),
            mails(report.query, None, category=kind) if kind else None,
            charts.spark([getattr(row.figures, field) for row in report.rows], kind or "plainbar", f"{name} by day"),
        )
        for field, name, kind in shown
    ]


def _top(by: By, name: str, report: CountReport) -> dict[str, object]:
    """Return the table of one kind: its rows, and how many more there are."""
    rows: list[Line] = lines(report, _ROWS)
    more = sum(1 for row in report.rows if failed(row.figures)) - len(rows)
    return {"by": by.value, "name": name, "lines": rows, "more": more}
