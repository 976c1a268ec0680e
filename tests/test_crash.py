"""SIGKILL at every seam: nothing lost, nothing counted twice, no second notification under another id."""

import signal
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bounced.config import Database
from bounced.model import DeliveryState
from bounced.store import EventQuery, Store
from tests.servers.dovecot import Dovecot
from tests.servers.killed import SEAMS
from tests.servers.program import bounced, configuration
from tests.servers.webhook import Endpoint
from tests.test_trouble import dsn

PERSON = b"From: Ann <ann@example.org>\r\nSubject: Lunch?\r\n\r\nAt noon?\r\n"


def let_leases_run_out(url: str) -> None:
    """Make every open delivery due and the mailbox free, as they are some time after their process died."""
    with closing(Store.open(Database(url=url))) as store:
        store.upgrade()
        waiting = [d.id for d in store.deliveries() if d.state is DeliveryState.OPEN]
        store.retry(waiting, datetime.now(UTC))
        now = datetime.now(UTC)
        store.lease("returns", "nobody", until=now, now=now + timedelta(hours=1))


def recorded(url: str) -> list[str]:
    """Return the address of each event, and demand that just these are suppressed."""
    with closing(Store.open(Database(url=url))) as store:
        addresses = sorted(str(event.address) for event in store.events(EventQuery()))
        held = store.suppressed([f"gone{n}@remote.example" for n in (1, 2, 3)])
    assert sorted(held) == addresses
    return addresses


@pytest.mark.parametrize("seam", SEAMS)
def test_killed_at_a_seam_and_started_again(seam: str, tmp_path: Path, dovecot: Dovecot, database_url: str) -> None:
    """Two reports and a person's mail; the second run ends what the first began."""
    for content in (dsn(1), PERSON, dsn(2)):
        dovecot.deliver("bounces", content)
    with Endpoint() as endpoint:
        config = configuration(tmp_path, dovecot, database_url, endpoint)
        killed = subprocess.run(
            [sys.executable, "-m", "tests.servers.killed", seam, str(config)], timeout=60, check=False
        )
        assert killed.returncode == -signal.SIGKILL
        let_leases_run_out(database_url)
        again = bounced(config, "poll")

    assert again.returncode == 0, again
    assert recorded(database_url) == ["gone1@remote.example", "gone2@remote.example"]
    assert dovecot.messages() == [((), PERSON)]
    assert len(dovecot.messages("bounces", "Processed")) == 2
    ids = {(body["type"], body["data"]["address"]): i for i, body in endpoint.got}
    assert set(ids) == {
        (kind, f"gone{n}@remote.example") for kind in ("bounce.hard", "suppression.created") for n in (1, 2)
    }
    assert len({i for i, _ in endpoint.got}) == len(ids)
