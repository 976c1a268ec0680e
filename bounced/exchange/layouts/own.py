"""Our own form, as `suppressions export` and `suppressions list` write it, and bare lists of addresses."""

from bounced.exchange.entry import MANUAL, Claim, Wrong
from bounced.exchange.layout import Fields, Layout, exactly
from bounced.exchange.values import moment

#: The columns of an export, in their order.
COLUMNS = ("address", "scope", "category", "reason", "since", "until", "why", "actor", "event_id")
_CATEGORIES = frozenset({"hard", "soft", "complaint", "unsubscribe", MANUAL})
_LISTED = ("scope", "reason", "since", "until", "why", "suppressed", "disputed", "event_id")


def _ours(row: Fields) -> Claim | str:
    category = row["category"]
    if category not in _CATEGORIES:
        raise Wrong(f"no category: {category[:40]!r}; want {', '.join(sorted(_CATEGORIES))}")
    get = row.get
    since, until = get("since"), get("until")
    return Claim(
        row["address"],
        category,
        get("reason") or "unknown",
        get("why", ""),
        get("scope") or None,
        moment(since) if since else None,
        moment(until) if until else None,
    )


def _address(row: Fields) -> Claim | str:
    return Claim(next(iter(row.values()), ""), MANUAL, MANUAL, "in a list of addresses")


LAYOUTS = (
    Layout(
        "bounced",
        "an export of bounced",
        (exactly("address", "category", "actor", or_also=_LISTED),),
        _ours,
        exact_quotes=True,
    ),
    Layout("bounced-list", "a list of bounced", (exactly("address", "category", or_also=_LISTED),), _ours),
    Layout(
        "addresses",
        "bare addresses",
        (exactly("address"), exactly("email"), exactly("email address"), exactly("e-mail")),
        _address,
        headers=("address",),
        ask="one column of addresses may be anything, a list of members too; to suppress them all: --as addresses",
    ),
)
