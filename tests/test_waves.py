"""An outage at one provider costs none of its living addresses, and dead ones go on being suppressed."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from bounced.config import Database
from bounced.model import Reason, WaveState
from bounced.store import Store
from tests.refusals import Installation, month, people, spread

MONTH = 28 * 24.0
HOOKS = {"operator": ("*",)}


@pytest.fixture
def installation(database_url: str) -> Iterator[Installation]:
    with closing(Store.open(Database(url=database_url), HOOKS)) as store:
        yield Installation(store)


def test_eight_thousand_living_addresses_refused_in_two_hours(installation: Installation) -> None:
    """None of them is suppressed afterwards, thirty unknown users elsewhere are, the operator was told in time."""
    installation.take(month(), at_once=200)
    assert installation.told("wave.opened") == []
    before = installation.store.counts().suppressions
    living = people(8000, "gmail.com")
    dead = people(10, "outlook.com", "gone") + people(10, "yahoo.com", "gone") + people(10, "firm.example", "gone")

    wave = sorted(spread(living, MONTH + 5, 2) + spread(dead, MONTH + 5, 2), key=lambda refusal: refusal.hour)
    installation.take(wave[:100], at_once=50)
    assert [told["provider"] for told in installation.told("wave.opened")] == ["google"]
    installation.take(wave[100:], at_once=200)
    installation.settle(MONTH + 9)
    assert [wave.state for wave in installation.store.all_waves()] == [WaveState.OPEN]
    installation.settle(MONTH + 14)

    (ended,) = installation.store.all_waves()
    assert (ended.provider, ended.reason, ended.state) == ("google", Reason.MAILBOX_UNKNOWN, WaveState.RELEASED)
    assert installation.suppressed(living, MONTH + 15) == set()
    assert installation.suppressed(dead, MONTH + 15) == set(dead)
    assert before <= installation.store.counts().suppressions + 20
    (told,) = installation.told("wave.closed")
    assert (told["state"], told["held"]) == ("released", pytest.approx(8000, abs=10))
