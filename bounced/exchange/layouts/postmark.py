"""Postmark: the suppressions of a message stream, and its list of bounces.

Of the bounces, only those that made Postmark deactivate the address count; blocks and answers never do.
"""

from bounced.exchange.entry import MANUAL, UNSUBSCRIBE, Claim, Wrong
from bounced.exchange.layout import Fields, Layout, having
from bounced.exchange.values import cause, flag, moment, says_full
from bounced.model import Category, Reason

_BLOCKS = frozenset(
    {"spamnotification", "512", "virusnotification", "8192", "blocked", "100006", "dmarcpolicy", "100009"}
)
_HARD = frozenset({"hardbounce", "1", "bademailaddress", "100000"})
_COMPLAINT = frozenset({"spamcomplaint", "100001"})
_WISH = frozenset({"unsubscribe", "16"})
_MANUAL = frozenset({"manuallydeactivated", "100002"})
_SOFT = frozenset({"transient", "2", "dnserror", "256", "unknown", "2048", "softbounce", "4096"})


def _suppression(row: Fields) -> Claim | str:
    reason, origin = row["suppressionreason"].lower(), row.get("origin", "")
    why = f"Postmark: {row['suppressionreason']}" + (f" by {origin}" if origin else "")
    address, since = row["emailaddress"], moment(row.get("createdat", ""))
    match reason:
        case "hardbounce":
            return Claim(address, Category.HARD, Reason.UNKNOWN, why, None, since)
        case "spamcomplaint":
            return Claim(address, Category.COMPLAINT, Reason.ABUSE, why, None, since)
        case "manualsuppression":
            name = UNSUBSCRIBE if origin.lower() == "recipient" else MANUAL
            return Claim(address, name, name, why, None, since)
    raise Wrong(f"no reason of Postmark: {row['suppressionreason'][:40]!r}")


def _bounce(row: Fields) -> Claim | str:
    type_ = (row.get("type", "") or row["typecode"]).lower().replace(" ", "")
    if type_ in _BLOCKS:
        return "blocks: the receiver refused the sender or the content, the address is alive"
    category, reason = _category(type_, row.get("details", ""))
    if not category:
        return f"answers and events that are no bounce ({row.get('type', '') or row['typecode']})"[:80]
    if not flag(row.get("inactive", "")):
        return "bounces for which Postmark did not deactivate the address"
    why = f"Postmark {row.get('type', '') or row['typecode']}: {row.get('details', '')}"
    passing = category == Category.SOFT
    return Claim(row["email"], category, reason, why, None, moment(row["bouncedat"]), None, passing)


def _category(type_: str, details: str) -> tuple[str, str]:
    """Return category and reason of a type, by name or number; the empty text where it is no bounce."""
    if type_ in _HARD:
        return Category.HARD, cause(details)
    if type_ in _COMPLAINT:
        return Category.COMPLAINT, Reason.ABUSE
    if type_ in _WISH:
        return UNSUBSCRIBE, UNSUBSCRIBE
    if type_ in _MANUAL:
        return MANUAL, MANUAL
    if type_ in _SOFT:
        return Category.SOFT, Reason.MAILBOX_FULL if says_full(details) else Reason.UNKNOWN
    return "", ""


LAYOUTS = (
    Layout("postmark", "Postmark's suppressions", (having("emailaddress", "suppressionreason"),), _suppression),
    Layout("postmark-bounces", "Postmark's bounces", (having("email", "typecode", "bouncedat"),), _bounce),
)
