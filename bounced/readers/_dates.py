"""Dates in mails: RFC 5322, and what real systems write instead."""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from functools import lru_cache

_USUAL = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"
    r"(?: \([^()]{0,40}\))?"
)
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: at for at, name in enumerate(_NAMES, start=1)}


@lru_cache(maxsize=4096)
def when(value: str | None) -> datetime | None:
    """Return the time in UTC, or None where it cannot be read. A date without zone is taken as UTC."""
    if not value:
        return None
    try:
        usual = _USUAL.fullmatch(value)
        return _fast(usual) if usual else _slow(value)
    except (ValueError, OverflowError, TypeError, KeyError):
        return None


def _fast(match: re.Match[str]) -> datetime:
    day, month, year, hour, minute, second, sign, off_hours, off_minutes = match.groups()
    offset = timedelta(hours=int(off_hours), minutes=int(off_minutes))
    local = datetime(int(year), _MONTHS[month], int(day), int(hour), int(minute), min(int(second), 59), tzinfo=UTC)
    return local - offset if sign == "+" else local + offset


def _slow(value: str) -> datetime | None:
    parts = parsedate_tz(value[:200])
    if parts is None:
        return None
    zone = timezone(timedelta(seconds=parts[9] or 0))
    return datetime(*parts[:6], tzinfo=zone).astimezone(UTC)
