"""The canary's alarm -> what the endpoints are told. Pure.

`alarm.raised`, `alarm.cleared`:
    alarm (`canary` and its number), reason (`canary_lost`), recipient, raised_at, cleared_at, why
"""

from datetime import datetime

from bounced.model import CanaryAlarm, Notification
from bounced.notify.compose import identity, moment
from bounced.notify.plain import plain


def of_canary(alarm: CanaryAlarm, now: datetime) -> Notification:
    """Return what tells that no canary came back, or that one does again."""
    type_ = "alarm.cleared" if alarm.cleared_at else "alarm.raised"
    data = {
        "alarm": f"canary {alarm.id}",
        "reason": "canary_lost",
        "recipient": plain(alarm.recipient, 320),
        "raised_at": moment(alarm.raised_at),
        "cleared_at": moment(alarm.cleared_at),
        "why": plain(alarm.why),
    }
    return Notification(identity(type_, "canary", str(alarm.id), moment(alarm.raised_at) or ""), type_, now, data)
