"""Amazon SES: the account's suppression list, as listed by the API or as made for import (no header).

BOUNCE means hard. A file for removal holds addresses only; it is not recognised here.
"""

from bounced.exchange.entry import Claim, Wrong
from bounced.exchange.layout import Fields, Layout, exactly
from bounced.exchange.values import moment
from bounced.model import Category, Reason


def _judge(row: Fields) -> Claim | str:
    reason = row["reason"].upper()
    since = moment(row.get("lastupdatetime", ""))
    if reason == "BOUNCE":
        return Claim(row["emailaddress"], Category.HARD, Reason.UNKNOWN, "Amazon SES: BOUNCE", None, since)
    if reason == "COMPLAINT":
        return Claim(row["emailaddress"], Category.COMPLAINT, Reason.ABUSE, "Amazon SES: COMPLAINT", None, since)
    raise Wrong(f"no reason of Amazon SES: {row['reason'][:40]!r}; want BOUNCE or COMPLAINT")


LAYOUTS = (
    Layout(
        "ses",
        "the suppression list of Amazon SES",
        (exactly("emailaddress", "reason", or_also=("lastupdatetime", "attributes")),),
        _judge,
        headers=("emailaddress", "reason"),
    ),
)
