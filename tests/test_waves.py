"""An outage at one provider costs none of its living addresses, and dead ones go on being suppressed."""

import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain, count, repeat
from pathlib import Path

import pytest

from bounced.config import Database, parse
from bounced.daemon.pulse import Pulse
from bounced.daemon.service import Instruments, Service
from bounced.model import Fault, Notification, Reason, Trust, WaveState
from bounced.pipeline import Ledger, Transaction
from bounced.serve.health import Health
from bounced.serve.metrics import Metrics
from bounced.store import Store
from tests.refusals import START, Installation, month, people, spread

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


@pytest.fixture
def settled(installation: Installation) -> Installation:
    """Return an installation with a month behind it."""
    installation.take(month(), at_once=250)
    return installation


def states(installation: Installation) -> dict[str, WaveState]:
    return {wave.provider: wave.state for wave in installation.store.all_waves()}


def test_a_slow_outage(settled: Installation) -> None:
    """Forty an hour are too few for an hour to notice; a day does, and those before join."""
    living = people(1000, "gmail.com")
    settled.take(spread(living, MONTH + 5, 25), at_once=50)
    settled.settle(MONTH + 60)

    assert states(settled) == {"google": WaveState.RELEASED}
    assert settled.suppressed(living, MONTH + 60) == set()
    (told,) = settled.told("wave.opened")
    assert told["held"] == pytest.approx(100, abs=60)


def test_two_outages_at_once(settled: Installation) -> None:
    """Neither makes the other look usual; a reason of its own is a wave of its own."""
    google, microsoft = people(500, "gmail.com"), people(500, "outlook.com")
    reports = spread(google, MONTH + 5, 1) + spread(microsoft, MONTH + 5, 1, Reason.MAILBOX_DISABLED)
    settled.take(reports, at_once=60)
    settled.settle(MONTH + 13)

    assert states(settled) == {"google": WaveState.RELEASED, "microsoft": WaveState.RELEASED}
    assert settled.suppressed(google + microsoft, MONTH + 13) == set()


def test_an_outage_on_the_first_day(installation: Installation) -> None:
    """Where no past tells what is usual, there is a floor; below it everything is believed."""
    gone, living = people(30, "gmail.com", "gone"), people(400, "yahoo.com")
    installation.take(spread(gone, 1, 1), at_once=30)
    installation.take(spread(living, 2, 1), at_once=30)
    installation.settle(10)

    assert states(installation) == {"yahoo": WaveState.RELEASED}
    assert installation.suppressed(gone + living, 10) == set(gone)


def bad_list() -> list[str]:
    """Return dead addresses as an old list has them: many providers, all at once."""
    small = [f"lost{n}@tiny{n % 250}.example" for n in range(900)]
    return people(500, "gmail.com", "lost") + people(300, "outlook.com", "lost") + small


def shuffled(addresses: list[str]) -> list[str]:
    return random.Random(1).sample(addresses, len(addresses))


def test_a_bad_list_is_told_apart_or_asked_about(settled: Installation) -> None:
    """Whoever is not suppressed at once is held by a wave that asks; confirmed, all are. None is lost."""
    dead = shuffled(bad_list())
    settled.take(spread(dead, MONTH + 5, 2), at_once=100)
    settled.settle(MONTH + 14)

    assert set(states(settled).values()) <= {WaveState.ASKING}
    suppressed = settled.suppressed(dead, MONTH + 14)
    assert {a for a in dead if "tiny" in a} <= suppressed
    waves = settled.store.all_waves()
    held = {member.address for wave in waves for member in settled.store.held(wave.id)}
    assert set(dead) <= suppressed | held
    for wave in waves:
        settled.conclude(wave, WaveState.CONFIRMED, MONTH + 15)
    assert settled.suppressed(dead, MONTH + 16) == set(dead)


def test_a_bad_list_on_the_first_day_is_asked_about(installation: Installation) -> None:
    dead = shuffled(bad_list())
    installation.take(spread(dead, 1, 2), at_once=100)
    installation.settle(12)

    waves = installation.store.all_waves()
    assert {wave.state for wave in waves} <= {WaveState.ASKING}
    held = {member.address for wave in waves for member in installation.store.held(wave.id)}
    assert set(dead) <= installation.suppressed(dead, 12) | held


def test_a_list_of_one_provider_that_was_never_alive_is_asked_about(installation: Installation) -> None:
    """Where signs of life are kept, it tells that there is none of any of them."""
    installation.alive(people(300, "gmail.com", "customer"), hour=0)
    installation.take(spread(people(200, "gmail.com", "lost"), 10, 1), at_once=50)
    installation.settle(20)
    assert states(installation) == {"google": WaveState.ASKING}


def test_addresses_known_to_live_prove_an_outage(installation: Installation) -> None:
    known = people(300, "gmail.com", "customer")
    installation.alive(known, hour=0)
    installation.take(spread(known[:200], 10, 1), at_once=50)
    installation.settle(20)
    assert states(installation) == {"google": WaveState.RELEASED}
    assert installation.suppressed(known, 20) == set()


def test_a_person_may_change_their_mind(installation: Installation) -> None:
    """Confirmed and released again; after that, the same reports change nothing, whenever they come."""
    living = people(120, "gmail.com")
    reports = spread(living, 5, 1)
    installation.take(reports, at_once=40)
    (wave,) = installation.store.all_waves()

    installation.conclude(wave, WaveState.CONFIRMED, 7)
    assert installation.suppressed(living, 8) == set(living)
    (wave,) = installation.store.all_waves()
    installation.conclude(wave, WaveState.RELEASED, 9)
    assert installation.suppressed(living, 10) == set()

    installation.take(reports, at_once=120, late=20)
    installation.settle(40)
    assert installation.suppressed(living, 41) == set()
    assert [told["state"] for told in installation.told("wave.closed")] == ["confirmed", "released", "released"]


def test_late_and_shuffled_reports_of_a_wave_are_held_too(installation: Installation) -> None:
    """A mailbox that was down during the outage brings its reports a day later."""
    living = people(200, "gmail.com")
    reports = spread(living, 5, 1)
    installation.take(reports[:120], at_once=40)
    installation.settle(13)
    installation.take(sorted(reports[120:], key=lambda r: r.address[::-1]), at_once=30, late=24)
    assert installation.suppressed(living, 40) == set()


def test_there_is_no_second_benefit_of_the_doubt(installation: Installation) -> None:
    """Who was held once and is refused again in another wave, more than a week later, is dead."""
    people_ = people(100, "gmail.com")
    installation.take(spread(people_, 5, 1), at_once=50)
    installation.settle(13)
    installation.take(spread(people_[:60] + people(60, "gmail.com", "new"), 9 * 24, 1), at_once=50)
    assert people_[0] in installation.suppressed(people_, 9 * 24 + 2)
    assert installation.suppressed(people(60, "gmail.com", "new"), 9 * 24 + 2) == set()


def test_held_reports_are_not_told_as_hard_bounces(installation: Installation) -> None:
    """Who acts on the webhook would drop the addresses that the wave protects."""
    installation.take(spread(people(200, "gmail.com"), 5, 1), at_once=25)
    told = {str(data["address"]) for data in installation.told("bounce.hard")}
    held = [event for event in installation.events() if event.decision.startswith("held by wave 1: ")]
    assert len(held) >= 140
    assert told.isdisjoint(event.address for event in held)
    released = {str(data["address"]) for data in installation.told("suppression.released")}
    created = {str(data["address"]) for data in installation.told("suppression.created")}
    assert created == released


@pytest.mark.parametrize("reason", [Reason.MAILBOX_UNKNOWN, Reason.AUTH_FAILURE])
def test_claims_raise_neither_wave_nor_alarm_where_paths_are_signed(database_url: str, reason: Reason) -> None:
    """Nobody keeps dead addresses from being suppressed by writing to a return path."""
    signing = {"domains": ["bounces.example.org"], "keys": [{"id": "k1", "secret": "c" * 44}]}
    config = parse({"correlation": {"signing": signing}}, {})
    with closing(Store.open(Database(url=database_url), HOOKS)) as store:
        installation = Installation(store, config)
        claims = spread(people(300, "gmail.com"), 5, 1, reason)
        installation.take((replace(claim, trust=Trust.CLAIMED) for claim in claims), at_once=100)
        assert (store.all_waves(), store.all_alarms()) == ([], [])
        assert store.counts().suppressions == 0


def test_refusals_of_our_own_fault_raise_one_alarm(installation: Installation) -> None:
    """It is told once, cleared once, raised again by the next trouble; nobody is suppressed."""
    refused = spread(people(60, "gmail.com"), 5, 1, Reason.AUTH_FAILURE)
    installation.take(refused, at_once=10)
    (alarm,) = installation.store.all_alarms(standing=True)
    assert (alarm.provider, alarm.reason, alarm.fault) == ("google", Reason.AUTH_FAILURE, Fault.SENDER)
    installation.settle(7)
    assert len(installation.store.all_alarms(standing=True)) == 1
    installation.settle(10)

    assert installation.store.all_alarms(standing=True) == []
    assert [len(installation.told(t)) for t in ("alarm.raised", "alarm.cleared")] == [1, 1]
    assert installation.store.counts().suppressions == 0
    installation.take(spread(people(40, "gmail.com", "bob"), 50, 1, Reason.AUTH_FAILURE), at_once=10)
    assert len(installation.told("alarm.raised")) == 2


def test_a_rolled_back_batch_opens_no_wave(installation: Installation) -> None:
    """Counts, waves and what they hold are committed with the events, or not at all."""
    reports = spread(people(100, "gmail.com"), 5, 0.5)
    broken = replace(installation.stages, compose=_broken)
    whole, installation.stages = installation.stages, broken
    with pytest.raises(ZeroDivisionError):
        installation.take(reports, at_once=100)
    assert (installation.store.all_waves(), installation.events()) == ([], [])
    installation.stages = whole
    installation.take(reports, at_once=100)
    (wave,) = installation.store.all_waves()
    assert wave.amount == 100


def test_a_wave_within_one_batch_is_told_of_within_its_first_hundred(installation: Installation) -> None:
    """A backlog of five hundred is handed over at once: what is broken off later has told of the wave already, and
    what comes again is counted once.
    """
    reports = spread(people(500, "gmail.com"), 5, 0.5) + spread(people(40, "firm.example"), 5, 0.5)
    whole, told = installation.stages, chain([installation.stages.compose], repeat(_broken))
    installation.stages = replace(whole, compose=lambda *found: next(told)(*found))
    with pytest.raises(ZeroDivisionError):
        installation.take(reports, at_once=540)
    assert [wave["provider"] for wave in installation.told("wave.opened")] == ["google"]
    assert 90 <= sum(event.provider == "google" for event in installation.events(limit=1000)) <= 100

    installation.stages, installation.uids = whole, count(1)
    installation.take(reports, at_once=540)
    assert len(installation.events(limit=1000)) == 540
    assert len(installation.told("wave.opened")) == 1
    assert len(installation.suppressed(people(500, "gmail.com"), 6)) == 0
    assert len(installation.suppressed(people(40, "firm.example"), 6)) == 40


def test_a_usual_batch_is_one_transaction(installation: Installation) -> None:
    """A hundred dead addresses at each of five providers are no crowd, nor are reports to a wave that is open."""
    begun: list[object] = []
    ledger, whole = installation.stages.ledger, installation.stages
    begin = Counting(ledger, begun)
    installation.stages = replace(whole, ledger=begin)
    installation.take([r for n in range(5) for r in spread(people(100, f"p{n}.example"), 5, 24)], at_once=500)
    assert len(begun) == 2
    installation.stages = whole
    installation.take(spread(people(120, "gmail.com", "early"), 30, 0.2), at_once=60)
    installation.stages = replace(whole, ledger=begin)
    begun.clear()
    installation.take(spread(people(400, "gmail.com", "late"), 30.5, 0.2), at_once=400)
    assert len(begun) == 3


@dataclass
class Counting:
    """A ledger that notes each transaction."""

    ledger: Ledger
    begun: list[object]

    def begin(self) -> AbstractContextManager[Transaction]:
        self.begun.append(None)
        return self.ledger.begin()


def _broken(*_: object) -> list[Notification]:
    raise ZeroDivisionError


def test_a_backlog_is_no_wave(installation: Installation) -> None:
    """A mailbox that was down for weeks: what counts is when it was reported, not when it is read."""
    reports = month()
    installation.take(reports, at_once=len(reports))
    assert installation.store.all_waves() == []
    assert installation.store.counts().suppressions == len({report.address for report in reports})


def test_old_counts_are_removed(installation: Installation) -> None:
    installation.take(spread(people(30, "gmail.com"), 0, 30), at_once=30)
    now = START + timedelta(hours=15, days=35)
    removed = installation.store.prune_tallies(now, 35)
    assert 10 <= removed <= 20
    assert installation.store.prune_tallies(now, 35) == 0


def test_the_metrics_tell_of_waves_and_alarms(tmp_path: Path) -> None:
    config = parse({"database": {"url": f"sqlite:///{tmp_path}/bounced.db"}, "limits": {"workers": 1}}, {})
    pulse = Pulse()
    service = Service(config, Instruments(pulse, Health(lambda: None, pulse.overdue), Metrics()))
    with closing(service.store) as store:
        installation = Installation(store, config)
        installation.take(spread(people(90, "gmail.com"), 5, 1), at_once=30)
        installation.take(spread(people(30, "yahoo.com"), 6, 1, Reason.AUTH_FAILURE), at_once=30)
        gauges = {name: values for name, _, values in service.gauges()}
    assert gauges["bounced_waves"] == {"open": 1, "asking": 0}
    assert gauges["bounced_waves_held_addresses"] == {"": 90}
    assert gauges["bounced_alarms"] == {"sender": 1, "message": 0}
