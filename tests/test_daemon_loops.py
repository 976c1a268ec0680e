"""Loops beside each other: none delays another, each backs off by itself, and a stuck one is noticed."""

import threading
import time
from collections.abc import Iterator

import pytest

from bounced.daemon.backoff import Backoff
from bounced.daemon.leases import Leases
from bounced.daemon.loops import NEVER, Loops
from bounced.daemon.pulse import Pulse
from bounced.daemon.systemd import Systemd
from bounced.errors import ConfigError, MailboxDown, StoreDown
from tests.servers.program import eventually


@pytest.fixture
def pulse() -> Pulse:
    return Pulse()


@pytest.fixture
def loops(pulse: Pulse) -> Iterator[Loops]:
    made = Loops(pulse, threads=4)
    made.start()
    yield made
    made.stop(5)


def test_a_loop_that_hangs_delays_no_other(loops: Loops) -> None:
    release, turns = threading.Event(), []

    def hang() -> float:
        release.wait(20)
        return NEVER

    def turn() -> float:
        turns.append(1)
        return 0.01

    loops.add("hangs", hang, 60)
    loops.add("turns", turn, 60)

    assert eventually(lambda: len(turns) > 5, 10)
    release.set()


def test_a_loop_that_overruns_its_allowance_is_stuck(loops: Loops, pulse: Pulse) -> None:
    """Until it is heard of again."""
    release = threading.Event()

    def hang() -> float:
        release.wait(20)
        return 60

    loops.add("hangs", hang, 0.2)

    assert eventually(lambda: pulse.overdue() == ["hangs"], 10)
    release.set()
    assert eventually(lambda: pulse.overdue() == [], 10)


@pytest.mark.parametrize("error", [MailboxDown("no route"), StoreDown("locked"), ConfigError(["no password"])])
def test_trouble_is_told_and_the_loop_comes_back(loops: Loops, error: Exception) -> None:
    told: list[str] = []
    turns: list[float] = []

    def step() -> float:
        turns.append(time.monotonic())
        if len(turns) == 1:
            raise error
        return 60

    loops.add("fails", step, 60, lambda exc: told.append(str(exc)))

    assert eventually(lambda: loops.problems() == {"fails": str(error)}, 10)
    assert eventually(lambda: len(turns) == 2, 10)
    assert turns[1] - turns[0] > 0.9  # it backed off
    assert eventually(lambda: loops.problems() == {}, 10)
    assert told == [str(error)]


def test_a_fault_of_the_program_ends_no_loop(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is logged with its traceback, and the loop comes again."""
    monkeypatch.setattr("bounced.daemon.loops._AFTER_A_BUG", 0.05)
    turns: list[int] = []

    def step() -> float:
        turns.append(1)
        raise ZeroDivisionError

    loops.add("bug", step, 60)

    assert eventually(lambda: len(turns) > 2, 10)


def test_stopping_waits_for_the_step_under_way(loops: Loops) -> None:
    """And names those for which it did not."""
    done, began, hanging, release = (threading.Event() for _ in range(4))

    def slow() -> float:
        began.set()
        time.sleep(0.5)
        done.set()
        return 0

    def hang() -> float:
        hanging.set()
        release.wait(20)
        return NEVER

    loops.add("slow", slow, 60)
    loops.add("hangs", hang, 60)
    assert began.wait(10)
    assert hanging.wait(10)

    assert loops.stop(4) == ["hangs"]
    assert done.is_set()
    release.set()


def test_a_promise_runs_out() -> None:
    now = [0.0]
    pulse = Pulse(lambda: now[0])
    pulse.promise("b", 10)
    pulse.promise("a", 5)

    assert pulse.overdue() == []
    now[0] = 11
    assert pulse.overdue() == ["a", "b"]
    pulse.promise("b", 10)
    pulse.forget("a")
    assert pulse.overdue() == []


def test_back_off_doubles_up_to_its_limit_and_begins_anew() -> None:
    backoff = Backoff(first=1, longest=60)

    waits = [backoff.failed() for _ in range(20)]

    assert 0.5 <= waits[0] <= 1
    assert all(30 <= wait <= 60 for wait in waits[8:])
    assert backoff.failed(MailboxDown("busy", retry_after=59.5)) >= 59.5
    assert backoff.failed(MailboxDown("busy", retry_after=1e9)) <= 60
    backoff.succeeded()
    assert backoff.failed() <= 1


class Register:
    """A table of leases that knows one other daemon."""

    def __init__(self) -> None:
        self.owners = {"theirs": "other"}

    def lease(self, mailbox: str, owner: str, until: object) -> bool:
        return self.owners.setdefault(mailbox, owner) == owner

    def release(self, mailbox: str, owner: str) -> None:
        if self.owners.get(mailbox) == owner:
            del self.owners[mailbox]


def test_a_mailbox_belongs_to_one_daemon() -> None:
    """What another has is not taken; what is ours is given back at the end."""
    register = Register()
    leases = Leases(register, "me", shared=True)

    assert leases.take("mine")
    assert not leases.take("theirs")
    leases.renew(["mine", "theirs"])
    leases.release()
    assert register.owners == {"theirs": "other"}


def test_a_database_of_ones_own_needs_no_leases() -> None:
    register = Register()

    assert Leases(register, "me", shared=False).take("theirs")


def test_without_systemd_nothing_is_sent() -> None:
    systemd = Systemd({})

    systemd.ready()
    systemd.alive()

    assert systemd.every == 10


def test_the_heartbeat_is_three_times_as_fast_as_the_watchdog() -> None:
    assert Systemd({"WATCHDOG_USEC": "30000000"}).every == 10
    assert Systemd({"WATCHDOG_USEC": "9000000", "WATCHDOG_PID": "1"}).every == 10  # meant for another process
