"""Waves and alarms -> what the endpoints are told. Pure.

`wave.opened`, `wave.closed` (also when a person decides):
    wave, provider, reason, state (open, asking, released, confirmed), since, opened_at, closed_at, amount (addresses
    in `hours` hours), ceiling (how many were allowed), held (addresses), why, actor
`alarm.raised`, `alarm.cleared`:
    alarm, provider, reason, fault, raised_at, cleared_at, amount (addresses in `hours` hours), ceiling
"""

from datetime import datetime

from bounced.model import Alarm, Notification, Wave
from bounced.notify.compose import identity, moment
from bounced.notify.plain import plain


def of_wave(wave: Wave, held: int, now: datetime) -> Notification:
    """Return what tells that a wave opened, or of what became of it."""
    type_ = "wave.closed" if wave.closed_at or wave.state != "open" else "wave.opened"
    data = {
        "wave": wave.id,
        "provider": plain(wave.provider, 255),
        "reason": str(wave.reason),
        "state": str(wave.state),
        "since": moment(wave.since),
        "opened_at": moment(wave.opened_at),
        "closed_at": moment(wave.closed_at),
        "amount": wave.amount,
        "hours": wave.hours,
        "ceiling": wave.ceiling,
        "held": held,
        "why": plain(wave.why),
        "actor": plain(wave.actor, 100),
    }
    id_ = identity(type_, str(wave.id), moment(wave.opened_at) or "", str(wave.state), moment(wave.closed_at) or "")
    return Notification(id_, type_, now, data)


def of_alarm(alarm: Alarm, now: datetime) -> Notification:
    """Return what tells that an alarm was raised, or cleared."""
    type_ = "alarm.cleared" if alarm.cleared_at else "alarm.raised"
    data = {
        "alarm": alarm.id,
        "provider": plain(alarm.provider, 255),
        "reason": str(alarm.reason),
        "fault": str(alarm.fault),
        "raised_at": moment(alarm.raised_at),
        "cleared_at": moment(alarm.cleared_at),
        "amount": alarm.amount,
        "hours": alarm.hours,
        "ceiling": alarm.ceiling,
    }
    return Notification(identity(type_, str(alarm.id), moment(alarm.raised_at) or ""), type_, now, data)
