"""A delivering program that is killed: whoever comes next posts the same notification, under the same id."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta

import pytest

from bounced.model import DeliveryState
from bounced.notify import Deliverer
from bounced.store import Store
from tests.notify.conftest import Fill, on_both
from tests.notify.receiver import Receiver, hang

pytestmark = [pytest.mark.slow, on_both]


@contextmanager
def victim(url: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start the program that is to be killed; it is dead afterwards."""
    command = [sys.executable, "-m", "tests.notify.victim", url, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            yield program
        finally:
            program.kill()


def resume(store: Store, now: datetime, receiver: Receiver) -> int:
    """Deliver in this process and return how many attempts were made."""
    with closing(Deliverer(store, [receiver.webhook(timeout=30)], patience=20)) as deliverer:
        return deliverer.run_due(now)


def test_killed_while_the_receiver_thinks(store: Store, database: str, fill: Fill, now: datetime) -> None:
    (notification,) = fill("test")
    with Receiver(hang) as receiver:
        with victim(database, receiver.url):
            wait_until(lambda: bool(receiver.got))
        assert resume(store, now + timedelta(seconds=60), receiver) == 0
        assert resume(store, now + timedelta(minutes=10), receiver) == 1
    assert [got.id for got in receiver.got] == [notification.id] * 2
    assert all(got.verified for got in receiver.got)
    (delivery,) = store.deliveries()
    assert (delivery.state, delivery.attempts) == (DeliveryState.DONE, 1)


def test_killed_after_the_answer_and_before_it_was_recorded(
    store: Store, database: str, fill: Fill, now: datetime
) -> None:
    """The receiver gets it twice; the id tells it so."""
    (notification,) = fill("test")
    with Receiver() as receiver:
        with victim(database, receiver.url, "before-record") as program:
            assert program.stdout is not None
            assert program.stdout.readline() == "answered\n"
        assert resume(store, now + timedelta(minutes=10), receiver) == 1
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body) == (notification.id, first.body)


def wait_until(true: object, seconds: float = 20) -> None:
    """Wait for something to become true, and fail if it does not."""
    assert callable(true)
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
