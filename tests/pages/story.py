"""A small history for the pages to show: things of every kind, strangers' worst among them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from bounced.model import (
    Alarm,
    Attempt,
    Category,
    Change,
    DeliveryState,
    Disposition,
    Event,
    Fault,
    Kind,
    Member,
    Move,
    Notification,
    Outcome,
    Place,
    Reason,
    Tags,
    Tally,
    Trust,
    Wave,
    WaveState,
)
from bounced.store import Store
from tests.store.conftest import event

#: What a stranger may write to a return path: script, markup, formulas, what turns or hides text.
HOSTILE: Final = (
    "550 <script>document.title='owned'</script><img src=http://evil.example/x onerror=alert(1)> "
    '=HYPERLINK("http://evil.example","x") \u202egnp.exe\u202c \u200b\u2066 javascript:alert(1) {{7*7}} </pre></td>'
)
HOSTILE_ADDRESS: Final = "\"><svg/onload=alert(1)>=cmd|'/c calc'!a0\"@evil.example"
#: An import that was a mistake: of twelve addresses.
BAD_LIST: Final = "bad-list.csv"
MOON: Final = "550 the tenant of <{}> has left us for the moon, ticket {}"

_FAILURES: Final = (
    (Category.HARD, Reason.MAILBOX_UNKNOWN, Fault.RECIPIENT, "google.unknown", "550 5.1.1 the account does not exist"),
    (Category.SOFT, Reason.MAILBOX_FULL, Fault.RECIPIENT, "full.said", "452 4.2.2 the mailbox is over its quota"),
    (Category.SOFT, Reason.REPUTATION_BLOCK, Fault.SENDER, "yahoo.reputation", "553 5.7.1 [BL23] not accepted"),
    (Category.HARD, Reason.DOMAIN_MISSING, Fault.RECIPIENT, "status.1.2", "550 5.1.2 host unknown"),
)
_PROVIDERS: Final = ("google", "microsoft", "yahoo", None)


def tell(store: Store, now: datetime) -> list[Event]:
    """Write the story of 90 days that end now, and return its events."""
    events = [*_days(now), *_unclear(now), *_hostile(now)]
    with store.begin() as tx:
        tx.record(events)
        tx.journal([_suppressed(number, now) for number in range(40)])
        tx.journal([_imported(number, now - timedelta(hours=2)) for number in range(12)])
        tx.settle(
            [
                (
                    Outcome(Place("returns", "INBOX", 1, n), Disposition.QUARANTINE, "17 MIME levels, limit 10"),
                    f"{n:064}",
                )
                for n in range(3)
            ]
        )
        _waves(tx, now)
        notifications = [
            Notification(f"msg_{n}", "bounce.hard", now - timedelta(minutes=n), {"address": f"user{n}@gmail.example"})
            for n in range(8)
        ]
        tx.announce(notifications)
    for number, delivery in enumerate(store.claim(now, 100, 60)):
        state = (DeliveryState.DONE, DeliveryState.DEAD, DeliveryState.OPEN, DeliveryState.DEAD)[number % 4]
        error = None if state is DeliveryState.DONE else "status 503: <b>come back later</b>"
        made = Attempt(now, 240, state, now + timedelta(hours=1), 200 if error is None else 503, error, "thanks")
        store.attempted(delivery, made)
    return events


def _days(now: datetime) -> Iterator[Event]:
    for day in range(90):
        for number in range(4 + day % 3):
            category, reason, fault, rule, text = _FAILURES[number % 4]
            name = f"user{day % 30}n{number}@{_PROVIDERS[number % 4] or 'example'}.example"
            at = now - timedelta(days=day, minutes=5 * number + 1)
            tags = Tags(campaign=f"autumn {day // 30}", list="news", categories=("shop",))
            yield _event(
                10_000 + 100 * day + number, at, category=category, reason=reason, fault=fault, rule=rule, address=name,
                diagnostic=text, provider=_PROVIDERS[number % 4], tags=tags, trust=Trust.SIGNED,
                subject="Autumn is here",
            )  # fmt: skip
        if day % 5 == 0:
            yield _event(
                90_000 + day, now - timedelta(days=day, hours=1), kind=Kind.COMPLAINT, category=Category.COMPLAINT,
                reason=Reason.ABUSE, fault=Fault.SENDER, rule="feedback.abuse", address=f"angry{day}@yahoo.example",
                provider="yahoo", feedback_type="abuse", tags=Tags(campaign="autumn 0"), diagnostic=None,
            )  # fmt: skip


def _unclear(now: datetime) -> Iterator[Event]:
    """What waits for a look."""
    for number in range(24):
        yield _unknown(
            number, now, MOON.format(f"u{number}@moon.example", 7_000 + number), provider=_PROVIDERS[number % 3]
        )
    for number in range(5):
        yield _unknown(100 + number, now, f"421 come back when the fog has lifted, #{number}")
    yield _event(
        70_000, now, diagnostic="550 5.1.1 over quota", reason=Reason.MAILBOX_FULL, category=Category.SOFT,
        disagreed=('status 5.1.1 against text "over quota"',), rule="full.said", status="5.1.1",
    )  # fmt: skip
    yield _event(70_001, now, address=None, diagnostic="550 somebody is gone", rule="status.1.1")


def _hostile(now: datetime) -> Iterator[Event]:
    yield _unknown(
        500, now, HOSTILE, address=HOSTILE_ADDRESS, subject=HOSTILE, remote_mta="mx.<b>evil</b>.example",
        tags=Tags(campaign="=1+1 <i>", list="@SUM(A1)", categories=("<script>",)),
    )  # fmt: skip


def _waves(tx: Any, now: datetime) -> None:
    since = (now - timedelta(hours=20)).replace(minute=0, second=0, microsecond=0)
    over = since + timedelta(hours=8)
    asking = Wave(
        0, "google", Reason.MAILBOX_UNKNOWN, WaveState.ASKING, since, since + timedelta(minutes=20), over, over,
        1.0, 412, 30.0, 1.1, "one in four was refused again, half a day later or more",
    )  # fmt: skip
    number = tx.write_wave(asking).id
    past = replace(
        asking, state=WaveState.RELEASED, since=since - timedelta(days=40), closed_at=over - timedelta(days=40)
    )
    tx.write_wave(replace(past, provider="yahoo", why="nothing speaks against an outage"))
    tx.hold([_member(number, each, since) for each in range(130)])
    quarter = int(since.timestamp() // 900)
    tx.count(
        [
            Tally("google", Reason.MAILBOX_UNKNOWN, quarter + step, 3 if not 0 <= step < 32 else 18 + 5 * (step % 7))
            for step in range(-48, 72)
        ]
    )
    alarm = Alarm(0, "yahoo", Reason.REPUTATION_BLOCK, Fault.SENDER, since, since, None, 1.0, 88, 12.0)
    tx.write_alarm(alarm)
    tx.write_alarm(replace(alarm, raised_at=since - timedelta(days=9), cleared_at=over - timedelta(days=9), amount=25))


def _member(wave: int, number: int, since: datetime) -> Member:
    again = timedelta(hours=13 if number % 9 == 0 else 0)
    at = since + timedelta(minutes=3 * number)
    return Member(wave, f"held{number:03}@gmail.example", at, at + again, f"ev_{number:032}")


def _suppressed(number: int, now: datetime) -> Change:
    at = now - timedelta(days=number)
    return Change(
        f"user{number % 30}n0@google.example", "*", Move.SUPPRESS, at, Category.HARD, Reason.MAILBOX_UNKNOWN,
        "550 5.1.1 the account does not exist",
    )  # fmt: skip


def _imported(number: int, at: datetime) -> Change:
    return Change(
        f"listed{number:02}@bad-list.example", "*", Move.SUPPRESS, at, "imported", "imported",
        "on the list of the old system", actor=f"import {BAD_LIST}",
    )  # fmt: skip


def _unknown(number: int, now: datetime, text: str, **more: Any) -> Event:
    row = {"category": Category.SOFT, "reason": Reason.UNKNOWN, "fault": Fault.NONE, "rule": "reply.unclear"}
    return _event(number, now - timedelta(minutes=number), diagnostic=text, **(row | more))


def _event(number: int, at: datetime, **more: Any) -> Event:
    return event(number, at, **more)
