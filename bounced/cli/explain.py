"""`bounced explain`: the story of a mail, an event or an address, told to a person."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from bounced.address import known_as
from bounced.cli import story
from bounced.cli.judging import judged
from bounced.cli.options import ConfigOption, configuration_if_any
from bounced.cli.render import cell
from bounced.cli.telling import told, words
from bounced.config import Config
from bounced.model import Identity, Judged, Verdict
from bounced.pipeline import Failure, Judgement
from bounced.recording import disposition_of


def explain(
    what: Annotated[str, typer.Argument(metavar="FILE|EVENT|ADDRESS", help="Mails (- for stdin), ev_…, or a@b.")],
    raw: Annotated[bool, typer.Option("--raw", help="Of an event: also the report, as far as it was kept.")] = False,
    config: ConfigOption = None,
) -> None:
    """Tell why a mail, an event or an address was taken for what it was."""
    if what == "-" or Path(what).exists():
        lines = _files(Path(what), configuration_if_any(config))
    elif what.startswith("ev_"):
        lines = story.of_event(what, raw, config)
    elif normal := known_as(what):
        lines = story.of_address(normal, config)
    else:
        raise typer.BadParameter(f"{what!r} is no file, no event (ev_…) and no address")
    for line in lines:
        typer.echo(line)


def _files(path: Path, settings: Config) -> Iterator[str]:
    from bounced.daemon.wiring import messages

    for name, judgement in judged(messages([path], settings.limits.message_bytes), settings):
        yield cell(name)
        yield from _judgement(judgement)


def _judgement(judgement: Judgement) -> Iterator[str]:
    if isinstance(judgement, Failure):
        yield f"  cannot be read: {cell(judgement.why)}"
        return
    report = judgement.report
    subtype = f" ({report.subtype})" if report.subtype else ""
    yield from told(
        "  ",
        ("kind", f"{report.kind}{subtype}"),
        ("read by", report.reader),
        ("subject", report.envelope.subject),
        ("from", report.envelope.from_),
        ("reported by", report.reporting_mta),
        ("feedback", report.feedback.feedback_type if report.feedback else None),
        ("notes", report.notes),
        ("filed under", disposition_of(judgement)),
    )
    for verdict, identity in judgement.verdicts:
        yield from _verdict(judgement, verdict, identity)


def _verdict(judged: Judged, verdict: Verdict, identity: Identity) -> Iterator[str]:
    finding = verdict.finding
    yield f"  {cell(identity.recipient or finding.recipient) or 'a recipient that is not named'}"
    yield from told(
        "    ",
        ("verdict", words(verdict.category, verdict.reason, verdict.fault)),
        ("rule", verdict.rule),
        ("matched", verdict.matched),
        ("rested on", ", ".join(verdict.basis)),
        ("against it", "; ".join(verdict.disagreed)),
        ("status", verdict.status),
        ("reply code", verdict.reply_code),
        ("action", finding.action),
        ("remote host", finding.remote_mta),
        ("provider", verdict.provider),
        ("diagnostic", finding.diagnostic or finding.text),
        ("failed behind", identity.final_recipient),
        ("named by", identity.source),
        ("trust", f"{identity.trust}: {identity.why}"),
        ("message id", identity.message_id),
        ("campaign", identity.tags.campaign),
        ("list", identity.tags.list),
        ("categories", identity.tags.categories),
    )
