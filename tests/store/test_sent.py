"""Mails recorded by their sender are found again by what a report may name of them, and forgotten in time."""

from datetime import datetime, timedelta

from bounced.model import Records, References, Sent, Tags
from bounced.store import Store

TAGS = Tags("autumn", "newsletter", ("promo", "shoes"), "marketing")


def mail(number: int, message_id: str | None = "1@shop.example", **more: object) -> Sent:
    return Sent(f"id{number:07}", f"user{number:07}@customer.example", message_id, TAGS, **more)  # type: ignore[arg-type]


def recall(store: Store, **wanted: tuple[str, ...]) -> Records:
    with store.begin() as tx:
        return tx.recall([References(**wanted)])


def test_nothing_recorded_is_told_cheaply(store: Store, now: datetime) -> None:
    with store.begin() as tx:
        assert not tx.keeps_sent()
        assert not tx.recall([References(("a",), ("b@c",), ("d",), ("e@f",))])
    store.add_sent([mail(1)], {}, now)
    with store.begin() as tx:
        assert tx.keeps_sent()


def test_a_mail_comes_back_as_it_was(store: Store, now: datetime) -> None:
    """By its id, and by its Message-ID to its recipient."""
    one = mail(1, at=now, return_path="b+token@returns.example.net")
    assert store.add_sent([one, mail(2, "2@shop.example")], {}, now) == 2

    assert recall(store, ids=(one.id,)).by_id == {one.id: one}
    found = recall(store, message_ids=("1@shop.example",), recipients=(one.recipient,))
    assert found.by_message_id == {"1@shop.example": (one,)}
    assert not recall(store, ids=("unknown",), message_ids=("other@shop.example",), recipients=(one.recipient,))


def test_recorded_again_it_is_there_once(store: Store, now: datetime) -> None:
    store.add_sent([mail(1)], {}, now - timedelta(days=2))
    store.add_sent([mail(1, "2@shop.example")], {}, now)

    assert store.sent_counts().mails == 1
    assert recall(store, ids=("id0000001",)).by_id["id0000001"].message_id == "2@shop.example"


def test_of_a_mailing_to_thousands_only_few_are_fetched(store: Store, now: datetime) -> None:
    """The one that is named, and two that show that it was not sent to one alone."""
    assert store.add_sent(map(mail, range(7_000)), {}, now) == 7_000

    found = recall(store, message_ids=("1@shop.example",), recipients=("user0000777@customer.example", "no@x.example"))

    assert {one.id for one in found.by_message_id["1@shop.example"]} == {"id0000000", "id0000777", "id0006999"}


def test_a_mark_gives_the_tags_back(store: Store, now: datetime) -> None:
    store.add_sent([], {"0a0b0c": TAGS}, now)

    assert recall(store, marks=("0a0b0c", "ffffff")).by_mark == {"0a0b0c": TAGS}
    assert store.sent_counts().campaigns == 1


def test_what_is_old_is_forgotten(store: Store, now: datetime) -> None:
    """Marks by when they were last recorded: a campaign may be long."""
    old = now - timedelta(days=100)
    store.add_sent((mail(n, at=old if n else now) for n in range(6_000)), {"0a": TAGS}, old)
    store.add_sent([], {"0b": TAGS}, now)

    assert store.forget_sent(now - timedelta(days=50)) == 5_999
    assert store.forget_sent(now - timedelta(days=50)) == 0
    counts = store.sent_counts()
    assert (counts.mails, counts.campaigns, counts.oldest) == (1, 1, now)


def test_text_of_strangers_is_only_looked_for(store: Store, now: datetime) -> None:
    """Octets that a database refuses find nothing and break nothing."""
    store.add_sent([mail(1)], {}, now)
    strange = ("\0", "\ud800@x", "'; --", "%", "x" * 2_000)

    assert not recall(store, ids=strange, message_ids=strange, marks=strange, recipients=strange)
