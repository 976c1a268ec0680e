"""How many mails were sent, from files of counts and from Postfix' log, for the rates in reports."""

import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final, cast
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError

from bounced.cli.ledger import ledger
from bounced.cli.options import ConfigOption
from bounced.cli.render import Format, progress
from bounced.model import SentCount

if TYPE_CHECKING:
    from bounced.config import Config
    from bounced.postfix_log import Tried
    from bounced.store import Mailed

#: Days of a log that are read: its mails are known again for longer.
_READ_DAYS: Final = 100
#: Characters of one line.
_LONGEST: Final = 20_000
_GZIP: Final = b"\x1f\x8b"


def postfix_log(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Also rotated and .gz; - for standard input.")],
    timezone: Annotated[str | None, typer.Option(metavar="ZONE", help="Of the log; else reports.timezone.")] = None,
    source: Annotated[str, typer.Option(metavar="NAME", help="Logs of one source are parts of it.")] = "postfix-log",
    config: ConfigOption = None,
) -> None:
    """Count the mails that Postfix tried to deliver to other hosts, by day and provider.

    Each mail to each recipient counts once, on the day of its first attempt, however often the log is read and however
    much it has grown since. Reports of Postfix' own do not count. Lines older than 100 days are left out.
    """
    from bounced.postfix_log import PostfixLog

    now = datetime.now(UTC)
    with ledger(config) as (settings, store), ExitStack() as opened:
        zone = _zone(timezone or settings.reports.zone)
        files = [opened.enter_context(_opened(path)) for path in sorted(paths, key=_age)]
        since = now.astimezone(zone).date() - timedelta(days=_READ_DAYS)
        tried = PostfixLog(zone, now).read(chain.from_iterable(map(lines_of, files)))
        mails = _mailed(progress(tried, Format.TABLE), settings, since)
        counted, met = store.count_mailed(mails, source)
    typer.echo(f"{counted} mail(s) counted, {met} attempt(s) read")
    if not met:
        typer.echo("no line tells of a delivery: want what Postfix logs, such as /var/log/mail.log", err=True)
    raise typer.Exit(0 if met else 1)


def counts_in(first: str, lines: IO[str], source: str, problems: list[str]) -> Iterator[SentCount] | None:
    """Return the counts of a file whose first line was read, CSV or JSON lines; None if it holds none.

    A line is added to `problems` for what is no count.
    """
    header = next(csv.reader([first]), [])
    if {"day", "sent"} <= set(header):
        return _from_csv(header, lines, source, problems)
    told = _object(first)
    return _from_json(first, lines, source, problems) if {"day", "sent"} <= set(told or ()) else None


def lines_of(file: IO[str]) -> Iterator[str]:
    """Yield the lines of a file, none longer than may be."""
    while line := file.readline(_LONGEST):
        yield line


def _from_csv(header: list[str], lines: IO[str], source: str, problems: list[str]) -> Iterator[SentCount]:
    rows = csv.DictReader(lines_of(lines), header)
    for row in rows:
        told: dict[str, Any] = {name: value for name, value in row.items() if value}
        if (sent := told.get("sent", "")).isdecimal():
            told["sent"] = int(sent)
        yield from _count(told, source, f"line {rows.line_num + 1}", problems)


def _from_json(first: str, lines: IO[str], source: str, problems: list[str]) -> Iterator[SentCount]:
    for number, line in enumerate(chain([first], lines_of(lines)), 1):
        if line.strip():
            yield from _count(_object(line), source, f"line {number}", problems)


def _object(line: str) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _count(told: dict[str, Any] | None, source: str, where: str, problems: list[str]) -> Iterator[SentCount]:
    from bounced.counting import Counting

    try:
        yield Counting.model_validate(told).count(source)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        problems.append(": ".join(filter(None, [where, ".".join(map(str, first["loc"])), first["msg"]])))


def _mailed(tried: Iterable["Tried"], settings: "Config", since: date) -> Iterator["Mailed"]:
    from bounced.daemon.wiring import rules
    from bounced.store import Mailed

    provider_of = lru_cache(100_000)(rules(settings).provider_of)
    for each in tried:
        if each.day >= since:
            domain = each.recipient.rpartition("@")[2]
            yield Mailed(each.names, each.day, provider_of(domain, each.relay))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError):
        raise typer.BadParameter(f"{name!r} is no time zone; want one such as Europe/Berlin") from None


def _age(path: Path) -> float:
    """Return what sorts rotated logs: the oldest first, so that a mail's first lines come before its last."""
    try:
        return path.stat().st_mtime
    except OSError:
        return float("inf")


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """Open a log, unpacked if need be; odd octets are shown as such."""
    try:
        file = nullcontext(sys.stdin.buffer) if str(path) == "-" else path.open("rb")
    except OSError as exc:
        raise typer.BadParameter(f"{path}: {exc.strerror}") from None
    with file as binary:
        buffered = io.BufferedReader(cast("io.FileIO", binary))
        octets = gzip.GzipFile(fileobj=buffered) if buffered.peek(2)[:2] == _GZIP else buffered
        with io.TextIOWrapper(octets, encoding="utf-8", errors="replace", newline="\n") as lines:
            try:
                yield lines
            except (EOFError, gzip.BadGzipFile, zlib.error) as exc:
                raise typer.BadParameter(f"{path}: is cut off or damaged: {exc}") from None
