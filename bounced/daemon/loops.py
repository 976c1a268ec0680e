"""Steps that run again and again, each in a thread of its own, with back-off, by APScheduler."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers import SchedulerNotRunningError
from apscheduler.schedulers.background import BackgroundScheduler

from bounced.daemon.backoff import Backoff
from bounced.daemon.pulse import Pulse
from bounced.errors import BouncedError, ConfigError, TryLater

log = structlog.get_logger("bounced.daemon")

#: What a step returns that need not run again.
NEVER = float("inf")
#: Seconds until a step that failed by a fault of the program itself is tried again; APScheduler logs the fault.
_AFTER_A_BUG = 30.0

Step = Callable[[], float]
Failed = Callable[[BouncedError], None]


class _Scheduler(BackgroundScheduler):  # type: ignore[misc]  # apscheduler 3 is not annotated
    """Takes it calmly when a job that it just started is gone: a shutdown that comes between looks elsewhere for it."""

    def remove_job(self, job_id: str, jobstore: str | None = None) -> None:
        with suppress(JobLookupError):
            super().remove_job(job_id, jobstore)


class Loops:
    """All loops of one service. A loop that hangs delays no other; one that fails backs off and says so once."""

    def __init__(self, pulse: Pulse, threads: int) -> None:
        self.stop_asked = threading.Event()
        self._pulse = pulse
        self._loops: dict[str, _Loop] = {}
        self._scheduler = _Scheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(threads)})

    def start(self) -> None:
        """Begin to run what was added, and what will be."""
        self._scheduler.start()

    def add(self, name: str, step: Step, allowance: float, failed: Failed | None = None) -> None:
        """Run `step` at once, and again as many seconds later as it returns.

        A step has `allowance` seconds, unless it promises the pulse otherwise itself. `failed` hears of every
        TryLater and ConfigError; the loop then backs off.
        """
        self._loops[name] = _Loop(name, step, allowance, failed)
        self._again(self._loops[name], 0)

    def problems(self) -> dict[str, str]:
        """Return what is wrong now, by the name of the loop."""
        return {loop.name: loop.problem for loop in list(self._loops.values()) if loop.problem}

    def stop(self, grace: float) -> list[str]:
        """Let every step under way finish, for `grace` seconds at most; return the loops that did not."""
        self.stop_asked.set()
        try:
            self._scheduler.shutdown(wait=False)
        except SchedulerNotRunningError:
            return []
        end = time.monotonic() + grace
        loops = list(self._loops.values())
        late = [loop.name for loop in loops if not loop.idle.wait(max(0.0, end - time.monotonic()))]
        for loop in loops:
            self._pulse.forget(loop.name)
        return late

    def _again(self, loop: "_Loop", seconds: float) -> None:
        if self.stop_asked.is_set() or seconds == NEVER:
            self._pulse.forget(loop.name)
            return
        self._pulse.promise(loop.name, seconds + loop.allowance)
        when = datetime.now(UTC) + timedelta(seconds=seconds)
        try:
            self._scheduler.add_job(self._run, "date", [loop], run_date=when, misfire_grace_time=None)
        except RuntimeError:  # the scheduler was shut down after the question above was asked
            self._pulse.forget(loop.name)

    def _run(self, loop: "_Loop") -> None:
        loop.idle.clear()
        pause = _AFTER_A_BUG
        try:
            if not self.stop_asked.is_set():
                self._pulse.promise(loop.name, loop.allowance)
                pause = loop.step()
                loop.succeeded()
        except (TryLater, ConfigError) as exc:
            pause = loop.failed(exc)
        finally:
            self._again(loop, pause)
            loop.idle.set()


class _Loop:
    """One step and how it fares."""

    def __init__(self, name: str, step: Step, allowance: float, failed: Failed | None) -> None:
        self.name, self.step, self.allowance, self.problem = name, step, allowance, ""
        self.idle = threading.Event()
        self.idle.set()
        self._tell, self._backoff = failed, Backoff()

    def succeeded(self) -> None:
        self._backoff.succeeded()
        if self.problem:
            log.info("works again", loop=self.name)
        self.problem = ""

    def failed(self, exc: BouncedError) -> float:
        pause = self._backoff.failed(exc)
        say = log.warning if str(exc) != self.problem else log.debug
        say("failed", loop=self.name, error=type(exc).__name__, why=str(exc), again_in=round(pause, 1))
        self.problem = str(exc)
        if self._tell:
            self._tell(exc)
        return pause
