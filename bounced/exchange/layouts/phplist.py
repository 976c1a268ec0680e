"""phpList: its export of users, and its two tables of blacklisted addresses.

Reasons are prose in the language of the installation; what is not understood is a wish of the user. Times stand in the
zone of the server and count as UTC.
"""

import re

from bounced.exchange.entry import MANUAL, UNSUBSCRIBE, Claim
from bounced.exchange.layout import Fields, Layout, exactly, having
from bounced.exchange.values import flag, moment
from bounced.model import Category, Reason

_RULE = re.compile(r"blacklisted by bounce rule|consecutive bounces", re.I)
_SPAM = re.compile(r"spam complaint|marked as spam", re.I)
_BY_HAND = re.compile(r"^(?:manually )?blacklisted by ", re.I)


def _plain(text: str) -> str:
    """Return a cell without the `' ` that phpList puts before what a spreadsheet would calculate."""
    return text[2:] if text.startswith(("' =", "' +", "' -", "' @")) else text


def _user(row: Fields) -> Claim | str:
    if not flag(row["is this subscriber blacklisted"]):
        return "users that are not blacklisted (unconfirmed and bouncing ones too)"
    since = moment(_plain(row.get("last modified", "")))
    return Claim(_plain(row["email"]), MANUAL, MANUAL, "phpList: blacklisted", None, since)


def _listed(row: Fields) -> Claim | str:
    return Claim(_plain(row["email"]), MANUAL, MANUAL, "phpList: blacklisted", None, moment(row["added"]))


def _told(row: Fields) -> Claim | str:
    if row["name"].lower() != "reason":
        return "particulars of blacklisted users that are no reason"
    category, reason = _reason(row["data"])
    return Claim(_plain(row["email"]), category, reason, f"phpList: {row['data']}")


def _reason(text: str) -> tuple[str, str]:
    if _SPAM.search(text):
        return Category.COMPLAINT, Reason.ABUSE
    if _RULE.search(text):
        return Category.HARD, Reason.UNKNOWN
    return (MANUAL, MANUAL) if _BY_HAND.search(text) else (UNSUBSCRIBE, UNSUBSCRIBE)


LAYOUTS = (
    Layout("phplist", "phpList's users", (having("email", "is this subscriber blacklisted"),), _user),
    Layout("phplist-blacklist", "phpList's table of blacklisted users", (exactly("email", "added"),), _listed),
    Layout("phplist-reasons", "phpList's reasons for blacklisting", (exactly("email", "name", "data"),), _told),
)
