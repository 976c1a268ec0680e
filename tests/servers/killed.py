"""Polls once as `bounced poll` does and kills itself at a seam: `python -m tests.servers.killed SEAM CONFIG`."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from bounced.daemon import polling
from bounced.mailbox import session
from bounced.store import Store
from bounced.store import ledger as store_ledger

#: seam -> what stands there, its method, and whether the end comes before the call or right after it.
SEAMS: dict[str, tuple[Any, str, bool]] = {
    "fetched": (polling, "handle", True),
    "judged": (store_ledger.Batch, "fresh", True),
    "recorded": (store_ledger.Batch, "record", False),
    "journalled": (store_ledger.Batch, "journal", False),
    "announced": (store_ledger.Batch, "announce", False),
    "settled": (store_ledger.Batch, "settle", False),
    "committed": (polling, "handle", False),
    "moving": (session.Session, "move", True),
    "moved": (session.Session, "move", False),
    "acked": (Store, "acked", False),
    "advanced": (Store, "advance", False),
    "posted": (Store, "attempted", True),
    "attempted": (Store, "attempted", False),
}


def _deadly(real: Callable[..., Any], before: bool) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        if not before:
            real(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    return call


def main(seam: str, config: str) -> None:
    """Arm the seam and poll."""
    place, name, before = SEAMS[seam]
    setattr(place, name, _deadly(getattr(place, name), before))
    sys.argv = ["bounced", "poll", "--config", config]
    from bounced.cli import main as command

    command()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
