"""`bounced rules`: what is recognised, whether it holds, and what other rules would change."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from bounced.cli.classify import mails
from bounced.cli.options import ConfigOption, FormatOption, configuration_if_any
from bounced.cli.render import Format, Row, show
from bounced.errors import ConfigError
from bounced.model import Reason

app = typer.Typer(no_args_is_help=True, help="List, prove and compare the rules of recognition.")

_COLUMNS = ("id", "layer", "reason", "category", "fault", "file", "because")
_PROOF_COLUMNS = ("id", "file", "problem")
_DIFF_COLUMNS = ("file", "address", "before", "after", "rule_before", "rule_after")
_COMPARED = ("category", "reason", "fault")


@app.command("list")
def list_(
    reason: Annotated[Reason | None, typer.Option(help="Only rules for this reason.")] = None,
    fmt: FormatOption = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """List the rules in the order in which they are asked."""
    from bounced.daemon.wiring import rules

    known = rules(configuration_if_any(config)).rules
    show((_row(rule) for rule in known if reason in (None, rule.reason)), fmt, _COLUMNS)


@app.command()
def test(fmt: FormatOption = Format.TABLE, config: ConfigOption = None) -> None:
    """Run every example of every rule through the whole set: exit status 0 if all agree, else 1."""
    from bounced.daemon.wiring import rules

    proofs, wrong = [], list[Row]()
    try:
        proofs = list(rules(configuration_if_any(config)).proofs())
        wrong = [{"id": p.rule.id, "file": p.rule.file, "problem": p.problem} for p in proofs if p.problem]
    except ConfigError as exc:
        wrong = [{"id": None, "file": None, "problem": problem} for problem in exc.problems]
    if wrong or fmt is not Format.TABLE:
        show(wrong, fmt, _PROOF_COLUMNS)
    else:
        typer.echo(f"{len(proofs)} examples agree")
    raise typer.Exit(1 if wrong else 0)


@app.command()
def diff(
    other: Annotated[Path, typer.Argument(metavar="OTHER_RULES", help="A folder of rules to stand for the shipped.")],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Mails to try both on.")],
    fmt: FormatOption = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """Say what other rules would change for these mails: exit status 0 if nothing, else 1."""
    settings = configuration_if_any(config)
    if not other.is_dir():
        raise typer.BadParameter(f"{other}: want a folder of rule files")
    pairs = zip(mails(paths, settings), mails(paths, settings, shipped=other), strict=True)
    changes = [change for before, after in pairs for change in _changes(before, after)]
    show(changes, fmt, _DIFF_COLUMNS)
    raise typer.Exit(1 if changes else 0)


def _row(rule: Any) -> Row:
    return {
        "id": rule.id,
        "layer": rule.layer.name.lower(),
        "reason": rule.reason,
        "category": rule.category,
        "fault": rule.fault,
        "file": rule.file,
        "local": rule.local,
        "because": rule.because,
    }


def _changes(before: Row, after: Row) -> Iterator[Row]:
    """Yield the recipients of one mail whose verdict differs; both sides name the same ones, in the same order."""
    was, will = before["recipients"], after["recipients"]
    assert isinstance(was, list) and isinstance(will, list)  # noqa: S101  both come from mail_result
    for old, new in zip(was, will, strict=True):
        if any(old[key] != new[key] for key in _COMPARED):
            yield {
                "file": before["file"],
                "address": old["address"],
                "before": _words(old),
                "after": _words(new),
                "rule_before": old["rule"],
                "rule_after": new["rule"],
            }


def _words(recipient: Row) -> str:
    return "/".join(str(recipient[key] or "-") for key in _COMPARED)
