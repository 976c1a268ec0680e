"""Mailgun: bounces, unsubscribes, complaints of a sending domain; its allowlist, which is never a suppression."""

from bounced.exchange.entry import UNSUBSCRIBE, Claim
from bounced.exchange.layout import Fields, Layout, Shape, exactly
from bounced.exchange.values import failure, moment
from bounced.model import Category, Reason

_MORE = ("messagehash", "created_at")


def _bounce(row: Fields) -> Claim | str:
    category, reason, passing = failure(row["error"], row["code"])
    why = f"Mailgun bounce: {row['code']} {row['error']}"
    return Claim(row["address"], category, reason, why, None, moment(row.get("created_at", "")), None, passing)


def _unsubscribe(row: Fields) -> list[Claim]:
    """A tag, or several joined by commas, bounds the wish; `*` is everything."""
    tags = [tag.strip() for tag in (row.get("tags") or row.get("tag") or "*").split(",") if tag.strip()]
    since = moment(row.get("created_at", ""))
    if "*" in tags:
        return [Claim(row["address"], UNSUBSCRIBE, UNSUBSCRIBE, "Mailgun unsubscribe", None, since)]
    why = "Mailgun unsubscribe from "
    return [Claim(row["address"], UNSUBSCRIBE, UNSUBSCRIBE, why + tag, tag, since) for tag in tags]


def _complaint(row: Fields) -> Claim | str:
    since = moment(row.get("created_at", ""))
    return Claim(row["address"], Category.COMPLAINT, Reason.ABUSE, "Mailgun complaint", None, since)


def _allowed(_row: Fields) -> Claim | str:
    return "an allowlist: addresses and domains that are never to be suppressed"


LAYOUTS = (
    Layout("mailgun-bounces", "Mailgun's bounces", (exactly("address", "code", "error", or_also=_MORE),), _bounce),
    Layout(
        "mailgun-unsubscribes",
        "Mailgun's unsubscribes",
        (exactly("address", "tag", or_also=_MORE), exactly("address", "tags", or_also=(*_MORE, "tag", "id"))),
        _unsubscribe,
    ),
    Layout(
        "mailgun-complaints",
        "Mailgun's complaints",
        (exactly("address", "created_at", or_also=("count",)),),
        _complaint,
    ),
    Layout(
        "mailgun-allowlist",
        "Mailgun's allowlist",
        (exactly("address", "domain"), Shape(frozenset({"value", "type"}), frozenset({"reason", "createdat"}))),
        _allowed,
    ),
)
