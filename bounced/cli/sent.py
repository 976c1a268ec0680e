"""`bounced sent`: records of mails that left, so that a report on one is tied to its recipient and its campaign."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer
from pydantic import ValidationError

from bounced.cli.ledger import address, ledger
from bounced.cli.options import ConfigOption, FormatOption
from bounced.cli.render import Format, show
from bounced.cli.sent_counts import counts_in, lines_of, postfix_log
from bounced.model import Sent, Tags

if TYPE_CHECKING:
    from bounced.store import Store

_COLUMNS = ("mails", "campaigns", "oldest")
#: Lines recorded at once; problems that are printed, the rest are counted.
_LINES, _SHOWN = 5_000, 20
#: Characters of one line.
_LONGEST = 20_000

app = typer.Typer(no_args_is_help=True, help="Record mails that you sent, or how many.")


@app.command()
def add(  # noqa: PLR0913  each parameter is an option of the command line
    recipient: Annotated[str, typer.Argument(metavar="RECIPIENT")],
    message_id: Annotated[str, typer.Option(metavar="ID")],
    campaign: Annotated[str | None, typer.Option(metavar="NAME")] = None,
    list_: Annotated[str | None, typer.Option("--list", metavar="NAME")] = None,
    category: Annotated[list[str] | None, typer.Option(metavar="NAME", help="May be given several times.")] = None,
    stream: Annotated[str | None, typer.Option(metavar="NAME")] = None,
    config: ConfigOption = None,
) -> None:
    """Record one mail, and print the id of its record."""
    from bounced.correlate import Recording

    told = {"recipient": address(recipient), "message_id": message_id, "campaign": campaign, "list": list_}
    try:
        mail = Recording.model_validate(told | {"categories": category or (), "stream": stream}).sent()
    except ValueError as exc:
        raise typer.BadParameter(_words(exc)) from None
    with ledger(config) as (_, store):
        record(store, [mail], datetime.now(UTC))
    typer.echo(mail.id)


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines, counts also as CSV; - for standard input.")],
    source: Annotated[str, typer.Option(metavar="NAME", help="Who counted, where these are counts.")] = "sender",
    config: ConfigOption = None,
) -> None:
    """Record many mails, one JSON object a line: recipient, message_id or id, campaign, list, categories, stream,
    sent_at, return_path. Or how many there were, for the rates in reports: day, sent, campaign, list, category,
    provider, as JSON lines or as CSV with a header; the last four may lack.

    What is recorded already is replaced. Exit status 1 if a line was no such object; the others are recorded.
    """
    problems: list[str] = []
    with ledger(config) as (_, store), _opened(path) as lines:
        first = lines.readline(_LONGEST)
        if (counts := counts_in(first, lines, source, problems)) is not None:
            recorded, what = store.put_sent_counts(counts), "count"
        elif first.strip() and not first.lstrip().startswith("{"):
            wanted = "JSON lines, or CSV whose first line names day and sent (and campaign, list, category, provider)"
            raise typer.BadParameter(f"{path}: want {wanted}", param_hint="FILE")
        else:
            recorded, what = _record_all(store, chain([first], lines_of(lines)), problems), "mail"
    for problem in problems[:_SHOWN]:
        typer.echo(problem, err=True)
    more = f", {len(problems)} line(s) not understood" if problems else ""
    typer.echo(f"{recorded} {what}(s) recorded{more}")
    raise typer.Exit(1 if problems else 0)


app.command("postfix-log")(postfix_log)


@app.command()
def status(fmt: FormatOption = Format.TABLE, config: ConfigOption = None) -> None:
    """Say how much is recorded, and since when."""
    with ledger(config) as (_, store):
        show([asdict(store.sent_counts())], fmt, _COLUMNS)


def record(store: "Store", mails: Iterable[Sent], now: datetime) -> int:
    """Record mails, with the marks that short tokens carry in place of their tags; return how many."""
    from bounced.correlate import clean_tags, mark_of

    told = [replace(mail, tags=clean_tags(mail.tags)) for mail in mails]
    campaigns = {mail.tags for mail in told if mail.tags != Tags()}
    return store.add_sent(told, {mark_of(tags): tags for tags in campaigns}, now)


def _record_all(store: "Store", lines: Iterable[str], problems: list[str]) -> int:
    mails, recorded, now = _mails(lines, problems), 0, datetime.now(UTC)
    while some := list(islice(mails, _LINES)):
        recorded += record(store, some, now)
    return recorded


def _mails(lines: Iterable[str], problems: list[str]) -> Iterator[Sent]:
    """Yield the mail of each line; add a line to `problems` for what is none."""
    from bounced.correlate import Recording

    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield Recording.model_validate_json(line).sent()
        except ValueError as exc:
            problems.append(f"line {number}: {_words(exc)}")


def _words(exc: ValueError) -> str:
    """Return what is wrong, without the value, which may be long."""
    if not isinstance(exc, ValidationError):
        return str(exc)
    first = exc.errors(include_url=False, include_input=False)[0]
    return ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]]))


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    if str(path) == "-":
        yield sys.stdin
        return
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            yield lines
    except OSError as exc:
        raise typer.BadParameter(f"{path}: {exc.strerror}") from None
