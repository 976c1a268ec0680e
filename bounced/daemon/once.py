"""One round without a daemon: for cron, for an MTA's pipe, and to see what would come."""

import mailbox
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bounced.config import Config
from bounced.daemon import wiring
from bounced.daemon.canary import CanarySender
from bounced.daemon.interpreter import seldom_collected, short_turns
from bounced.daemon.judging import Judges, Notes
from bounced.daemon.leases import Leases, owner
from bounced.daemon.polling import Allowance, Poller, Shared, log_outcomes
from bounced.daemon.pulse import Pulse
from bounced.errors import ConfigError, MailboxDown, TryLater
from bounced.mailbox import Source, read_stdin
from bounced.model import Disposition, RawMessage
from bounced.pipeline import handle
from bounced.serve.health import Health
from bounced.serve.metrics import Metrics
from bounced.store import Store
from bounced.watching import settle

log = structlog.get_logger("bounced.poll")

#: What is taken from a pipe at most; MTAs allow less by default.
_PIPE_BYTES = 256_000_000
#: Why a mailbox was passed by.
_TAKEN = "another daemon on the same database polls it"
#: How long notifications are posted at the end of a round.
_DELIVER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Round:
    """What one mailbox gave: how many messages ended where, or why it could not be polled."""

    mailbox: str
    ended: Counter[Disposition]
    problem: str | None = None


def poll_once(config: Config, sources: Sequence[Source]) -> Iterator[Round]:
    """Poll each source to its end, one after the other; then post what is due, once.

    A mailbox that is down costs only itself. Raises StoreDown before anything was fetched.
    """
    with _opened(config) as (store, shared):
        leases = Leases(store, owner(), shared=not store.is_sqlite)
        for source in sources:
            yield _round(source, shared) if leases.take(source.name) else Round(source.name, Counter(), _TAKEN)
        leases.release()
        settle(shared.stages, datetime.now(UTC))
        if config.canary:
            CanarySender(config.canary, config, store).step()
        _deliver(config, store)


def _deliver(config: Config, store: Store) -> None:
    """Post what is due; what is slow or fails is left to the next round."""
    with closing(wiring.deliverer(config, store)) as deliverer:
        end = time.monotonic() + _DELIVER_SECONDS
        while time.monotonic() < end and (deliverer.run_due(datetime.now(UTC)) or deliverer.busy):
            pass


def take(config: Config, keep: Path) -> Disposition | None:
    """Handle the one mail on standard input and return what became of it; None, with a warning, if nothing came.

    Raises TryLater: it must come again.

    There is no mailbox to leave a mail in: what is not filed as processed is put into the Maildir `keep`, after
    the commit. Everything is taken from the pipe first, also what exceeds the limit.
    """
    whole = read_stdin(_PIPE_BYTES)
    if not whole.content.strip():
        log.warning("nothing came on standard input: nothing is stored")
        return None
    raw = replace(whole, content=whole.content[: config.limits.message_bytes])
    with _opened(config) as (store, shared):
        notes = Notes(shared.judges, shared.stages)
        (outcome,) = handle([raw], notes.stages, datetime.now(UTC))
        log_outcomes("-", [outcome], notes)
        if outcome.disposition not in (Disposition.PROCESSED, Disposition.RETRY):
            _keep(whole, keep)
        store.acked([raw.place])
        _deliver(config, store)
    return outcome.disposition


def _keep(raw: RawMessage, folder: Path) -> None:
    if raw.truncated:
        raise MailboxDown(f"larger than {_PIPE_BYTES} octets: too large to be kept in {folder}")
    try:
        mailbox.Maildir(folder).add(raw.content)
    except OSError as exc:
        raise MailboxDown(f"cannot keep the mail in {folder}: {exc}") from exc


def _round(source: Source, shared: Shared) -> Round:
    with closing(source):
        try:
            return Round(source.name, Poller(source, shared, Allowance(0, 0, 0), 0).poll())
        except (TryLater, ConfigError) as exc:
            return Round(source.name, Counter(), str(exc))


@contextmanager
def _opened(config: Config) -> Iterator[tuple[Store, Shared]]:
    """Build what the pollers need, without loops, and close it again. Raises ConfigError for bad rules."""
    wiring.rules(config)
    store = wiring.store(config)
    with closing(store):
        store.upgrade()
        with closing(Judges(config)) as judges:
            pulse = Pulse()
            health = Health(store.ping, pulse.overdue)
            stages = wiring.stages(config, store)
            seldom_collected()
            short_turns()
            yield store, Shared(stages, judges, store, pulse, health, Metrics(), threading.Event())
