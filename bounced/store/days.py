"""Days of a time zone as quarters of an hour since 1970 (UTC): every zone of today begins its days with one."""

from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from bounced.model import days_between

#: Seconds of a slot, slots of a day of 24 hours, and days of a block.
SECONDS: Final = 900
DAY: Final = 96
BLOCK: Final = 32
_EPOCH: Final = date(1970, 1, 1)


def slot_of(at: datetime) -> int:
    """Return the slot that a time lies in."""
    return int(at.timestamp() // SECONDS)


def time_of(slot: int) -> datetime:
    """Return when a slot begins."""
    return datetime.fromtimestamp(slot * SECONDS, UTC)


def begin_of(day: date, zone: ZoneInfo) -> int:
    """Return the first slot of a day; where clocks skip its midnight, the one after that."""
    return slot_of(datetime.combine(day, time(), zone))


def offsets(first: date, last: date, zone: ZoneInfo) -> list[tuple[int, int]]:
    """Return from which slot on local time is how many slots ahead of UTC, in order, for these days."""
    begins = [begin_of(day, zone) for day in (*days_between(first, last), date.fromordinal(last.toordinal() + 1))]
    found = [(begins[0], _ahead(begins[0], zone))]
    for begin, end in pairwise(begins):
        if _ahead(end, zone) != found[-1][1]:
            changed = next(slot for slot in range(begin, end + 1) if _ahead(slot, zone) != found[-1][1])
            found.append((changed, _ahead(changed, zone)))
    return found


def date_of(number: int) -> date:
    """Return the day of that number, counted since 1970."""
    return date.fromordinal(_EPOCH.toordinal() + number)


def number_of(day: date) -> int:
    """Return how many days a day is after 1970 began."""
    return day.toordinal() - _EPOCH.toordinal()


def _ahead(slot: int, zone: ZoneInfo) -> int:
    offset = time_of(slot).astimezone(zone).utcoffset()
    return round(offset.total_seconds() / SECONDS) if offset else 0
