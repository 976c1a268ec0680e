"""`bounced classify`: what mails, or single SMTP replies, say; one result for each, whatever it holds."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from bounced.cli.judging import judged
from bounced.cli.options import ConfigOption, FormatOption, configuration_if_any
from bounced.cli.render import Format, progress, show
from bounced.config import Config
from bounced.errors import ConfigError
from bounced.pipeline import Failure, Judgement
from bounced.results import Result, of_mail, of_verdict

_MAIL_COLUMNS = ("file", "kind", "reader", "address", "category", "reason", "fault", "status", "rule", "error")
_REPLY_COLUMNS = ("id", "category", "reason", "fault", "status", "reply_code", "rule", "error")


def classify(  # noqa: PLR0913  each parameter is an option of the command line
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files, folders, mbox, Maildir; - is one mail or mbox.")
    ] = None,
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
    if reply is not None and not reply.strip():
        raise typer.BadParameter("--reply: want what the server said, it is empty")
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
    from bounced.daemon.wiring import messages

    for name, judgement in judged(messages(paths, settings.limits.message_bytes), settings, shipped):
        yield mail_result(name, judgement)


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
        yield head | of_verdict(verdict)


def mail_result(name: str, judgement: Judgement) -> Result:
    """Return the object that stands for one mail; `kind` is None and `error` says why if it could not be read."""
    if isinstance(judgement, Failure):
        return _nothing(name) | {"error": judgement.why}
    return {"file": name} | of_mail(judgement)


def _nothing(name: str) -> Result:
    return {
        **{"file": name, "kind": None, "subtype": None, "reader": None, "recipients": [], "feedback_type": None},
        **{"message_id": None, "tags": {"campaign": None, "list": None, "categories": []}, "trust": None},
    }


def _flat(result: Result) -> Iterator[Result]:
    """Yield one row a recipient, or one row for the mail where it names none."""
    head = {key: result.get(key) for key in ("file", "kind", "reader", "error")}
    yield from ({**head, **one} for one in result["recipients"] or [{}])


def _lines(path: Path | None) -> Iterator[Result]:
    """Yield the JSON objects of a file (`-`: standard input); a broken line becomes an object with an `error`.

    What is no UTF-8, as servers' words often are not, becomes U+FFFD.
    """
    try:
        with sys.stdin.buffer if str(path) == "-" else Path(path or "").open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield _object(line.decode("utf-8", "replace"), number)
    except OSError as exc:
        raise ConfigError([f"{path}: cannot be read: {exc}"]) from exc


def _object(line: str, number: int) -> Result:
    try:
        found = json.loads(line)
    except ValueError as exc:
        return {"id": None, "error": f"line {number}: {exc}"}
    return found if isinstance(found, dict) else {"id": None, "error": f"line {number}: want a JSON object"}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
