"""SendGrid: bounces, blocks, invalid addresses, spam reports, unsubscribes (global, and of groups).

Bounces and blocks have the same columns, and blocks are no suppressions: SendGrid itself goes on mailing to them.
"""

from bounced.address import normalise
from bounced.exchange.entry import UNSUBSCRIBE, Claim
from bounced.exchange.layout import Fields, Layout, exactly
from bounced.exchange.values import failure, moment
from bounced.model import Category, Reason

_EITHER = "SendGrid's bounces and blocks look alike; say which it is: --as sendgrid-bounces or --as sendgrid-blocks"
_SHAPE = exactly("status", "reason", "email", "created")


def _bounce(row: Fields) -> Claim | str:
    category, reason, passing = failure(row["reason"], row["status"])
    why = f"SendGrid bounce: {row['status']} {row['reason']}"
    return Claim(row["email"], category, reason, why, None, moment(row["created"]), None, passing)


def _block(_row: Fields) -> Claim | str:
    return "blocks: the receiver refused the sender or the content, the address is alive"


def _invalid(row: Fields) -> Claim | str:
    if normalise(row["email"]) is None:
        return "no mail addresses: nothing can be sent to them anyway"
    domain = "domain" in row["reason"].lower()
    reason = Reason.DOMAIN_MISSING if domain else Reason.UNKNOWN
    return Claim(
        row["email"], Category.HARD, reason, f"SendGrid invalid: {row['reason']}", None, moment(row["created"])
    )


def _spam(row: Fields) -> Claim | str:
    return Claim(row["email"], Category.COMPLAINT, Reason.ABUSE, "SendGrid spam report", None, moment(row["created"]))


def _unsubscribe(row: Fields) -> Claim | str:
    why = "SendGrid global unsubscribe"
    return Claim(row["email"], UNSUBSCRIBE, UNSUBSCRIBE, why, None, moment(row["created"]))


def _group(row: Fields) -> Claim | str:
    scope = row.get("group_name") or f"group-{row['group_id']}"
    since = moment(row.get("created_at", "") or row.get("created", ""))
    return Claim(row["email"], UNSUBSCRIBE, UNSUBSCRIBE, f"SendGrid unsubscribe from {scope}", scope, since)


LAYOUTS = (
    Layout("sendgrid-bounces", "SendGrid's bounces", (_SHAPE,), _bounce, ask=_EITHER),
    Layout("sendgrid-blocks", "SendGrid's blocks", (_SHAPE,), _block, ask=_EITHER),
    Layout("sendgrid-invalid", "SendGrid's invalid addresses", (exactly("reason", "email", "created"),), _invalid),
    Layout("sendgrid-spam", "SendGrid's spam reports", (exactly("ip", "email", "created"),), _spam),
    Layout("sendgrid-unsubscribes", "SendGrid's global unsubscribes", (exactly("email", "created"),), _unsubscribe),
    Layout(
        "sendgrid-groups",
        "SendGrid's unsubscribes from groups",
        (exactly("email", "group_id", or_also=("group_name", "created_at", "created")),),
        _group,
    ),
)
