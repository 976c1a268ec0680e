"""How values look on a page: strangers' text with nothing hidden in it, numbers, times, links. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from math import floor, log10
from typing import Final
from urllib.parse import quote, urlencode

from markupsafe import Markup, escape

#: Control characters but tab and line break, what turns the direction of text, what cannot be seen, tags, half pairs.
_HIDDEN: Final = re.compile(
    "\r(?!\n)|"
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def visible(text: str) -> str:
    """Return the text with each character that hides or turns something written out, as a terminal would: \\u202e."""
    return _HIDDEN.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)


def finalised(value: object) -> object:
    """Return what a template prints for a value: every text of ours or a stranger's passes here."""
    if isinstance(value, Markup):
        return value
    if value is None:
        return ""
    return visible(value) if isinstance(value, str) else value


def stranger(text: str | None, empty: str = "–") -> Markup:
    """Return a stranger's text for a running line: isolated, so that its direction reaches nothing beside it."""
    if not text:
        return Markup('<span class="none">{}</span>').format(empty)
    return Markup('<bdi class="stranger">{}</bdi>').format(visible(text))


def number(value: float | None, digits: int = 0) -> str:
    """Return a number with its thousands apart; a dash for none."""
    return "–" if value is None else f"{value:,.{digits}f}"


def rate(part: float | None) -> str:
    """Return a part of one as per cent, with the digits that tell: 12.5 %, 0.31 %, 0.0042 %; a dash for none."""
    if part is None:
        return "–"
    digits = 1 if part >= 0.1 or not part else 2 if part >= 0.001 else 1 - floor(log10(part * 100))
    return f"{100 * part:.{digits}f} %"


def moment(at: datetime | None, zone: tzinfo = UTC) -> Markup:
    """Return a time for people in their zone and for programs in UTC."""
    if at is None:
        return Markup('<span class="none">–</span>')
    there = at.astimezone(zone)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        f"{there:%A, %d %B %Y, %H:%M:%S} {zone_words(there)}",
        f"{there.day} {there:%b %Y, %H:%M}",
    )


def day(text: str) -> str:
    """Return a day (ISO 8601) with its weekday: Sat 21 Nov 2026."""
    found = date.fromisoformat(text)
    return f"{found:%a} {found.day} {found:%b %Y}"


def zone_words(there: datetime) -> str:
    """Return the zone of a time as people say it: CET, or UTC+05:30 where it has no name."""
    name = there.tzname() or "UTC"
    return name if name[:1].isalpha() else f"UTC{name}"


def span(seconds: float | None) -> str:
    """Return a length of time in its two largest units."""
    if seconds is None:
        return "–"
    left, parts = max(0, round(seconds)), []
    for unit, size in _UNITS:
        if left >= size:
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(parts[:2]) or "0 s"


def ago(at: datetime | None, now: datetime) -> str:
    """Return how long ago it was."""
    return "never" if at is None else f"{span((now - at) / timedelta(seconds=1))} ago"


def link(path: str, **query: object) -> str:
    """Return a link within the page; what is None or empty is left out of the query."""
    given = [(name, str(value)) for name, value in query.items() if value not in (None, "", ())]
    return f"{path}?{urlencode(given)}" if given else path


def segment(text: str) -> str:
    """Return a text as one segment of a path."""
    return quote(text, safe="")


def replaced(path: str, query: Mapping[str, str], **changes: object) -> str:
    """Return a link to this view with parts of its query exchanged."""
    return link(path, **{**query, **changes})


def words(name: object) -> str:
    """Return a word of ours as people read it: mailbox full."""
    return str(name).replace("_", " ")


def marked(text: str, found: str | None) -> Markup:
    """Return a stranger's text with the first place of `found` marked."""
    if not found or (at := text.find(found)) < 0:
        return stranger(text)
    parts = (visible(part) for part in (text[:at], found, text[at + len(found) :]))
    return Markup('<bdi class="stranger">{}<mark>{}</mark>{}</bdi>').format(*map(escape, parts))
