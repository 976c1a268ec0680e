"""Deliveries from a real store to real receivers, good ones and bad ones."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from bounced.config import Webhook
from bounced.errors import ConfigError, StoreDown
from bounced.model import Attempt, Delivery, DeliveryState
from bounced.notify import Deliverer
from bounced.store import DeliveryQuery, Store
from tests.notify.conftest import Fill, on_both
from tests.notify.receiver import (
    OTHER,
    SECRET,
    Receiver,
    answer,
    drip,
    free_port,
    hang,
    huge,
    pause,
    reset,
    unannounced_close,
)
from tests.servers.certificates import Authority

MONTH = timedelta(days=30)


@contextmanager
def delivering(store: Any, *webhooks: Webhook, patience: float = 20) -> Iterator[Deliverer]:
    deliverer = Deliverer(store, webhooks, patience=patience)
    try:
        yield deliverer
    finally:
        deliverer.close()


def run(store: Any, now: datetime, *webhooks: Webhook) -> int:
    """Run one round to its end and return how many attempts it made."""
    with delivering(store, *webhooks) as deliverer:
        return deliverer.run_due(now)


def only(store: Store) -> tuple[Delivery, list[Attempt]]:
    """Return the one delivery and its attempts."""
    (delivery,) = store.deliveries()
    return delivery, store.attempts_of(delivery.id)


@on_both
def test_a_notification_arrives_signed_and_once(store: Store, fill: Fill, now: datetime) -> None:
    (notification,) = fill("test")
    with Receiver() as receiver:
        assert run(store, now, receiver.webhook()) == 1
        assert run(store, now + MONTH, receiver.webhook()) == 0

    (got,) = receiver.got
    assert got.verified
    assert got.id == notification.id
    assert got.headers["content-type"] == "application/json"
    assert got.headers["host"] == f"localhost:{receiver.port}"
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 10
    timestamp = now.isoformat().replace("+00:00", "Z")
    assert got.json == {"type": "bounce.hard", "timestamp": timestamp, "data": {"n": 0, "diagnostic": "gelöscht"}}
    delivery, (attempt,) = only(store)
    assert (delivery.state, delivery.attempts, delivery.last_error) == (DeliveryState.DONE, 1, None)
    assert (attempt.status_code, attempt.error) == (204, None)


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (answer(500, b"boom"), "answered 500 Internal Server Error"),
        (
            answer(302, location="http://localhost:1/else"),
            "redirects to http://localhost:1/else, which is not followed",
        ),
        (reset, "localhost: it broke the connection off"),
        (hang, "no complete answer within 0.7 s"),
        (drip, "no complete answer within 0.7 s"),
    ],
    ids=["500", "redirect", "reset", "hang", "drip"],
)
def test_what_fails_is_tried_again_with_the_same_id(
    behaviour: Any, words: str, store: Store, fill: Fill, now: datetime
) -> None:
    fill("test")
    with Receiver(behaviour) as receiver:
        begun = time.monotonic()
        assert run(store, now, receiver.webhook(timeout=0.7)) == 1
        assert time.monotonic() - begun < 5

        delivery, (attempt,) = only(store)
        assert (delivery.state, delivery.attempts) == (DeliveryState.OPEN, 1)
        assert attempt.error is not None and words in attempt.error
        assert now < delivery.next_at <= now + timedelta(seconds=12)
        assert run(store, now + MONTH, receiver.webhook(timeout=5)) == 1

    first, second = receiver.got
    assert first.verified and second.verified
    assert (first.id, first.body) == (second.id, second.body)
    assert only(store)[0].state is DeliveryState.DONE


def test_the_beginning_of_an_answer_is_kept_and_no_more(store: Store, fill: Fill, now: datetime) -> None:
    fill("test")
    with Receiver(answer(500, b"bo\x1b[31mom\r\n" + b"x" * 9000)) as receiver:
        run(store, now, receiver.webhook())
    _, (attempt,) = only(store)
    assert attempt.response is not None
    assert attempt.response.startswith("bo[31mom xxx")
    assert len(attempt.response) == 500


def test_an_answer_of_ten_megabytes_is_not_read(store: Store, fill: Fill, now: datetime) -> None:
    fill("test")
    with Receiver(huge) as receiver:
        run(store, now, receiver.webhook())
    delivery, (attempt,) = only(store)
    assert delivery.state is DeliveryState.DONE
    assert len(attempt.response or "") == 500
    assert attempt.duration_ms < 3000


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured(form: str, store: Store, fill: Fill, now: datetime) -> None:
    fill("test")
    asked = "7200" if form == "seconds" else format_datetime(now + timedelta(hours=2), usegmt=True)
    with Receiver(answer(429, Retry_After=asked)) as receiver:
        run(store, now, receiver.webhook())
    delivery, _ = only(store)
    assert timedelta(seconds=7198) <= delivery.next_at - now <= timedelta(seconds=7210)


def test_gone_is_given_up_at_once(store: Store, fill: Fill, now: datetime) -> None:
    fill("test")
    with Receiver(answer(410)) as receiver:
        run(store, now, receiver.webhook())
        assert run(store, now + MONTH, receiver.webhook()) == 0
    delivery, _ = only(store)
    assert (delivery.state, delivery.last_error) == (
        DeliveryState.DEAD,
        "answered 410 Gone: the receiver wants no more of these",
    )


@on_both
def test_after_the_last_attempt_it_is_dead_and_a_person_can_open_it_again(
    store: Store, fill: Fill, now: datetime
) -> None:
    fill("test")
    with Receiver(answer(503), answer(503)) as receiver:
        for n in range(3):
            run(store, now + n * MONTH, receiver.webhook(attempts=2))
        delivery, attempts = only(store)
        assert len(attempts) == 2
        assert (delivery.state, delivery.last_error) == (
            DeliveryState.DEAD,
            "given up after 2 attempts: answered 503 Service Unavailable",
        )
        assert store.retry([delivery.id], now) == 1
        run(store, now, receiver.webhook(attempts=2))
    assert only(store)[0].state is DeliveryState.DONE


def test_an_expired_certificate_is_refused(store: Store, fill: Fill, now: datetime, tmp_path: Path) -> None:
    fill("test")
    authority = Authority(tmp_path)
    with Receiver().tls(authority.issue("expired")) as receiver:
        run(store, now, receiver.webhook(ca_file=authority.ca_file))
    assert receiver.got == []
    assert "certificate has expired" in (only(store)[0].last_error or "")


def test_a_certificate_of_another_host_is_refused(store: Store, fill: Fill, now: datetime, tmp_path: Path) -> None:
    fill("test")
    authority = Authority(tmp_path)
    with Receiver().tls(authority.issue("stranger")) as receiver:
        run(store, now, receiver.webhook(ca_file=authority.ca_file))
    assert receiver.got == []
    assert "Hostname mismatch" in (only(store)[0].last_error or "")


def test_a_certificate_of_an_unknown_authority_is_refused_and_of_our_own_taken(
    store: Store, fill: Fill, now: datetime, tmp_path: Path
) -> None:
    """The connection goes to a pinned address; the certificate must still be that of the name."""
    fill("test")
    authority = Authority(tmp_path)
    with Receiver().tls(authority.issue("good")) as receiver:
        run(store, now, receiver.webhook())
        assert "the certificate is not accepted: unable to get local issuer" in (only(store)[0].last_error or "")
        run(store, now + MONTH, receiver.webhook(ca_file=authority.ca_file))
    assert [got.verified for got in receiver.got] == [True]


def test_a_name_that_leads_to_loopback_is_refused(store: Store, fill: Fill, now: datetime) -> None:
    fill("test")
    with Receiver() as receiver:
        hook = receiver.webhook(url=f"https://localhost:{receiver.port}/", allow_private_address=False)
        run(store, now, hook)
    assert receiver.got == []
    error = only(store)[0].last_error or ""
    assert "localhost leads to" in error
    assert "not on the public internet; set allow_private_address: true" in error


def test_a_name_that_does_not_exist_is_tried_again(store: Store, fill: Fill, now: datetime) -> None:
    fill("test")
    run(store, now, Webhook.model_validate({"name": "test", "url": "https://nowhere.invalid/", "secret": SECRET}))
    delivery, _ = only(store)
    assert "nowhere.invalid cannot be resolved" in (delivery.last_error or "")
    assert delivery.state is DeliveryState.OPEN


def test_each_endpoint_has_its_own_secret(store: Store, fill: Fill, now: datetime) -> None:
    fill("one", "other")
    with Receiver() as one, Receiver(secret=OTHER) as other:
        assert run(store, now, one.webhook(name="one"), other.webhook(name="other", secret=OTHER)) == 2
    assert [got.verified for got in (*one.got, *other.got)] == [True, True]


def test_while_a_secret_changes_both_old_and_new_receivers_verify(store: Store, fill: Fill, now: datetime) -> None:
    fill("new", "old")
    both = {"secret": OTHER, "previous_secret": SECRET}
    with Receiver(secret=OTHER) as new, Receiver(secret=SECRET) as old:
        run(store, now, new.webhook(name="new", **both), old.webhook(name="old", **both))
    assert [got.verified for got in (*new.got, *old.got)] == [True, True]
    assert [len(got.headers["webhook-signature"].split(" ")) for got in new.got] == [2]


def test_a_slow_endpoint_does_not_delay_the_others(store: Store, fill: Fill, now: datetime) -> None:
    fill("slow", count=60)
    fill("quick", count=60)
    with Receiver(always=hang) as slow, Receiver() as quick:
        hooks = slow.webhook(name="slow", timeout=3), quick.webhook(name="quick")
        with delivering(store, *hooks, patience=0.2) as deliverer:
            begun = time.monotonic()
            while len(quick.got) < 60 and time.monotonic() - begun < 10:
                deliverer.run_due(now)
            took = time.monotonic() - begun
        assert len({got.id for got in quick.got}) == 60
        assert took < 3
        assert len(slow.got) < 20


def test_who_delivers_once_can_tell_that_something_is_still_on_its_way(store: Store, fill: Fill, now: datetime) -> None:
    fill("test")
    with Receiver(pause) as receiver, delivering(store, receiver.webhook(), patience=0.05) as deliverer:
        assert (deliverer.run_due(now), deliverer.busy) == (0, True)
        while deliverer.busy:
            made = deliverer.run_due(now)
    assert made == 1
    assert only(store)[0].state is DeliveryState.DONE


def test_an_unreachable_endpoint_costs_few_attempts_and_is_left_alone_longer_each_time(
    store: Store, fill: Fill, now: datetime
) -> None:
    fill("test", count=40)
    url = f"http://localhost:{free_port()}/"
    hook = Webhook.model_validate({"name": "test", "url": url, "secret": SECRET, "allow_private_address": True})
    with delivering(store, hook) as deliverer:
        first = deliverer.run_due(now)
        assert 1 <= first <= 8
        assert deliverer.run_due(now + timedelta(seconds=4)) == 0
        later = now + timedelta(hours=1)
        assert 1 <= deliverer.run_due(later) <= 8
        assert deliverer.run_due(later + timedelta(seconds=9)) == 0
    fresh = [delivery for delivery in store.deliveries() if delivery.attempts == 0]
    assert len(fresh) >= 24


def test_a_receiver_that_asks_for_a_pause_gets_it(store: Store, fill: Fill, now: datetime) -> None:
    fill("test", count=40)
    with (
        Receiver(always=answer(429, Retry_After="600")) as receiver,
        delivering(store, receiver.webhook()) as deliverer,
    ):
        assert 1 <= deliverer.run_due(now) <= 8
        assert deliverer.run_due(now + timedelta(seconds=590)) == 0
        assert 1 <= deliverer.run_due(now + timedelta(seconds=620)) <= 8
    assert len(receiver.got) <= 16
    untouched = [delivery for delivery in store.deliveries() if delivery.attempts == 0]
    assert len(untouched) >= 24


def test_all_of_a_backlog_is_worked_off_in_one_call(store: Store, fill: Fill, now: datetime) -> None:
    fill("test", count=110)
    with Receiver() as receiver:
        assert run(store, now, receiver.webhook()) == 110
    assert len({got.id for got in receiver.got}) == len(receiver.got) == 110


def test_connections_are_used_again_and_one_that_was_closed_meanwhile_costs_nothing(
    store: Store, fill: Fill, now: datetime
) -> None:
    """The receiver closes every connection after its answer, without saying so."""
    fill("test", count=100)
    with Receiver(always=unannounced_close) as receiver:
        run(store, now, receiver.webhook())
    assert store.deliveries(DeliveryQuery(state=DeliveryState.OPEN)) == []
    assert {got.id for got in receiver.got} == {f"msg_test-{n:04}" for n in range(100)}


@on_both
def test_two_deliverers_on_one_store_post_nothing_twice(store: Store, fill: Fill, now: datetime) -> None:
    fill("test", count=100)
    with Receiver() as receiver:
        hook = receiver.webhook()
        with delivering(store, hook, patience=0.01) as one, delivering(store, hook, patience=0.01) as other:
            while store.deliveries(DeliveryQuery(state=DeliveryState.OPEN)):
                one.run_due(now)
                other.run_due(now)
    assert len({got.id for got in receiver.got}) == len(receiver.got) == 100


@on_both
def test_deliveries_of_an_endpoint_that_is_gone_are_given_up(store: Store, fill: Fill, now: datetime) -> None:
    """After an hour: another daemon on the same database may know the endpoint."""
    fill("gone")
    with Receiver() as receiver:
        run(store, now + timedelta(minutes=50), receiver.webhook())
        assert only(store)[0].state is DeliveryState.OPEN
        run(store, now + timedelta(minutes=70), receiver.webhook())
    delivery, _ = only(store)
    assert (delivery.state, delivery.last_error) == (
        DeliveryState.DEAD,
        "the endpoint is not in the configuration any more",
    )
    assert receiver.got == []


def test_a_store_that_goes_down_is_told_and_nothing_is_lost(store: Store, fill: Fill, now: datetime) -> None:
    fill("test")

    class Failing:
        claim = staticmethod(store.claim)
        abandon = staticmethod(store.abandon)

        def attempted(self, claimed: Delivery, made: Attempt) -> None:
            raise StoreDown("disk full")

    with Receiver() as receiver:
        with pytest.raises(StoreDown, match="disk full"):
            run(Failing(), now, receiver.webhook())
        assert run(store, now + timedelta(seconds=5), receiver.webhook()) == 0
        assert run(store, now + timedelta(minutes=10), receiver.webhook()) == 1
    first, again = receiver.got
    assert first.id == again.id


def test_a_deliverer_refuses_endpoints_that_cannot_work() -> None:
    hooks = [
        Webhook.model_validate({"name": "a", "url": "https://a.example/", "secret": "s3cret"}),
        Webhook.model_validate({"name": "b", "url": "http://b.example/", "secret": SECRET, "types": ["bounce.had"]}),
    ]
    with pytest.raises(ConfigError) as caught:
        Deliverer(None, hooks)  # type: ignore[arg-type]
    assert [line.partition(": ")[0] for line in caught.value.problems] == [
        "webhooks[0].secret",
        "webhooks[1].url",
        "webhooks[1].types",
    ]
