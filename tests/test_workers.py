"""Processes that judge: one bad item costs only itself."""

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from bounced.errors import TryLater
from bounced.workers import CHUNK, Stopped, Workers


def _prepare(offset: int) -> Callable[[int], int]:
    def work(item: int) -> int:
        if item == 13:
            time.sleep(60)
        if item == 17:
            os.kill(os.getpid(), signal.SIGKILL)
        return item + offset

    return work


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers[int, int]]:
    with Workers(_prepare, (100,), seconds=1.0, processes=2) as pool:
        yield pool


def test_results_come_in_the_order_of_the_items(workers: Workers[int, int]) -> None:
    """Chunks end in any order; the caller does not see it."""
    items = [n for n in range(3 * CHUNK) if n not in (13, 17)]

    assert workers.run(items) == [n + 100 for n in items]


def test_an_item_that_hangs_is_stopped_and_the_rest_is_done(workers: Workers[int, int]) -> None:
    """The limit stops code that would never return."""
    got = workers.run([1, 13, 2])

    assert [got[0], got[2]] == [101, 102]
    assert isinstance(got[1], Stopped)
    assert "limits.seconds" in got[1].why


def test_an_item_that_kills_its_process_costs_only_itself(workers: Workers[int, int]) -> None:
    """A crash in native code leaves no hole in the results."""
    got = workers.run([1, 17, 2])

    assert [got[0], got[2]] == [101, 102]
    assert isinstance(got[1], Stopped)
    assert "died" in got[1].why


def test_nothing_to_do_is_no_work(workers: Workers[int, int]) -> None:
    """An empty batch starts nothing."""
    assert workers.run([]) == []


def test_processes_that_were_killed_while_idle_are_replaced() -> None:
    """The kernel takes memory back from whom it likes; the next batch goes on."""
    with Workers(_prepare, (100,), seconds=5.0, processes=2) as pool:
        pool.run([1, 2])
        for pid in _children(pool):
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)

        assert pool.run([1, 2]) == [101, 102]


def test_processes_that_cannot_be_prepared_mean_try_later() -> None:
    """Neither a hang nor a lost item."""
    with Workers(_unprepared, (), seconds=5.0, processes=1) as pool, pytest.raises(TryLater, match="end as soon as"):
        pool.run([1])


def _unprepared() -> Callable[[int], int]:
    raise LookupError("rules are gone")


def _children(pool: Workers[int, int]) -> list[int]:
    return list(pool._pool._pool_manager.worker_manager.workers)
