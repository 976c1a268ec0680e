"""Charts as SVG: stacked bars by day and bars by name, drawn with classes and attributes alone. Pure.

Each has a title and a description for who does not see it; the template puts the table of its figures behind it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from math import ceil, log10
from typing import Final

from markupsafe import Markup

#: The categories from the ground up, as everywhere.
STACK: Final = ("hard", "soft", "complaint")
_LEFT, _BELOW, _ABOVE = 44, 24, 8
_STEPS: Final = (1, 2, 2.5, 5, 10)
_SPARK_WIDE, _SPARK_HIGH = 120, 28

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Sheet:
    """How large a chart of days is drawn, and how many labels fit below it. Style shows the one that fits."""

    kind: str
    width: int
    height: int
    labels: int

    def y(self, amount: float, top: float) -> float:
        """Return how far down an amount lies where `top` is the most."""
        return _ABOVE + (self.height - _ABOVE - _BELOW) * (1 - amount / top)

    def is_dense(self, days: Sequence[object]) -> bool:
        """True if there are so many days that no gap fits between two."""
        return len(days) * 8 > self.width


_SHEETS: Final = (Sheet("wide", 960, 240, 9), Sheet("slim", 360, 210, 4))


@dataclass(frozen=True, slots=True)
class Day:
    """What is drawn for one day; `amounts` in the order of STACK."""

    day: date
    amounts: tuple[int, int, int]


def days_chart(days: Sequence[Day], title: str) -> Markup:
    """Return stacked bars, one a day. It is a picture: links to the days are in the table behind."""
    top, step = scale(max((sum(day.amounts) for day in days), default=0))
    return Markup().join(
        _svg(
            (sheet.width, sheet.height),
            title,
            _told(days),
            [*_rules(sheet, top, step), *_bars(sheet, days, top), *_ground(sheet, [day.day for day in days])],
            f"days {sheet.kind}" + (" dense" if sheet.is_dense(days) else ""),
        )
        for sheet in _SHEETS
    )


def spark(values: Sequence[int], kind: str, title: str) -> Markup:
    """Return a small bar a value, for beside a figure."""
    most, width = max(values, default=0) or 1, _SPARK_WIDE / max(1, len(values))
    bars = [
        _rect(
            kind, number * width, _SPARK_HIGH * (1 - value / most), max(width * 0.75, 0.8), _SPARK_HIGH * value / most
        )
        for number, value in enumerate(values)
        if value
    ]
    told = f"{len(values)} days, {max(values, default=0):,} at most"
    return _svg((_SPARK_WIDE, _SPARK_HIGH), title, told, bars, "spark")


def bar(parts: Sequence[tuple[str, int]], most: int) -> Markup:
    """Return one bar of parts, each with its kind, as long as its sum is of `most`. It says no more than its row."""
    x, rects = 0.0, []
    for kind, amount in parts:
        width = 100 * amount / most if most else 0.0
        if width:
            rects.append(_rect(kind, x, 0, max(width, 0.6), 10))
        x += width
    drawn = Markup().join(rects)
    return Markup(
        '<svg class="chart across" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
    ).format(drawn)


def scale(most: float) -> tuple[float, float]:
    """Return where an axis ends and how far apart its lines are: round numbers, four or five of them."""
    if most <= 4:
        return 4.0, 1.0
    rough = most / 4
    size = 10 ** int(log10(rough))
    step = next(size * times for times in _STEPS if size * times >= rough)
    if step < 10:
        step = ceil(step)
    return step * ceil(most / step), step


def _rules(sheet: Sheet, top: float, step: float) -> Iterator[Markup]:
    """Yield the lines behind the bars, each with its number."""
    for number in range(round(top / step) + 1):
        y = sheet.y(number * step, top)
        yield _line("rule", sheet, y)
        yield Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(
            _LEFT - 8, _n(y + 4), short(number * step)
        )


def _bars(sheet: Sheet, days: Sequence[Day], top: float) -> Iterator[Markup]:
    width = (sheet.width - _LEFT) / max(1, len(days))
    broad = width * (1 if sheet.is_dense(days) else 0.76)
    for number, day in enumerate(days):
        x, ground = _LEFT + number * width + (width - broad) / 2, 0.0
        rects = []
        for kind, amount in zip(STACK, day.amounts, strict=True):
            if amount:
                high = sheet.y(ground, top) - sheet.y(ground + amount, top)
                rects.append(_rect(kind, x, sheet.y(ground + amount, top), broad, high))
                ground += amount
        if rects:
            whole = _rect("column", _LEFT + number * width, _ABOVE, width, sheet.height - _ABOVE - _BELOW)
            yield Markup("<g><title>{}</title>{}{}</g>").format(_words(day), whole, Markup().join(rects))


def _ground(sheet: Sheet, days: Sequence[date]) -> Iterator[Markup]:
    """Yield the axis below the bars, with some of its days."""
    yield _line("ground", sheet, sheet.y(0, 1))
    every = max(1, ceil(len(days) / sheet.labels))
    width = (sheet.width - _LEFT) / max(1, len(days))
    for number in range(0, len(days), every):
        day = days[number]
        x = _LEFT + (number + 0.5) * width
        yield Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(
            _n(min(max(x, _LEFT + 14), sheet.width - 18)), sheet.height - 6, f"{day.day} {day:%b}"
        )


def _told(days: Sequence[Day]) -> str:
    """Return in words what a chart of days shows."""
    if not any(sum(day.amounts) for day in days):
        return "Nothing on any day."
    sums = [sum(day.amounts[number] for day in days) for number in range(len(STACK))]
    worst = max(days, key=lambda day: sum(day.amounts))
    told = ", ".join(f"{amount:,} {kind}" for kind, amount in zip(STACK, sums, strict=True))
    return f"{len(days)} days: {told}. Most on {worst.day:%d %B %Y}: {sum(worst.amounts):,}. A table follows."


def _words(day: Day) -> str:
    amounts = ", ".join(f"{amount:,} {kind}" for kind, amount in zip(STACK, day.amounts, strict=True))
    return f"{day.day:%A}, {day.day.day} {day.day:%B}: {amounts}"


def _svg(size: tuple[int, int], title: str, told: str, parts: Sequence[Markup], kind: str) -> Markup:
    mark = f"chart{next(_numbers)}"
    return Markup(
        '<svg class="chart {}" viewBox="0 0 {} {}" preserveAspectRatio="{}" role="img" aria-labelledby="{}-t {}-d">'
        '<title id="{}-t">{}</title><desc id="{}-d">{}</desc>{}</svg>'
    ).format(
        kind,
        *size,
        "none" if kind == "spark" else "xMidYMid",
        mark,
        mark,
        mark,
        title,
        mark,
        told,
        Markup().join(parts),
    )


def _line(kind: str, sheet: Sheet, y: float) -> Markup:
    return Markup('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(kind, _LEFT, sheet.width, _n(y), _n(y))


def _rect(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
        kind, _n(x), _n(y), _n(width), _n(height)
    )


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def short(value: float) -> str:
    """Return a number in few letters: 950, 1.2k, 3M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:.1f}".removesuffix(".0") + letter
    return f"{value:g}"
