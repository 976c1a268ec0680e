"""Brevo: blocked contacts of its transactional mail, and contacts that its API calls blacklisted."""

from bounced.exchange.entry import MANUAL, UNSUBSCRIBE, Claim, Wrong
from bounced.exchange.layout import Fields, Layout, having
from bounced.exchange.values import cause, flag, moment
from bounced.model import Category, Reason

_WISHES = frozenset({"unsubscribedviaemail", "unsubscribedviama", "unsubscribedviaapi"})


def _blocked(row: Fields) -> Claim | str:
    code = (row.get("reason.code") or row.get("reason") or "").lower().replace(" ", "")
    words = row.get("reason.message", "")
    why = f"Brevo: {row.get('reason.code') or row.get('reason')}" + (f", {words}" if words else "")
    since = moment(row["blockedat"])
    if code == "hardbounce":
        return Claim(row["email"], Category.HARD, cause(words), why, None, since)
    if code == "contactflaggedasspam":
        return Claim(row["email"], Category.COMPLAINT, Reason.ABUSE, why, None, since)
    if code in _WISHES:
        return Claim(row["email"], UNSUBSCRIBE, UNSUBSCRIBE, why, row.get("senderemail") or None, since)
    if code == "adminblocked":
        return Claim(row["email"], MANUAL, MANUAL, why, None, since)
    raise Wrong(f"no reason of Brevo: {code[:40]!r}")


def _contact(row: Fields) -> Claim | str:
    if not flag(row["emailblacklisted"]):
        return "contacts that are not blacklisted"
    return Claim(row["email"], MANUAL, MANUAL, "Brevo: blacklisted", None, moment(row.get("modifiedat", "")))


LAYOUTS = (
    Layout("brevo", "Brevo's blocked contacts", (having("email", "blockedat"),), _blocked),
    Layout("brevo-contacts", "Brevo's contacts", (having("email", "emailblacklisted"),), _contact),
)
