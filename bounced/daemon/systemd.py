"""What the daemon tells systemd: sd_notify(3) by cysystemd. Says nothing where no one listens."""

import os
import time
from collections.abc import Mapping

from cysystemd._daemon import sd_notify  # type: ignore[import-not-found]  # compiled, without a stub

#: How often the heartbeat is due where systemd asks for none, in seconds.
_UNWATCHED = 10.0


class Systemd:
    """The supervisor, if there is one."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._listens = bool(environ.get("NOTIFY_SOCKET"))
        mine = environ.get("WATCHDOG_PID") in (None, "", str(os.getpid()))
        usec = environ.get("WATCHDOG_USEC", "")
        self._watchdog = int(usec) / 1e6 if mine and usec.isdecimal() and int(usec) else None
        self._status = ""

    @property
    def every(self) -> float:
        """Seconds between two heartbeats: a third of what systemd allows."""
        return self._watchdog / 3 if self._watchdog else _UNWATCHED

    def ready(self) -> None:
        """Say that the start, or a reload, is complete."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """Say that a reload has begun; the time stamp is what systemd tells reloads apart by."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """Send the heartbeat, if systemd waits for one."""
        if self._watchdog:
            self._tell("WATCHDOG=1")

    def status(self, line: str) -> None:
        """Show `line` in `systemctl status`; the same line is not sent twice running."""
        if line != self._status:
            self._status = line
            self._tell("STATUS=" + line.replace("\n", " "))

    def _tell(self, line: str) -> None:
        if not self._listens:
            return
        try:
            sd_notify(line)
        except (RuntimeError, ValueError):
            self._listens = False
