"""Where much is waiting, mail that is urgent goes first, and nothing is lost or read twice for that."""

from collections.abc import Sequence
from contextlib import closing

import pytest

from bounced.config import After
from bounced.mailbox import open_mailbox
from bounced.model import RawMessage
from tests.mailbox.conftest import Desk
from tests.servers.dovecot import Dovecot

FIELDS = ("Delivered-To: {}", "X-Original-To: <{}>", "Envelope-To:\r\n {}", 'To: "Us" <{}>')


def urgent(recipients: Sequence[str]) -> bool:
    return any(one.startswith("signed+") for one in recipients)


def fill(dovecot: Dovecot, amount: int = 60) -> None:
    """Leave that many mails, every seventh of them urgent, by whichever field."""
    for n in range(1, amount + 1):
        to = FIELDS[n % 4].format(f"{'signed' if n % 7 == 0 else 'forged'}+{n}@returns.example")
        dovecot.deliver("bounces", f"Subject: Undelivered\r\n{to}\r\n\r\nmail {n}\r\n".encode())


def numbers(came: Sequence[RawMessage]) -> list[int]:
    return [int(raw.content.split()[-1]) for raw in came]


SIGNED = [n for n in range(1, 61) if n % 7 == 0]
FORGED = [n for n in range(1, 61) if n % 7]


@pytest.mark.parametrize("mode", ["move", "flag", "leave"])
def test_urgent_ones_come_first_and_each_comes_once(dovecot: Dovecot, desk: Desk, mode: str) -> None:
    """In their order otherwise; after the poll the position stands behind all of them."""
    fill(dovecot)
    with closing(open_mailbox(dovecot.settings(batch=5, after=After(mode=mode)), urgent=urgent)) as source:
        came = desk.work_off_reading_ahead(source)
        again = desk.work_off(source)

    assert numbers(came) == SIGNED + FORGED
    assert again == []


def test_what_fits_one_batch_is_not_looked_at(dovecot: Dovecot, desk: Desk) -> None:
    fill(dovecot, 20)
    with closing(open_mailbox(dovecot.settings(batch=50), urgent=urgent)) as source:
        assert numbers(desk.work_off(source)) == list(range(1, 21))


@pytest.mark.parametrize("mode", ["move", "leave"])
def test_after_a_stop_in_the_middle_the_rest_comes(dovecot: Dovecot, desk: Desk, mode: str) -> None:
    """The position did not go beyond what waits; what was settled is known by its place."""
    fill(dovecot)
    settings = dovecot.settings(batch=5, after=After(mode=mode))
    with closing(open_mailbox(settings, urgent=urgent)) as source:
        for batches, batch in enumerate(source.poll(desk.store)):
            source.ack(desk.commit(batch))
            if batches == 2:
                break
    with closing(open_mailbox(settings, urgent=urgent)) as source:
        came = numbers(desk.work_off(source))

    left = FORGED[5:] if mode == "move" else SIGNED + FORGED[5:]
    assert sorted(came) == sorted(left)
