"""Postfix' log -> the mails that it tried to deliver to other hosts. Pure.

Lines as syslog writes them, with its own stamps (RFC 3164) or those of RFC 3339, or as Postfix does by itself.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_LINE: Final = re.compile(
    r"(?:(?P<iso>\d{4}-\d\d-\d\dT\S+)|(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>\d{1,2}) (?P<time>\d\d:\d\d:\d\d)\S*) "
    r"(?P<host>\S+) postfix[^\s\[/]*/(?:[^\s\[]*/)?(?P<service>[a-z]+)(?:\[\d+\])?: "
    r"(?P<id>[0-9A-Za-z]{6,30}): (?P<rest>.*)"
)
#: An odd local part stands in quotes; what a server said, at the end of the line, may look like anything.
_ADDRESS: Final = r'<((?:"(?:[^"\\]|\\.)*"|[^">])*)>'
_TO: Final = re.compile(rf"to={_ADDRESS}, (?:orig_to={_ADDRESS}, )?relay=([^,\[]+)[^,]*, .*?\bstatus=([A-Za-z-]+) ")
_FROM: Final = re.compile(rf"from={_ADDRESS}, size=")
_MESSAGE_ID: Final = re.compile(r"(?:resent-)?message-id=<?([^\s>]+)>?")
_MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_TRIED: Final = frozenset({"sent", "bounced", "deferred", "SOFTBOUNCE"})
#: Mails remembered that were not seen to leave the queue.
_MOST: Final = 500_000


@dataclass(frozen=True, slots=True)
class Tried:
    """A mail that was tried to be delivered to a recipient on a day of the reader's zone; again and again, perhaps.

    `names` tell it from others: Message-ID and recipient where the log has both, also where the mail went through
    several hosts or came back from a filter; else host, queue id and recipient.
    """

    names: tuple[str, ...]
    recipient: str
    relay: str | None
    day: date


@dataclass(slots=True)
class _Queued:
    message_id: str = ""
    null_sender: bool = False


class PostfixLog:
    """Reads lines in the order of time; one that is not Postfix', or not about a delivery, is passed over."""

    def __init__(self, zone: ZoneInfo, now: datetime) -> None:
        self._zone, self._now = zone, now.astimezone(zone).replace(tzinfo=None)
        self._queue: OrderedDict[tuple[str, str], _Queued] = OrderedDict()
        self._days: dict[str, date | None] = {}

    def read(self, lines: Iterable[str]) -> Iterator[Tried]:
        """Yield each attempt to deliver a mail that is no report of Postfix' own."""
        for line in lines:
            if found := _LINE.match(line):
                tried = self._look(found)
                if tried:
                    yield tried

    def _look(self, line: re.Match[str]) -> Tried | None:
        key, service, rest = (line["host"], line["id"]), line["service"], line["rest"]
        if service == "smtp":
            return self._tried(line, key, rest)
        if service == "cleanup" and (named := _MESSAGE_ID.match(rest)):
            self._queued(key).message_id = named[1]
        elif service == "qmgr" and (sender := _FROM.match(rest)):
            self._queued(key).null_sender = not sender[1]
        elif service == "qmgr" and rest.startswith("removed"):
            self._queue.pop(key, None)
        return None

    def _tried(self, line: re.Match[str], key: tuple[str, str], rest: str) -> Tried | None:
        attempt, day = _TO.match(rest), self._day(line)
        mail = self._queue.get(key) or _Queued()
        if attempt is None or attempt[4] not in _TRIED or mail.null_sender or day is None:
            return None
        recipient = attempt[1].lower()
        names = ["\0".join((*key, recipient))]
        if mail.message_id:
            names.append("\0".join((mail.message_id, recipient)))
        relay = None if attempt[3] == "none" else attempt[3].lower()
        return Tried(tuple(names), recipient, relay, day)

    def _queued(self, key: tuple[str, str]) -> _Queued:
        mail = self._queue.setdefault(key, _Queued())
        if len(self._queue) > _MOST:
            self._queue.popitem(last=False)
        return mail

    def _day(self, line: re.Match[str]) -> date | None:
        """Return the day of a line; None if it has none. A stamp without a year is of the last twelve months."""
        told = line["iso"] or f"{line['month']} {line['day']} {line['time'][:2]}"
        if told not in self._days:
            if len(self._days) > _MOST:
                self._days.clear()
            self._days[told] = self._from_iso(line["iso"]) if line["iso"] else self._from_syslog(line)
        return self._days[told]

    def _from_iso(self, stamp: str) -> date | None:
        try:
            at = datetime.fromisoformat(stamp)
        except ValueError:
            return None
        return (at.astimezone(self._zone) if at.tzinfo else at).date()

    def _from_syslog(self, line: re.Match[str]) -> date | None:
        if line["month"] not in _MONTHS:
            return None
        month, day, hour = _MONTHS.index(line["month"]) + 1, int(line["day"]), int(line["time"][:2])
        for year in (self._now.year + 1, *range(self._now.year, self._now.year - 8, -1)):
            try:
                at = datetime(year, month, day, hour)  # noqa: DTZ001  in the reader's zone, as the stamp is
            except ValueError:
                continue  # 29 February
            if at <= self._now + timedelta(days=1):
                return at.date()
        return None
