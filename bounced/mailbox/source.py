"""What a source of raw messages is, and what it needs to be told of its own past."""

import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bounced.model import Disposition, Outcome, Place, Position, RawMessage

#: Whether mail to these envelope recipients goes first where much is waiting.
Urgent = Callable[[Sequence[str]], bool]


def nothing_urgent(_recipients: Sequence[str]) -> bool:
    """Say that all mail is alike: it comes in its order, and nothing is looked at beforehand."""
    return False


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of one folder to be made durable together. `next_uid` is where the folder stands after them."""

    messages: tuple[RawMessage, ...]
    folder: str
    uidvalidity: int
    next_uid: int


class Positions(Protocol):
    """The memory of a mailbox, kept by the ledger: how far it was read, and what is still to be acked."""

    def position(self, mailbox: str, folder: str) -> Position | None:
        """Return where the folder stands; None if it was never read."""

    def advance(self, mailbox: str, folder: str, uidvalidity: int, next_uid: int) -> None:
        """Remember that everything below `next_uid` was handled."""

    def unacked(self, mailbox: str, folder: str, uidvalidity: int) -> Sequence[tuple[Place, Disposition]]:
        """Return what was settled and not acked: a crash came between the commit and the move."""

    def acked(self, places: Sequence[Place]) -> None:
        """Remember that nothing more is to be done about these."""

    def retries(self, mailbox: str, folder: str, uidvalidity: int) -> Sequence[int]:
        """Return the UIDs that have a strike and no outcome yet; they must come again."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that `probe` tried: whether it went well, and in plain words what was found or what to do."""

    ok: bool
    text: str


class Source(Protocol):
    """Where raw messages come from. Used by one thread at a time."""

    @property
    def name(self) -> str:
        """The name of the mailbox in the configuration."""

    def poll(self, state: Positions) -> Generator[Batch, None, None]:
        """Yield what was not handled yet, batch after batch. Raises MailboxDown.

        Each batch is to be committed and then passed to `ack`, in order. The caller may ask for more before it acks
        those before; a batch without messages then says that nothing comes until all of them are acked. A batch that
        was not acked comes again with the next poll. What was acked is moved in large portions, at the latest when
        the iterator ends or is closed; a crash before that is made good by the next poll.
        """

    def ack(self, outcomes: Sequence[Outcome]) -> None:
        """Take note that these outcomes of the last batch are committed. Raises MailboxDown, StoreDown."""

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Return after `seconds`, or at once when `stop` is set or new mail is announced; True for new mail.

        Never raises for a broken connection: the next poll will find out.
        """

    def probe(self) -> list[Check]:
        """Try everything that a poll needs, change nothing, and say in plain words what was found."""

    def close(self) -> None:
        """Let go of connections and locks. Never raises; the source may be polled again afterwards."""
