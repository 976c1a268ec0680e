"""Which of several daemons on one database polls which mailbox."""

import os
import secrets
import socket
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Protocol

#: A lease runs so long; whoever holds it renews it three times as often.
_SECONDS = 60.0


class Register(Protocol):
    """Where leases are written down; the ledger."""

    def lease(self, mailbox: str, owner: str, until: datetime) -> bool:
        """Take or renew a lease; False if another owner's still runs. Raises StoreDown."""

    def release(self, mailbox: str, owner: str) -> None:
        """Give a lease back, if it is still the owner's. Raises StoreDown."""


def owner() -> str:
    """Return a name for this process that no other has, on any machine."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Leases:
    """The leases of this process. With a database of its own (`shared` false) every mailbox is its own."""

    retry_every = _SECONDS / 4

    def __init__(self, register: Register, owner: str, shared: bool) -> None:
        self.shared = shared
        self._register, self._owner = register, owner
        self._lock = threading.Lock()
        self._held: set[str] = set()

    def take(self, mailbox: str) -> bool:
        """Return whether this process may poll the mailbox now. Raises StoreDown."""
        if not self.shared:
            return True
        mine = self._register.lease(mailbox, self._owner, datetime.now(UTC) + timedelta(seconds=_SECONDS))
        with self._lock:
            (self._held.add if mine else self._held.discard)(mailbox)
        return mine

    def renew(self, alive: Iterable[str]) -> float:
        """Prolong what is held of the mailboxes `alive`; return in how many seconds to do so again. Raises StoreDown.

        A lease lost to another daemon does no harm: the same message handled twice counts once.
        """
        for mailbox in set(self._mine()) & set(alive):
            self.take(mailbox)
        return _SECONDS / 3

    def release(self) -> None:
        """Let another daemon have them at once."""
        for mailbox in self._mine():
            self._register.release(mailbox, self._owner)
        with self._lock:
            self._held.clear()

    def _mine(self) -> list[str]:
        with self._lock:
            return sorted(self._held)
