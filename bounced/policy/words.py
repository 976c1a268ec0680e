"""Every decision in plain words, for the journal, `explain` and the person who asks why."""

from datetime import datetime

from bounced.config import Threshold
from bounced.policy.counting import Step, Tally


def ends(until: datetime | None) -> str:
    """Return `until 2026-05-01`, or `no end`."""
    return f"until {until:%Y-%m-%d}" if until else "no end"


def suppressed(reason: str, threshold: Threshold, tally: Tally | None, step: Step, until: datetime | None) -> str:
    """Return why a count suppresses: `mailbox_unknown at the first report, no end`."""
    if step is Step.PROBATION:
        return f"{reason} again during probation: twice as long as before, {ends(until)}"
    if step is not Step.REACHED or tally is None:
        return f"{reason} again while suppressed, {ends(until)}"
    if threshold.count == 1:
        return f"{reason} at the first report, {ends(until)}"
    spanning = f" spanning {tally.span} days" if threshold.span_days else ""
    return f"{reason}: {tally.reports} reports on {tally.days} days{spanning} since {tally.since}, {ends(until)}"


def counted(threshold: Threshold, tally: Tally | None, step: Step) -> str:
    """Return how far it has come: `counted 2 of 5 (days 2, needs 3; spanning 4 days, needs 7) since 2026-11-01`."""
    if tally is None:
        return "counted"
    wants = [
        f"days {tally.days}, needs {threshold.distinct_days}" if threshold.distinct_days > 1 else "",
        f"spanning {tally.span} days, needs {threshold.span_days:g}" if threshold.span_days else "",
        f"at least {threshold.apart_hours:g} h apart" if threshold.apart_hours else "",
    ]
    inner = "; ".join(want for want in wants if want)
    start = "not counted again, one a day is enough: stands at" if step is Step.SAME_DAY else "counted"
    return f"{start} {tally.reports} of {threshold.count}" + (f" ({inner})" if inner else "") + f" since {tally.since}"


def delivered(forgotten: bool) -> str:
    """Return what a proof of delivery did."""
    return "delivered: what soft failures were counted is forgotten" if forgotten else "delivered: nothing to reset"
