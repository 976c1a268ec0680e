"""Is it alive, is it ready: `/healthz` and `/readyz`, and the state that the loops write for them."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from fastapi import APIRouter, Response

from bounced.errors import BouncedError

#: A mailbox is ready while its last good poll is younger than this many poll intervals, and at least a minute.
_MISSED_POLLS = 3


@dataclass(frozen=True, slots=True)
class MailboxState:
    """When a mailbox was last polled to the end, and what is wrong with it now, if anything.

    `elsewhere` is true while another daemon on the same database polls it.
    """

    poll_every: float
    last_success: datetime | None = None
    problem: str | None = None
    elsewhere: bool = False

    def age(self, now: datetime) -> float | None:
        """Return the seconds since the last good poll; None if there was none yet."""
        return (now - self.last_success).total_seconds() if self.last_success else None

    def ready(self, now: datetime) -> bool:
        """True if polls succeed as often as they should."""
        age = self.age(now)
        return self.elsewhere or (age is not None and age <= max(60.0, _MISSED_POLLS * self.poll_every))


class Health:
    """The state of the daemon as its loops see it; safe for any thread.

    `ping` raises a BouncedError while the database does not answer; `stuck` names the loops that overran.
    """

    def __init__(self, ping: Callable[[], None], stuck: Callable[[], Sequence[str]]) -> None:
        self._ping, self.stuck = ping, stuck
        self._lock = threading.Lock()
        self._mailboxes: dict[str, MailboxState] = {}

    def expect(self, polled: dict[str, float]) -> None:
        """Name the mailboxes that are polled from now on, with their intervals in seconds; keeps what is known."""
        with self._lock:
            self._mailboxes = {
                name: replace(self._mailboxes.get(name, MailboxState(seconds)), poll_every=seconds)
                for name, seconds in polled.items()
            }

    def polled(self, mailbox: str, at: datetime) -> None:
        """Note that a mailbox was polled to the end."""
        self._set(mailbox, last_success=at, problem=None, elsewhere=False)

    def elsewhere(self, mailbox: str) -> None:
        """Note that another daemon polls a mailbox."""
        self._set(mailbox, problem=None, elsewhere=True)

    def failed(self, mailbox: str, why: str) -> None:
        """Note that a mailbox cannot be polled."""
        self._set(mailbox, problem=why, elsewhere=False)

    def mailboxes(self) -> dict[str, MailboxState]:
        """Return the state of each mailbox."""
        with self._lock:
            return dict(self._mailboxes)

    def database_problem(self) -> str | None:
        """Return what is wrong with the database; None if it answers."""
        try:
            self._ping()
        except BouncedError as exc:
            return str(exc)
        return None

    def _set(self, mailbox: str, **changes: object) -> None:
        with self._lock:
            if mailbox in self._mailboxes:
                self._mailboxes[mailbox] = replace(self._mailboxes[mailbox], **changes)  # type: ignore[arg-type]


def router(health: Health, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> APIRouter:
    """Return `/healthz` (503 when a loop is stuck) and `/readyz` (503 until database and mailboxes work)."""
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz")
    async def healthz(response: Response) -> dict[str, object]:
        """Alive: every loop makes progress."""
        stuck = list(health.stuck())
        response.status_code = 503 if stuck else 200
        return {"status": "stuck" if stuck else "ok", "stuck": stuck}

    @routes.get("/readyz")
    def readyz(response: Response) -> dict[str, object]:
        """Ready: the database answers and every mailbox was polled of late."""
        now, problem = clock(), health.database_problem()
        boxes = health.mailboxes()
        ready = problem is None and all(box.ready(now) for box in boxes.values())
        response.status_code = 200 if ready else 503
        return {
            "status": "ready" if ready else "not ready",
            "database": {"ok": problem is None, "problem": problem},
            "mailboxes": {name: _mailbox(box, now) for name, box in boxes.items()},
        }

    return routes


def _mailbox(box: MailboxState, now: datetime) -> dict[str, object]:
    age = box.age(now)
    return {
        "ok": box.ready(now),
        "last_success": box.last_success.isoformat() if box.last_success else None,
        "age_seconds": None if age is None else round(age, 1),
        "problem": box.problem,
        "elsewhere": box.elsewhere,
    }
