"""The viewer's zone, and the range of time that a view is about."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from fastapi import Request

from bounced.serve.problems import invalid

ZONE_COOKIE: Final = "bounced_zone"
_DAYS: Final = 30
#: No range is longer: ten years of days are as many as one can look at.
_MOST_DAYS: Final = 3_660


@dataclass(frozen=True, slots=True)
class Span:
    """A range: from `since` on, until before `until`; and the days in the viewer's zone that it was given by."""

    since: datetime
    until: datetime
    zone: tzinfo

    @property
    def first(self) -> date:
        """Its first day there."""
        return self.since.astimezone(self.zone).date()

    @property
    def last(self) -> date:
        """Its last day there."""
        return (self.until - timedelta(microseconds=1)).astimezone(self.zone).date()

    @property
    def days(self) -> list[date]:
        """Its days, oldest first."""
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    @property
    def before(self) -> "Span":
        """As many days, just before."""
        start = datetime.combine(self.first - timedelta(days=len(self.days)), time(), self.zone)
        return Span(start.astimezone(UTC), self.since, self.zone)

    @property
    def query(self) -> dict[str, str]:
        """What names it in a link."""
        return {"since": self.first.isoformat(), "until": self.last.isoformat()}


def zone_of(request: Request) -> tzinfo:
    """Return the zone that the viewer, or the browser, chose; else that of reports, or UTC where it is not known."""
    for name in (request.cookies.get(ZONE_COOKIE, ""), getattr(request.state, "zone", "")):
        if name in zones():
            return ZoneInfo(name)
    return UTC


def zone_name(zone: tzinfo) -> str:
    """Return the name by which a zone is chosen."""
    return zone.key if isinstance(zone, ZoneInfo) else "UTC"


def zones() -> set[str]:
    """Return the zones that can be chosen: places, and UTC."""
    return _ZONES or _read_zones()


def _read_zones() -> set[str]:
    _ZONES.update(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    _ZONES.add("UTC")
    return _ZONES


_ZONES: set[str] = set()


def span_of(request: Request, now: datetime, days: int = _DAYS) -> Span:
    """Return the range that the query asks for by `since` and `until`: each a day of the viewer's, the last one
    included, or a time (RFC 3339), the end not included. Without them, the last `days` days. Raises Problem 422."""
    zone = zone_of(request)
    today = now.astimezone(zone).date()
    given = request.query_params
    end = _end(given.get("until"), zone) or _midnight(today + timedelta(days=1), zone)
    before = (end - timedelta(microseconds=1)).astimezone(zone).date()
    start = _start(given.get("since"), zone) or _midnight(before - timedelta(days=days - 1), zone)
    if start >= end:
        raise invalid("query.until", "lies before the beginning of the range")
    if end - start > timedelta(days=_MOST_DAYS):
        raise invalid("query.since", f"the range is longer than {_MOST_DAYS} days")
    return Span(start, end, zone)


def _start(text: str | None, zone: tzinfo) -> datetime | None:
    found = _given(text, "query.since")
    return _midnight(found, zone) if isinstance(found, date) and not isinstance(found, datetime) else found


def _end(text: str | None, zone: tzinfo) -> datetime | None:
    found = _given(text, "query.until")
    if isinstance(found, date) and not isinstance(found, datetime):
        return _midnight(found + timedelta(days=1), zone)
    return found


def _given(text: str | None, at: str) -> date | datetime | None:
    """Return the day or the time that a text names; None for no text. Raises Problem 422."""
    if not text:
        return None
    try:
        found = date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        raise invalid(at, "want a day (2026-11-21) or a time (2026-11-21T12:00:00Z)") from None
    if not 1990 <= found.year <= 2200:
        raise invalid(at, "want a year from 1990 to 2200")
    if isinstance(found, datetime) and found.tzinfo is None:
        raise invalid(at, "want a time with its zone, as in 2026-11-21T12:00:00Z")
    return found


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
