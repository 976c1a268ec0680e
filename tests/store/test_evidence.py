"""Signs of life: the newest of each kind is kept."""

from datetime import datetime, timedelta

from bounced.model import Change, Move, Sign, SignOfLife
from bounced.store import Store
from tests.store.conftest import change

HOUR = timedelta(hours=1)


def test_the_newest_sign_of_each_kind_stays(store: Store, now: datetime) -> None:
    """Whatever the order, in one batch or several."""
    click = SignOfLife("a@b.example", Sign.CLICK, now, "shop")
    older = SignOfLife("a@b.example", Sign.CLICK, now - HOUR, "old")
    login = SignOfLife("a@b.example", Sign.LOGIN, now - 2 * HOUR, "shop")
    with store.begin() as tx:
        tx.testify([click, older, login])
    with store.begin() as tx:
        tx.testify([older])

    assert store.signs("a@b.example") == [login, click]
    assert store.histories(["a@b.example", "c@d.example"], now)["a@b.example"].signs == (login, click)
    assert store.addresses_alive() == 1


def test_a_dispute_marks_the_entry_and_a_new_cause_clears_it(store: Store, now: datetime) -> None:
    """What is not there cannot be disputed, and leaves no line."""
    lines: list[Change] = [change("a@b.example", now), change("a@b.example", now + HOUR, Move.DISPUTE)]
    with store.begin() as tx:
        tx.journal([*lines, change("c@d.example", now, Move.DISPUTE)])
    assert store.suppressed(["a@b.example"], "*", now)["a@b.example"].disputed == now + HOUR
    assert store.journal_of("c@d.example") == []
    assert store.counts().suppressions == 1

    with store.begin() as tx:
        tx.journal([change("a@b.example", now + 2 * HOUR)])
    assert store.suppressed(["a@b.example"], "*", now)["a@b.example"].disputed is None
