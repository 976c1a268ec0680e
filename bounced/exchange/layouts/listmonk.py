"""listmonk: subscribers, of whom the blocklisted ones are not written to, and bounces."""

from bounced.exchange.entry import MANUAL, Claim, Wrong
from bounced.exchange.layout import Fields, Layout, exactly, having
from bounced.exchange.values import cause, moment
from bounced.model import Category, Reason

_SUBSCRIBER = ("uuid", "email", "name", "attributes", "status", "created_at", "updated_at")


def _subscriber(row: Fields) -> Claim | str:
    status = row["status"].lower()
    if status == "blocklisted":
        return Claim(row["email"], MANUAL, MANUAL, "listmonk: blocklisted", None, moment(row.get("updated_at", "")))
    if status in ("enabled", "disabled"):
        return f"{status} subscribers: listmonk goes on writing to them"
    raise Wrong(f"no status of listmonk: {row['status'][:40]!r}")


def _bounce(row: Fields) -> Claim | str:
    since = moment(row.get("created_at", ""))
    match row["type"].lower():
        case "soft":
            return "soft bounces: counted by listmonk, the address is not given up"
        case "hard":
            return Claim(row["email"], Category.HARD, cause(row.get("meta", "")), "listmonk: hard bounce", None, since)
        case "complaint":
            return Claim(row["email"], Category.COMPLAINT, Reason.ABUSE, "listmonk: complaint", None, since)
    raise Wrong(f"no type of listmonk: {row['type'][:40]!r}; want hard, soft or complaint")


LAYOUTS = (
    Layout("listmonk-bounces", "listmonk's bounces", (having("email", "type", "subscriber_uuid"),), _bounce),
    Layout(
        "listmonk",
        "listmonk's subscribers",
        (exactly(*_SUBSCRIBER), having("uuid", "email", "status", "attribs")),
        _subscriber,
    ),
)
