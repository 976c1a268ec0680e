"""Dates in mails: RFC 5322, and what real systems write instead."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from functools import lru_cache


@lru_cache(maxsize=4096)
def when(value: str | None) -> datetime | None:
    """Return the time in UTC, or None where it cannot be read. A date without zone is taken as UTC."""
    parts = parsedate_tz(value[:200]) if value else None
    if parts is None:
        return None
    try:
        zone = timezone(timedelta(seconds=parts[9] or 0))
        return datetime(*parts[:6], tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError, TypeError):
        return None
