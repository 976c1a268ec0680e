"""Who has promised to make progress until when: what the watchdog's heartbeat hangs on."""

import threading
import time
from collections.abc import Callable


class Pulse:
    """Promises of the loops; safe for any thread.

    A loop promises before each step that may block to be heard of again within so many seconds. A loop whose
    promise ran out is stuck, whatever it waits for.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._due: dict[str, float] = {}

    def promise(self, loop: str, seconds: float) -> None:
        """Note progress of `loop`, and that it will be heard of again within `seconds`."""
        with self._lock:
            self._due[loop] = self._clock() + seconds

    def forget(self, loop: str) -> None:
        """Expect nothing of `loop` any more: it has ended."""
        with self._lock:
            self._due.pop(loop, None)

    def overdue(self) -> list[str]:
        """Return the names of the loops that broke their promise, in alphabetical order."""
        now = self._clock()
        with self._lock:
            return sorted(loop for loop, due in self._due.items() if due < now)
