"""Runs a function over items in other processes, with a time limit that really stops it. Knows no stage.

A process that overruns its time, or dies, is killed and replaced; the item it was at is the only one lost.
"""

import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import TimeoutError as Timeout
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from bounced.errors import TryLater

#: Items sent to a process at once: enough to hide the cost of sending, few enough to spread a batch.
CHUNK = 25

T = TypeVar("T")
R = TypeVar("R")

_work: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Stopped:
    """What came of an item instead of a result: its process overran the limit, or died."""

    why: str


class Workers(Generic[T, R]):
    """A pool of processes that all run the function that `prepare(*arguments)` returns.

    `prepare` runs once in each process, so what it loads is loaded there once. `seconds` is the limit for one
    item, wall-clock. `processes` of 0 means one for each processor.
    """

    def __init__(
        self, prepare: Callable[..., Callable[[T], R]], arguments: tuple[Any, ...], seconds: float, processes: int = 0
    ) -> None:
        self.seconds = seconds
        self._processes = processes or os.cpu_count() or 1
        self._prepared_by = (prepare, arguments)
        self._lock = threading.Lock()
        self._closed = False
        self._pool = self._started()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, items: Sequence[T]) -> list[R | Stopped]:
        """Return the result for each item, in order; `Stopped` for one that overran, or killed its process.

        A pool that broke (its idle processes were killed) is started anew, once. Raises TryLater if that breaks too.
        """
        pool = self._pool
        try:
            return self._run(items)
        except (BrokenProcessPool, RuntimeError):
            self._replace(pool)
        try:
            return self._run(items)
        except (BrokenProcessPool, RuntimeError) as exc:
            raise TryLater(f"the processes that read mail end as soon as they are started: {exc}") from exc

    def _run(self, items: Sequence[T]) -> list[R | Stopped]:
        chunks = list(_chunks(items))
        waiting = [(chunk, self._send(chunk)) for chunk in chunks]
        results: list[R | Stopped] = []
        for chunk, future in waiting:
            results += self._results(chunk, future)
        return results

    def close(self) -> None:
        """Stop the processes, without waiting for what they are at."""
        with self._lock:
            self._closed = True
        self._pool.stop()  # type: ignore[no-untyped-call]  # pebble leaves it unannotated
        self._pool.join()

    def _started(self) -> ProcessPool:
        return ProcessPool(
            max_workers=self._processes,
            max_tasks=0,
            initializer=_prepare,
            initargs=self._prepared_by,
            context=multiprocessing.get_context("forkserver"),
        )

    def _replace(self, broken: ProcessPool) -> None:
        """Start a new pool in place of `broken`, unless another thread has done so, or all is over."""
        with self._lock:
            if self._closed:
                raise TryLater("the processes that read mail were stopped")
            if self._pool is broken:
                broken.stop()  # type: ignore[no-untyped-call]  # pebble leaves it unannotated
                self._pool = self._started()

    def _send(self, chunk: Sequence[T]) -> ProcessFuture[bytes]:
        """Give a chunk to the processes. It is pickled here: the pickler of pipes asks about each object in Python."""
        packed = pickle.dumps(chunk, pickle.HIGHEST_PROTOCOL)
        return self._pool.schedule(_run, args=(packed,), timeout=self.seconds * (1 + len(chunk) / CHUNK))

    def _results(self, chunk: Sequence[T], future: ProcessFuture[bytes]) -> list[R | Stopped]:
        """Return a chunk's results; after a failure each item is tried alone, so that one costs only itself."""
        try:
            return list(pickle.loads(future.result()))  # noqa: S301  what our own process wrote
        except (Timeout, ProcessExpired) as exc:
            if len(chunk) == 1:
                return [Stopped(self._why(exc))]
        singles = [([item], self._send([item])) for item in chunk]
        return [result for single, sent in singles for result in self._results(single, sent)]

    def _why(self, exc: Exception) -> str:
        if isinstance(exc, ProcessExpired):
            return f"the process that worked on it died (exit status {exc.exitcode})"
        return f"it took longer than {self.seconds:g} s, the limit for one message (limits.seconds)"


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


def _prepare(prepare: Callable[..., Callable[[Any], Any]], arguments: tuple[Any, ...]) -> None:
    global _work  # one function a process, set before its first item
    _work = prepare(*arguments)


def _run(packed: bytes) -> bytes:
    if _work is None:
        raise RuntimeError("the process was not prepared")
    items = pickle.loads(packed)  # noqa: S301  what our own process wrote
    return pickle.dumps([_work(item) for item in items], pickle.HIGHEST_PROTOCOL)
