"""SparkPost: its suppression list, as uploaded, dumped by its command line, or answered by its API.

`transactional` and `non_transactional` become the streams `transactional` and `marketing`; both together, everywhere.
"""

from bounced.exchange.entry import MANUAL, UNSUBSCRIBE, Claim
from bounced.exchange.layout import Fields, Layout, having
from bounced.exchange.values import cause, flag, moment
from bounced.model import Category, Reason

_STREAMS = {"transactional": "transactional", "non_transactional": "marketing"}
_ECHO = "recipient address was suppressed due to"


def _judge(row: Fields) -> Claim | str:
    streams = _streams(row)
    if not streams:
        return "entries with both flags false"
    text = row.get("description", "")
    category, reason = _source(row.get("source", "").lower(), text)
    if category == Category.HARD and _ECHO in text.lower():
        return "echoes of a suppression list"
    source = row.get("source", "")
    why = f"SparkPost{f' {source}' if source else ''}: {text}".removesuffix(": ")
    since = moment(row.get("created", "") or row.get("updated", ""))
    return Claim(row["recipient"], category, reason, why, streams[0] if len(streams) == 1 else None, since)


def _streams(row: Fields) -> list[str]:
    """Return the streams that an entry holds in; both where the file tells neither type nor flags."""
    if type_ := row.get("type", "").lower():
        return [_STREAMS[type_]] if type_ in _STREAMS else list(_STREAMS.values())
    flags = {"transactional": row.get("transactional", "")}
    flags["non_transactional"] = row.get("non_transactional", "") or row.get("nontransactional", "")
    if not any(flags.values()):
        return list(_STREAMS.values())
    return [_STREAMS[name] for name, value in flags.items() if flag(value)]


def _source(source: str, text: str) -> tuple[str, str]:
    match source:
        case "bounce rule":
            return Category.HARD, cause(text)
        case "spam complaint":
            return Category.COMPLAINT, Reason.ABUSE
        case "list unsubscribe" | "unsubscribe link":
            return UNSUBSCRIBE, UNSUBSCRIBE
    return MANUAL, MANUAL


LAYOUTS = (
    Layout(
        "sparkpost",
        "SparkPost's suppression list",
        (
            having("recipient", "type"),
            having("recipient", "non_transactional"),
            having("recipient", "nontransactional"),
        ),
        _judge,
    ),
)
