"""`bounced verp`: sign return paths, and say what a return path means, ours or another program's."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bounced.cli.ledger import address, ledger
from bounced.cli.options import ConfigOption, configuration, configuration_if_any
from bounced.cli.render import Format, Row, cell, show
from bounced.model import Sent, Tags

if TYPE_CHECKING:
    from bounced.correlate import Checked, Inspected, Mail, Purpose, Stamp
    from bounced.return_paths import ReturnPaths

app = typer.Typer(no_args_is_help=True, help="Sign return paths, and read them again.")

#: Fields as a listing shows them; JSON has them all.
_SIGNED = ("recipient", "return_path", "envid")
_DECODED = (
    "shape",
    "good",
    "verified",
    "flaw",
    "purpose",
    "recipient",
    "campaign",
    "list",
    "categories",
    "expires",
    "detail",
)

_LOST = (
    "warning: the tags do not fit into the return path, which names them by a mark that nothing explains: a report to "
    "it alone comes without them; list them together in correlation.signing.campaigns, or sign with --record"
)

FormatOption = Annotated[Format | None, typer.Option("--format", "-f", help="Instead of plain lines.")]


@app.command()
def sign(  # noqa: PLR0913  each parameter is an option of the command line
    recipient: Annotated[str, typer.Argument(metavar="RECIPIENT")],
    campaign: Annotated[str | None, typer.Option(metavar="NAME")] = None,
    list_: Annotated[str | None, typer.Option("--list", metavar="NAME")] = None,
    category: Annotated[list[str] | None, typer.Option(metavar="NAME", help="May be given several times.")] = None,
    stream: Annotated[str | None, typer.Option(metavar="NAME")] = None,
    message_id: Annotated[str | None, typer.Option(metavar="ID", help="Tells it from another mail that day.")] = None,
    purpose: Annotated[
        Literal["bounce", "unsub", "fbl"], typer.Option(help="What reports to the address may be about.")
    ] = "bounce",
    headers: Annotated[bool, typer.Option("--headers", help="Print the headers to set on the mail too.")] = False,
    recorded: Annotated[
        bool, typer.Option("--record", help="Let the return path name a record in the database.")
    ] = False,
    fmt: FormatOption = None,
    config: ConfigOption = None,
) -> None:
    """Print the return path for one mail to RECIPIENT; with --headers, everything that may carry the reference."""
    from bounced.correlate import Mail, Purpose
    from bounced.return_paths import ReturnPaths

    if headers and purpose != "bounce":
        raise typer.BadParameter("the headers carry every purpose: leave out --purpose")
    paths = ReturnPaths(configuration(config).correlation.signing)
    mail = Mail(address(recipient), Tags(campaign, list_, tuple(category or ()), stream), message_id)
    try:
        made = paths.stamp(mail) if headers else None
        path = made.return_path if made else paths.sign(mail, Purpose(purpose))
        if recorded:
            told = made.headers.get("Message-ID", message_id) if made else message_id
            path = _record(paths, replace(mail, message_id=told), Purpose(purpose), config)
            made = made and replace(made, return_path=path)
    except ValueError as exc:
        raise typer.BadParameter(str(exc)) from None
    if not paths.carries_tags(path):
        typer.echo(_LOST, err=True)
    if fmt:
        row: Row = {"recipient": mail.recipient, "return_path": path, "purpose": purpose}
        _show(row, made, fmt)
    else:
        typer.echo("\n".join(_lines(made)) if made else path)


@app.command()
def decode(
    spelt: Annotated[str, typer.Argument(metavar="ADDRESS_OR_TOKEN")],
    recipient: Annotated[
        str | None, typer.Option("--for", metavar="ADDRESS", help="Ask whether it was made for this one.")
    ] = None,
    fmt: FormatOption = None,
    config: ConfigOption = None,
) -> None:
    """Say what a return path, a header value or a token means: ours, Postfix, ezmlm, Mailman, Sympa, BATV, SRS.

    Exit status 0 if it is a token of ours that is good (for ADDRESS), or another program's shape; else 1.
    """
    from bounced.correlate import Signer
    from bounced.correlate import decode as decoded

    asked = address(recipient) if recipient else None
    signing = configuration_if_any(config).correlation.signing
    signer = Signer(signing) if signing.keys else None
    found = decoded(spelt, signer, datetime.now(UTC))
    row = _row(found, asked)
    if fmt:
        show([row], fmt, _DECODED)
    else:
        typer.echo("\n".join(_sentence(row)))
    raise typer.Exit(1 if row["good"] is False else 0)


def _record(paths: "ReturnPaths", mail: "Mail", purpose: "Purpose", config: Path | None) -> str:
    """Record the mail and return the return path that names the record. Raises ValueError, StoreDown."""
    from bounced.cli.sent import record
    from bounced.correlate import clean_message_id, record_id

    now, id_ = datetime.now(UTC), record_id()
    path = paths.by_reference(id_, purpose)
    with ledger(config) as (_, store):
        record(store, [Sent(id_, mail.recipient, clean_message_id(mail.message_id), mail.tags, now, path)], now)
    return path


def _show(row: Row, made: "Stamp | None", fmt: Format) -> None:
    """Print what was signed; a table or CSV has a column for each header, JSON an object of them."""
    if made is None:
        show([row], fmt, _SIGNED)
    elif fmt in (Format.JSON, Format.JSONL):
        show([{**row, "envid": made.envid, "headers": made.headers}], fmt, ())
    else:
        show([{**row, "envid": made.envid, **made.headers}], fmt, (*_SIGNED, *made.headers))


def _lines(made: "Stamp") -> Iterator[str]:
    """Yield the parts of a stamp as header lines; Return-Path stands for the envelope sender."""
    yield f"Return-Path: <{made.return_path}>"
    for name, value in made.headers.items():
        yield f"{name}: {value}"


def _row(found: "Inspected", asked: str | None) -> dict[str, object]:
    """Return all that is known; `good` says whether it counts, for `asked` if somebody is asked about.

    Nobody here can verify another program's shape: its `good` is None, or False if it is not for `asked`.
    """
    if found.ours:
        return _row_of_ours(found.ours, found.purpose and found.purpose.value, asked)
    other = found.foreign
    if other is None:
        return {"shape": None, "good": False, "flaw": "no shape that is known"}
    wrong = asked is not None and other.recipient != asked
    return {
        "shape": other.shape,
        "good": False if wrong else None,
        "flaw": "it names another recipient, or none" if wrong else None,
        "verified": "not verified: another program's, that anybody can write",
        "recipient": other.recipient,
        "sender": other.sender,
        "detail": other.detail,
    }


def _row_of_ours(checked: "Checked", purpose: str | None, asked: str | None) -> dict[str, object]:
    content = checked.content
    wrong = asked is not None and checked.good and not checked.speaks_for(asked)
    row: dict[str, object] = {
        "shape": "bounced",
        "good": checked.good and not wrong,
        "flaw": "it was made for another recipient" if wrong else checked.flaw and checked.flaw.value,
        "purpose": purpose,
        "key": checked.key.id if checked.key else None,
    }
    if content is None:
        return row
    tags = content.tags or Tags()
    known = asked if asked and checked.speaks_for(asked) else None
    return row | {
        "recipient": content.recipient or known,
        "campaign": tags.campaign,
        "list": tags.list,
        "categories": tags.categories,
        "stream": tags.stream,
        "expires": content.expires.isoformat(),
        "record": content.reference,
    }


def _sentence(row: Row) -> Iterator[str]:
    """Yield one line a field that is known."""
    for name, value in row.items():
        text = {True: "yes", False: "no"}.get(value) if isinstance(value, bool) else cell(value)
        if text:
            yield f"{name + ':':<12}{text}"
