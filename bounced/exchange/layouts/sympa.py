"""Sympa: the export of bouncing subscribers of a list. The score says how bad it is."""

from bounced.exchange.entry import Claim, Wrong
from bounced.exchange.layout import Fields, Layout, having
from bounced.exchange.values import moment
from bounced.model import Category, Reason

#: Sympa's own default for `bouncers_level2`: from there on it removes subscribers.
_LEVEL_2 = 80


def _judge(row: Fields) -> Claim | str:
    score = row["bounce score"] or "0"
    try:
        bad = float(score) >= _LEVEL_2
    except ValueError:
        raise Wrong(f"no score: {score[:40]!r}") from None
    if not bad:
        return f"bouncing subscribers with a score below {_LEVEL_2}"
    why = f"Sympa: bounce score {score}, {row.get('bounce count', '') or '?'} bounces"
    since = moment(row.get("last bounce", ""))
    return Claim(row["# email"], Category.SOFT, Reason.UNKNOWN, why, None, since, None, True)


LAYOUTS = (Layout("sympa", "Sympa's bouncing subscribers", (having("# email", "bounce score"),), _judge),)
