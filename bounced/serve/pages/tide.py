"""The chart of a wave: refusals by the hour, those of the wave apart, as SVG. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import count
from math import ceil
from typing import Final

from markupsafe import Markup

from bounced.serve.pages.charts import scale, short

_WIDE, _HIGH, _LEFT, _BELOW, _ABOVE = 960, 220, 44, 24, 10
#: Labels below the axis, at most.
_LABELS: Final = 8
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Hours:
    """Addresses refused in some hours from `at` on; `inside`: while the wave was open."""

    at: datetime
    amount: int
    inside: bool


def tide_chart(hours: Sequence[Hours], ceiling: float | None, title: str, zone: tzinfo) -> Markup:
    """Return a bar for each step of time, and the line above which it was too much, where that is known."""
    top, step = scale(max([hour.amount for hour in hours] + [ceil(ceiling or 0)], default=0))
    mark = f"tide{next(_numbers)}"
    parts = [*_lines(top, step), *_bars(hours, top, zone), *_ceiling(ceiling, top), *_labels(hours, zone)]
    return Markup(
        '<svg class="chart tide" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-t {}-d">'
        '<title id="{}-t">{}</title><desc id="{}-d">{}</desc>{}</svg>'
    ).format(_WIDE, _HIGH, mark, mark, mark, title, mark, _told(hours, zone), Markup().join(parts))


def _lines(top: float, step: float) -> list[Markup]:
    lines = []
    for number in range(round(top / step) + 1):
        y = _y(number * step, top)
        kind = "rule" if number else "ground"
        lines.append(
            Markup(
                '<line class="{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
                '<text x="{}" y="{:.1f}" text-anchor="end">{}</text>'
            ).format(kind, _LEFT, _WIDE, y, y, _LEFT - 8, y + 4, short(number * step))
        )
    return lines


def _bars(hours: Sequence[Hours], top: float, zone: tzinfo) -> list[Markup]:
    width = (_WIDE - _LEFT) / max(1, len(hours))
    bars = []
    for number, hour in enumerate(hours):
        if hour.amount:
            y = _y(hour.amount, top)
            bars.append(
                Markup(
                    '<rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"><title>{}</title></rect>'
                ).format(
                    "hard" if hour.inside else "calm",
                    _LEFT + number * width + width * 0.1,
                    y,
                    max(width * 0.8, 0.8),
                    _HIGH - _BELOW - y,
                    f"{_when(hour.at, zone)}: {hour.amount:,}",
                )
            )
    return bars


def _ceiling(ceiling: float | None, top: float) -> list[Markup]:
    if not ceiling:
        return []
    y = _y(ceiling, top)
    words = f"usual at most: {ceiling:,.0f}"
    return [
        Markup('<line class="limit" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/><text x="{}" y="{:.1f}">{}</text>').format(
            _LEFT, _WIDE, y, y, _LEFT + 4, y - 5, words
        )
    ]


def _labels(hours: Sequence[Hours], zone: tzinfo) -> list[Markup]:
    width = (_WIDE - _LEFT) / max(1, len(hours))
    every = max(1, ceil(len(hours) / _LABELS))
    return [
        Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            min(max(_LEFT + (number + 0.5) * width, _LEFT + 22), _WIDE - 40), _HIGH - 6, _when(hours[number].at, zone)
        )
        for number in range(0, len(hours), every)
    ]


def _told(hours: Sequence[Hours], zone: tzinfo) -> str:
    """Return in words what the chart shows."""
    inside = sum(hour.amount for hour in hours if hour.inside)
    most = max(hours, key=lambda hour: hour.amount, default=None)
    if most is None or not most.amount:
        return "No refusal is counted in this time."
    return f"{inside:,} refusals within the wave. Most at {_when(most.at, zone)}: {most.amount:,}. A table follows."


def _when(at: datetime, zone: tzinfo) -> str:
    there = at.astimezone(zone)
    return f"{there.day} {there:%b %H:%M}"


def _y(amount: float, top: float) -> float:
    return _ABOVE + (_HIGH - _ABOVE - _BELOW) * (1 - amount / top)
