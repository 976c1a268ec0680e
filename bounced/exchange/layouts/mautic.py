"""Mautic: the table of contacts not to be written to, joined with their addresses.

Its export of contacts knows nothing of it.

Complaints by feedback loop stand there as unsubscribed with a comment; bounces with causes that are none.
"""

from bounced.exchange.entry import MANUAL, UNSUBSCRIBE, Claim, Wrong
from bounced.exchange.layout import Fields, Layout, having
from bounced.exchange.values import cause, moment, says_full
from bounced.model import Category, Reason

_JOIN = (
    "Mautic's table of contacts not to be written to holds no address; "
    "join it: SELECT l.email, d.* FROM lead_donotcontact d JOIN leads l ON l.id = d.lead_id"
)
_NO_DNC = (
    "Mautic's export of contacts does not say who must not be written to; "
    "export SELECT l.email, d.* FROM lead_donotcontact d JOIN leads l ON l.id = d.lead_id instead"
)


def _judge(row: Fields) -> Claim | str:
    if (row["channel"] or "email").lower() != "email":
        return "other channels than email"
    words = row.get("comments", "")
    since = moment(row.get("date_added", "") or row.get("dateadded", ""))
    why = f"Mautic: {words}" if words else "Mautic"
    match row["reason"]:
        case "0":
            return "contacts that may be written to"
        case "1" if "spam" in words.lower():
            return Claim(row["email"], Category.COMPLAINT, Reason.ABUSE, why, None, since)
        case "1":
            return Claim(row["email"], UNSUBSCRIBE, UNSUBSCRIBE, why, None, since)
        case "2":
            return _bounce(row["email"], words, why)._replace(since=since)
        case "3":
            return Claim(row["email"], MANUAL, MANUAL, why, None, since)
    raise Wrong(f"no reason of Mautic: {row['reason'][:40]!r}; want 0 to 3")


def _bounce(address: str, words: str, why: str) -> Claim:
    """Hard only if the comment says so."""
    if says_full(words):
        return Claim(address, Category.SOFT, Reason.MAILBOX_FULL, why, passing=True)
    reason = cause(words)
    if reason is Reason.UNKNOWN:
        return Claim(address, Category.SOFT, reason, why, passing=True)
    return Claim(address, Category.HARD, reason, why)


def _nothing(_row: Fields) -> Claim | str:
    return "contacts"


LAYOUTS = (
    Layout(
        "mautic", "Mautic's contacts not to be written to", (having("email", "lead_id", "reason", "channel"),), _judge
    ),
    Layout(
        "mautic-table",
        "Mautic's table without addresses",
        (having("lead_id", "reason", "channel"),),
        _nothing,
        ask=_JOIN,
    ),
    Layout(
        "mautic-contacts", "Mautic's contacts", (having("id", "firstname", "lastname", "stage"),), _nothing, ask=_NO_DNC
    ),
)
