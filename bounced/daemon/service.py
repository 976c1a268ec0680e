"""Everything that one configuration calls for, at work: mailboxes, deliveries, expiry, leases.

A reload builds a second one beside it and swaps.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from bounced.canary import dismiss
from bounced.changing import change
from bounced.config import Config, ImapMailbox, Mailbox
from bounced.daemon import wiring
from bounced.daemon.canary import CanarySender
from bounced.daemon.interpreter import seldom_collected, short_turns
from bounced.daemon.judging import Judges
from bounced.daemon.leases import Leases, owner
from bounced.daemon.loops import NEVER, Loops
from bounced.daemon.polling import Allowance, Poller, Shared
from bounced.daemon.pulse import Pulse
from bounced.daemon.serving import desk
from bounced.errors import BouncedError
from bounced.model import Attempt, Delivery
from bounced.notify.canary import of_canary
from bounced.serve.health import Health
from bounced.serve.metrics import Metrics
from bounced.store import MAILED_DAYS, Store
from bounced.watching import settle

log = structlog.get_logger("bounced.daemon")

#: Seconds between two looks for due deliveries, for suppressions, waves and alarms that are over, for old rows.
_DELIVER_EVERY, _EXPIRE_EVERY, _PRUNE_EVERY = 1.0, 60.0, 6 * 3600.0
#: Seconds between two turns of counting for reports, and transactions of one turn.
_COUNT_EVERY, _COUNT_STEPS = 300.0, 50
#: Expired entries ended in one transaction.
_EXPIRE_AT_ONCE = 500
#: Seconds that a step may take beyond what its own limits add up to.
_SLACK = 60.0


@dataclass(frozen=True, slots=True)
class Instruments:
    """What outlives a reload: the pulse, the state that HTTP shows, the counters, and what asks for one."""

    pulse: Pulse
    health: Health
    metrics: Metrics
    reload: Callable[[], None] | None = None


class Counted:
    """The outbox, with its attempts counted."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self.claim, self.abandon = store.claim, store.abandon
        self._store, self._metrics = store, metrics

    def attempted(self, claimed: Delivery, made: Attempt) -> None:
        """Record an attempt, then count it."""
        self._store.attempted(claimed, made)
        self._metrics.attempted(claimed.endpoint, made.state.value)


class Service:
    """One configuration at work. Every loop waits for the database; then they run beside each other."""

    def __init__(self, config: Config, instruments: Instruments, works: bool = True) -> None:
        """Build everything and start nothing. Raises ConfigError for rules or settings that cannot be used.

        One that does not work polls, posts and ends nothing: it only has a desk for what is asked.
        """
        rules = wiring.rules(config)
        self.config = config if works else config.model_copy(update={"mailboxes": ()})
        self._instruments, self._works = instruments, works
        self.store = wiring.store(config)
        self.prepared = threading.Event()
        self._stages = wiring.stages(config, self.store)
        self._deliverer = wiring.deliverer(config, Counted(self.store, instruments.metrics))
        self._judges = Judges(config)
        self.desk = desk(config, self._stages, self.store, rules, self._judges, instruments.reload)
        self._loops = Loops(instruments.pulse, len(config.mailboxes) + 8)
        self._pollers = self._make_pollers()
        self._leases = Leases(self.store, owner(), shared=not self.store.is_sqlite)
        self._canary = CanarySender(config.canary, config, self.store) if config.canary else None

    def start(self) -> None:
        """Start to work: first the database, and once that answers, the rest."""
        self._instruments.health.expect({m.name: m.poll_every for m in self.config.mailboxes})
        self._loops.start()
        self._loops.add("database", self._prepare, _SLACK * 10)

    def stop(self, grace: float) -> list[str]:
        """Let every loop finish its batch, for `grace` seconds at most; return the names of those that did not.

        A loop that is late may go on until the process ends: what it commits is whole, what it does not comes again.
        """
        late = self._loops.stop(grace)
        for poller in self._pollers:
            if poller.loop not in late:
                poller.source.close()
        self._deliverer.close()
        self._judges.close()
        if not late:
            self._release()
            self.store.close()
        return late

    def line(self) -> str:
        """Return what `systemctl status` shows."""
        problems = [f"{name}: {problem}" for name, problem in sorted(self._loops.problems().items())]
        work = f"polling {len(self._pollers)} mailbox(es)" if self._works else "answering"
        work = work if self.prepared.is_set() else "waiting for the database"
        return "; ".join([work, *problems])[:500]

    def gauges(self) -> Iterable[tuple[str, str, Mapping[str, float]]]:
        """Return what the ledger counts, for the metrics. Raises StoreDown."""
        counts = self.store.counts()
        oldest = counts.oldest_open_delivery
        waited = (datetime.now(UTC) - oldest).total_seconds() if oldest else 0.0
        return [
            ("bounced_suppressions", "", {"": counts.suppressions}),
            ("bounced_outbox_depth", "state", {"open": counts.open_deliveries, "dead": counts.dead_deliveries}),
            ("bounced_outbox_oldest_seconds", "", {"": waited}),
            ("bounced_messages_waiting", "for", {"retry": counts.struck_messages, "ack": counts.unacked_messages}),
            *self._watched(),
            *self._flown(),
        ]

    def _watched(self) -> Iterable[tuple[str, str, Mapping[str, float]]]:
        """Return how many waves there are to look at, whom they hold, and the alarms that stand."""
        waves = self.store.all_waves(unsettled=True)
        held = self.store.held_amounts([wave.id for wave in waves])
        states = Counter(str(wave.state) for wave in waves)
        alarms = Counter(str(alarm.fault) for alarm in self.store.all_alarms(standing=True))
        return [
            ("bounced_waves", "state", {state: states[state] for state in ("open", "asking")}),
            ("bounced_waves_held_addresses", "", {"": sum(held.values())}),
            ("bounced_alarms", "fault", {fault: alarms[fault] for fault in ("sender", "message")}),
        ]

    def _flown(self) -> Iterable[tuple[str, str, Mapping[str, float]]]:
        """Return whether the canary is missed, and when one last came back; nothing where none is sent."""
        if self.config.canary is None:
            return []
        landed = [each.returned_at for each in self.store.recent_canaries() if each.returned_at]
        return [
            ("bounced_canary_missed", "", {"": float(self.store.standing_canary_alarm() is not None)}),
            ("bounced_canary_returned_timestamp_seconds", "", {"": max(landed).timestamp() if landed else 0.0}),
        ]

    def _prepare(self) -> float:
        self.store.upgrade()
        seldom_collected()
        short_turns()
        if not self._works:
            self.prepared.set()
            return NEVER
        for poller in self._pollers:
            failed = partial(self._poll_failed, poller.name)
            self._loops.add(poller.loop, partial(self._turn, poller), _SLACK + poller.allowance.fetch, failed)
        longest = max((hook.timeout for hook in self.config.webhooks), default=0.0)
        self._loops.add("deliveries", self._deliver, _SLACK + 10 * longest)
        self._loops.add("expiry", self._expire, _SLACK * 5)
        self._loops.add("waves", self._settle, _SLACK * 5)
        self._loops.add("figures", self._count, _SLACK * 10)
        self._loops.add("pruning", self._prune, _SLACK * 30)
        if self._canary:
            self._loops.add("canary", self._canary.step, self._canary.allowance)
        elif self.store.standing_canary_alarm():
            dismiss(self.store.begin, of_canary, datetime.now(UTC))
        if self._leases.shared:
            self._loops.add("leases", self._renew, _SLACK)
        self.prepared.set()
        return NEVER

    def _turn(self, poller: Poller) -> float:
        """Poll once, then wait for news until the next poll is due."""
        if not self._leases.take(poller.name):
            self._instruments.health.elsewhere(poller.name)
            return self._leases.retry_every
        due = time.monotonic() + poller.every
        poller.poll()
        left = due - time.monotonic()
        if left > 0 and not self._loops.stop_asked.is_set():
            poller.wait(left)
        return 0.0

    def _poll_failed(self, mailbox: str, exc: BouncedError) -> None:
        self._instruments.health.failed(mailbox, str(exc))
        self._instruments.metrics.poll_failed(mailbox)

    def _deliver(self) -> float:
        while not self._loops.stop_asked.is_set() and self._deliverer.run_due(datetime.now(UTC)):
            self._instruments.pulse.promise("deliveries", _SLACK * 5)
        return _DELIVER_EVERY

    def _expire(self) -> float:
        now = datetime.now(UTC)
        while not self._loops.stop_asked.is_set() and (over := self.store.expired(now, _EXPIRE_AT_ONCE)):
            change(wiring.ended(over, now), self.store, self._stages.compose, now)
            log.info("expired", suppressions=len(over))
        return _EXPIRE_EVERY

    def _settle(self) -> float:
        """End waves and alarms that are over."""
        waves, alarms = settle(self._stages, datetime.now(UTC))
        for wave in waves:
            log.info("wave over", wave=wave.id, provider=wave.provider, reason=wave.reason, state=wave.state)
        for alarm in alarms:
            log.info("alarm cleared", provider=alarm.provider, reason=alarm.reason)
        return _EXPIRE_EVERY

    def _count(self) -> float:
        """Count for reports what is new."""
        return _COUNT_EVERY if self.store.roll_up(datetime.now(UTC), _COUNT_STEPS) else 0.0

    def _prune(self) -> float:
        self.store.roll_up(datetime.now(UTC))  # figures stay of what goes
        self.store.prune_tallies(datetime.now(UTC), self.config.policy.waves.history_days + 7)
        now, privacy = datetime.now(UTC), self.config.privacy
        pruned = self.store.prune(now, notifications_days=privacy.notifications_days)
        forgotten = self.store.forget(now, wiring.retention(self.config))
        if pruned.messages or pruned.notifications:
            log.info("pruned", messages=pruned.messages, notifications=pruned.notifications)
        if forgotten.any:
            log.info("forgotten", **asdict(forgotten))
        self.store.forget_mailed(now.date() - timedelta(days=MAILED_DAYS))
        if mails := self.store.forget_sent(now - timedelta(days=self.config.correlation.sent.keep_days)):
            log.info("forgotten", sent=mails)
        return _PRUNE_EVERY

    def _renew(self) -> float:
        stuck = self._instruments.pulse.overdue()
        return self._leases.renew(poller.name for poller in self._pollers if poller.loop not in stuck)

    def _release(self) -> None:
        try:
            self._leases.release()
        except BouncedError as exc:
            log.warning("leases run out by themselves", why=str(exc))

    def _make_pollers(self) -> list[Poller]:
        made = self._instruments
        shared = Shared(
            self._stages,
            self._judges,
            self.store,
            made.pulse,
            made.health,
            made.metrics,
            self._loops.stop_asked,
        )
        settings = zip(wiring.sources(self.config), self.config.mailboxes, strict=True)
        return [Poller(source, shared, self._allowance(m), m.poll_every) for source, m in settings]

    def _allowance(self, mailbox: Mailbox) -> Allowance:
        fetch = 5 + 5 * mailbox.timeout if isinstance(mailbox, ImapMailbox) else 5 * _SLACK
        return Allowance(fetch, self.config.limits.seconds, _SLACK + 3 * self.config.database.busy_timeout)
