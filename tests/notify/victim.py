"""A program that delivers what is due, for tests that kill it: `victim DATABASE_URL HOOK_URL [before-record]`.

With `before-record` it stops for ever where the receiver has answered and nothing is recorded yet.
"""

import sys
import time
from datetime import UTC, datetime

from bounced.config import Database, Webhook
from bounced.model import Attempt, Delivery
from bounced.notify import Deliverer
from bounced.store import Store
from tests.notify.receiver import SECRET


class _Stuck:
    def __init__(self, store: Store) -> None:
        self.claim = store.claim
        self.abandon = store.abandon

    def attempted(self, claimed: Delivery, made: Attempt) -> None:
        print("answered", flush=True)
        time.sleep(600)


def main(database: str, url: str, *where: str) -> None:
    """Deliver until killed."""
    store = Store.open(Database(url=database))
    hook = {"name": "test", "url": url, "secret": SECRET, "allow_private_address": True, "timeout": 30}
    deliverer = Deliverer(_Stuck(store) if where else store, [Webhook.model_validate(hook)])
    while True:
        deliverer.run_due(datetime.now(UTC))


if __name__ == "__main__":
    main(*sys.argv[1:])
