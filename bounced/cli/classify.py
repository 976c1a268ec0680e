"""`bounced classify`: what mails, or single SMTP replies, say; one result for each, whatever it holds."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from bounced.cli.options import ConfigOption, FormatOption, configuration_if_any
from bounced.cli.render import Format, progress, show
from bounced.config import Config
from bounced.errors import ConfigError
from bounced.model import Finding, Identity, Judged, Trust, Verdict
from bounced.pipeline import Failure, Judgement, judge_one

_MAIL_COLUMNS = ("file", "kind", "reader", "address", "category", "reason", "fault", "status", "rule", "error")
_REPLY_COLUMNS = ("id", "category", "reason", "fault", "status", "reply_code", "rule", "error")
_WEAKEST_FIRST = (Trust.CLAIMED, Trust.MATCHED, Trust.SIGNED)

Result = dict[str, Any]


def classify(  # noqa: PLR0913  each parameter is an option of the command line
    paths: Annotated[list[Path] | None, typer.Argument(help="Files, folders, mbox, Maildir; - is one mail.")] = None,
    reply: Annotated[str | None, typer.Option(help="One SMTP reply instead of a mail.", metavar="TEXT")] = None,
    replies: Annotated[Path | None, typer.Option(help="JSON lines {id, reply, remote_mta, recipient}.")] = None,
    mta: Annotated[str | None, typer.Option(help="The host that gave the reply.", metavar="HOST")] = None,
    recipient: Annotated[str | None, typer.Option(help="Whom the reply was about.", metavar="ADDRESS")] = None,
    fmt: FormatOption = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """Say what mails are, whom they are about and why: nothing is stored, nothing is moved."""
    if sum((bool(paths), reply is not None, replies is not None)) != 1:
        raise typer.BadParameter("want exactly one of PATH…, --reply, --replies")
    settings = configuration_if_any(config)
    failed = _Failures()
    if paths:
        results = failed.watch(progress(mails(paths, settings), fmt))
        rows = results if fmt in (Format.JSON, Format.JSONL) else (row for r in results for row in _flat(r))
        show(rows, fmt, _MAIL_COLUMNS)
    else:
        asked = [{"reply": reply, "remote_mta": mta, "recipient": recipient}] if reply is not None else _lines(replies)
        show(failed.watch(answers(asked, settings)), fmt, _REPLY_COLUMNS)
    raise typer.Exit(1 if failed.seen else 0)


class _Failures:
    """Notices results that bear an error while they pass by."""

    seen = False

    def watch(self, results: Iterable[Result]) -> Iterator[Result]:
        for result in results:
            self.seen = self.seen or bool(result.get("error"))
            yield result


def mails(paths: Iterable[Path], settings: Config, shipped: Path | None = None) -> Iterator[Result]:
    """Yield one result for each message below `paths`, in their order; `shipped` stands for the shipped rules."""
    from bounced.daemon.wiring import messages, reading

    stages = reading(settings, shipped)
    for name, raw in messages(paths, settings.limits.message_bytes):
        yield mail_result(name, judge_one(stages, raw))


def answers(asked: Iterable[Result], settings: Config) -> Iterator[Result]:
    """Yield one verdict for each SMTP reply; a line that is none gets an `error`."""
    from bounced.daemon.wiring import rules

    known = rules(settings)
    for one in asked:
        head = {"id": one["id"]} if "id" in one else {}
        text = one.get("reply")
        if not isinstance(text, str):
            yield head | {"category": None, "reason": None, "error": one.get("error", 'no "reply" in it')}
            continue
        verdict = known.classify_reply(text, _text(one.get("remote_mta")), _text(one.get("recipient")))
        yield head | _verdict(verdict)


def mail_result(name: str, judgement: Judgement) -> Result:
    """Return the object that stands for one mail; `kind` is None and `error` says why if it could not be read."""
    if isinstance(judgement, Failure):
        return _nothing(name) | {"error": judgement.why}
    report, pairs = judgement.report, judgement.verdicts
    first = pairs[0][1] if pairs else None
    tags = first.tags if first else None
    return {
        "file": name,
        "kind": report.kind,
        "subtype": report.subtype,
        "reader": report.reader,
        "recipients": [recipient_result(v, i) for v, i in pairs],
        "feedback_type": report.feedback.feedback_type if report.feedback else None,
        "message_id": first.message_id if first else _original_id(judgement),
        "tags": {
            "campaign": tags.campaign if tags else None,
            "list": tags.list if tags else None,
            "categories": list(tags.categories) if tags else [],
        },
        "trust": min((i.trust for _, i in pairs), key=_WEAKEST_FIRST.index, default=Trust.CLAIMED),
    }


def recipient_result(verdict: Verdict, identity: Identity) -> Result:
    """Return the object that stands for one recipient of a mail."""
    finding = verdict.finding
    return {
        "address": _address(finding, identity),
        "final_recipient": identity.final_recipient or finding.final_recipient,
        **_verdict(verdict),
        "action": finding.action,
        "diagnostic": finding.diagnostic or finding.text,
        "remote_mta": finding.remote_mta,
    }


def _address(finding: Finding, identity: Identity) -> str | None:
    """Return whom the report names; only a signature knows better whom the mail went to.

    Of an alias with several members each member has a fate of its own, though one address was mailed.
    """
    if identity.trust is Trust.SIGNED:
        return identity.recipient
    return finding.recipient or identity.recipient


def _verdict(verdict: Verdict) -> Result:
    return {
        "category": verdict.category,
        "reason": verdict.reason,
        "fault": verdict.fault,
        "status": verdict.status,
        "reply_code": verdict.reply_code,
        "rule": verdict.rule,
        "provider": verdict.provider,
        "matched": verdict.matched,
        "basis": list(verdict.basis),
        "disagreed": list(verdict.disagreed),
    }


def _nothing(name: str) -> Result:
    return {
        **{"file": name, "kind": None, "subtype": None, "reader": None, "recipients": [], "feedback_type": None},
        **{"message_id": None, "tags": {"campaign": None, "list": None, "categories": []}, "trust": None},
    }


def _original_id(judged: Judged) -> str | None:
    return judged.report.original.first("Message-ID") if judged.report.original else None


def _flat(result: Result) -> Iterator[Result]:
    """Yield one row a recipient, or one row for the mail where it names none."""
    head = {key: result.get(key) for key in ("file", "kind", "reader", "error")}
    yield from ({**head, **one} for one in result["recipients"] or [{}])


def _lines(path: Path | None) -> Iterator[Result]:
    """Yield the JSON objects of a file (`-`: standard input); a broken line becomes an object with an `error`."""
    try:
        with sys.stdin if str(path) == "-" else Path(path or "").open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield _object(line, number)
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError([f"{path}: cannot be read: {exc}"]) from exc


def _object(line: str, number: int) -> Result:
    try:
        found = json.loads(line)
    except ValueError as exc:
        return {"id": None, "error": f"line {number}: {exc}"}
    return found if isinstance(found, dict) else {"id": None, "error": f"line {number}: want a JSON object"}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
