"""When a delivery that failed is tried again. Pure: chance is an argument."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_FIRST = 10.0
_FACTOR = 3.0
_LONGEST = 12 * 3600.0
_DAY = 86_400.0


def back_off(failures: int, chance: float) -> float:
    """Return the seconds to wait after so many failures: exponential with full jitter, 1 second to 12 hours.

    `chance` is a number from 0 to 1. Twelve attempts take about a day.
    """
    ceiling = min(_LONGEST, _FIRST * _FACTOR ** min(max(failures - 1, 0), 20))
    return max(1.0, chance * ceiling)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110 section 10.2.3), at most a day; None if none.

    Both forms, seconds and HTTP-date, are understood; a date that is over is 0; nonsense is None.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), _DAY)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max(0.0, (date - now).total_seconds()), _DAY)


def wait_for(failures: int, asked: float | None, chance: float) -> float:
    """Return the seconds to wait: what the receiver asked for, or the back-off where that is longer."""
    return math.ceil(max(asked or 0.0, back_off(failures, chance)))
