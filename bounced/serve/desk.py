"""What the HTTP interface asks, and the threads it asks in: nothing that waits runs in the event loop."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

from bounced.config import Http, Policy, Webhook
from bounced.errors import StoreDown
from bounced.model import Change, Notification, SignOfLife, Tags, Wave, WaveState
from bounced.serve.importing import Importing
from bounced.serve.reviewing import Reviewing, RuleShown
from bounced.store import Store

T = TypeVar("T")

#: Fewer than the pool has connections: whatever comes over HTTP, the loops of the daemon get theirs.
_DATABASE_THREADS: Final = 4
_JUDGING_THREADS: Final = 2
#: Seconds that a question waits for its turn and its answer, beyond what the database itself may take for a lock.
_PATIENCE: Final = 30.0


#: Recipient, tags, Message-ID and purpose -> return path, ENVID, headers. Raises ValueError.
Mint = Callable[[str, Tags, str | None, str], tuple[str, str | None, dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Desk:
    """One configuration, as far as it is asked over HTTP. A reload puts another in its place.

    `commit` makes changes durable, with their notifications; `witness` takes up signs of life, `conclude` a word on a
    wave, by whom, and both return the changes that followed. `judge` says what a mail is, within its time, or raises
    Unreadable; `judge_reply` what a server's reply meant. Both answer in the words of `bounced classify`.
    `sign` mints return path, ENVID and headers for a recipient; None where no key is configured. `http` says how the
    page is reached and how long one is logged in. `review` is the queue of what was not understood, `rules` those in
    force in their order, `endpoints` who is told. `reload` has configuration and rules read again, some time soon.
    `policy` is what the suppression table does, `tell` makes the notifications of many changes that a person made.
    `importing` reads lists of addresses. `zone` names the time zone whose days reports count.
    """

    store: Store
    commit: Callable[[Sequence[Change], datetime], None]
    witness: Callable[[Sequence[SignOfLife], datetime], Sequence[Change]]
    conclude: Callable[[Wave, WaveState, str, datetime], Sequence[Change]]
    judge: Callable[[bytes], Mapping[str, Any]]
    judge_reply: Callable[[str, str | None, str | None], Mapping[str, Any]]
    message_bytes: int
    sign: Mint | None = None
    http: Http = field(default_factory=Http)
    review: Reviewing | None = None
    rules: Sequence[RuleShown] = ()
    endpoints: Sequence[Webhook] = ()
    reload: Callable[[], None] | None = None
    policy: Policy = field(default_factory=Policy)
    tell: Callable[[Sequence[Change]], Sequence[Notification]] = lambda _: ()
    importing: Importing | None = None
    zone: str = "UTC"


class Threads:
    """Threads for what waits: for the database, a judgement, a whole list; and for notes that nobody waits for."""

    def __init__(self) -> None:
        self._database = ThreadPoolExecutor(_DATABASE_THREADS, "http-database")
        self._judging = ThreadPoolExecutor(_JUDGING_THREADS, "http-judging")
        self._notes = ThreadPoolExecutor(1, "http-notes")
        self._lists = ThreadPoolExecutor(1, "http-lists")
        self._list = threading.Lock()

    async def ask(self, work: Callable[[], T]) -> T:
        """Return what the database answers. Raises what `work` does; StoreDown if it takes too long."""
        return await self._within(self._database, work)

    async def judge(self, work: Callable[[], T]) -> T:
        """Return a judgement; many that come at once wait for each other, not the look-ups for them."""
        return await self._within(self._judging, work)

    async def take_in(self, work: Callable[[], T]) -> T:
        """Return what came of a whole list, however long it takes; one at a time. Raises StoreDown while another is."""
        if not self._list.acquire(blocking=False):
            raise StoreDown("another list is being taken in")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._lists, work)
        finally:
            self._list.release()

    def note(self, work: Callable[[], None]) -> None:
        """Do it some time soon."""
        self._notes.submit(work)

    def close(self) -> None:
        """Finish what has begun, forget what has not."""
        for pool in (self._database, self._judging, self._notes, self._lists):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _within(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await asyncio.get_running_loop().run_in_executor(pool, work)
        except TimeoutError:
            raise StoreDown(f"no answer within {_PATIENCE:g} s: too much is asked at once") from None
