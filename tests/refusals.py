"""Refusals as the stages before the ledger would judge them, and an installation that handles them as time goes by."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from bounced.changing import witness
from bounced.config import Config
from bounced.daemon import wiring
from bounced.model import (
    FAULT_OF,
    Category,
    Envelope,
    Event,
    Finding,
    Identity,
    Judged,
    Kind,
    Place,
    RawMessage,
    Reason,
    Report,
    Sign,
    SignOfLife,
    Trust,
    Verdict,
    Wave,
    WaveState,
)
from bounced.pipeline import Judgement, handle
from bounced.store import DeliveryQuery, EventQuery, Store
from bounced.watching import conclude, settle

START = datetime(2026, 10, 1, tzinfo=UTC)
_HARD = {Reason.MAILBOX_UNKNOWN, Reason.MAILBOX_DISABLED, Reason.ADDRESS_CHANGED, Reason.DOMAIN_MISSING}
_PROVIDERS = {"gmail.com": "google", "outlook.com": "microsoft", "yahoo.com": "yahoo"}


@dataclass(frozen=True)
class Refusal:
    """One report: whom, when (hours after the start), why."""

    address: str
    hour: float
    reason: Reason = Reason.MAILBOX_UNKNOWN
    kind: Kind = Kind.BOUNCE
    trust: Trust = Trust.MATCHED

    @property
    def at(self) -> datetime:
        return START + timedelta(hours=self.hour)

    def judged(self, place: Place) -> Judged:
        failed = self.kind is Kind.BOUNCE
        finding = Finding(self.address)
        verdict = Verdict(
            finding,
            (Category.HARD if self.reason in _HARD else Category.SOFT) if failed else None,
            self.reason if failed else None,
            FAULT_OF[self.reason],
            "status.5.1.1",
            provider=_PROVIDERS.get(self.address.rpartition("@")[2]),
        )
        report = Report(self.kind, "rfc3464", (finding,), envelope=Envelope(f"<{place.uid}@example.net>", date=self.at))
        identity = Identity(self.address, None, self.trust, "known", "test")
        return Judged(place, f"{place.uid:064}", 1000, report, ((verdict, identity),), self.at)


@dataclass
class Installation:
    """A store and its stages; refusals are handled as they happen, so many at a time."""

    store: Store
    config: Config = field(default_factory=Config)
    uids: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.store.upgrade()
        self.stages = wiring.stages(self.config, self.store)

    def take(self, refusals: Iterable[Refusal], at_once: int = 100, late: float = 0) -> None:
        """Handle refusals in the order of their time, each batch when its last one happened, or hours later."""
        waiting = sorted(refusals, key=lambda refusal: refusal.hour)
        for n in range(0, len(waiting), at_once):
            self.handle(waiting[n : n + at_once], waiting[n : n + at_once][-1].at + timedelta(hours=late))

    def handle(self, batch: Sequence[Refusal], now: datetime) -> None:
        raws = [RawMessage(Place("returns", "INBOX", 1, next(self.uids)), b"", 0, now) for _ in batch]
        by_place = {raw.place: refusal for raw, refusal in zip(raws, batch, strict=True)}

        def judge(waiting: Sequence[RawMessage]) -> list[Judgement]:
            return [replace(by_place[raw.place].judged(raw.place), digest=raw.digest()) for raw in waiting]

        raws = [replace(raw, content=b"%d" % raw.place.uid) for raw in raws]
        handle(raws, replace(self.stages, judge=judge), now)

    def settle(self, hour: float) -> None:
        """Do what the daemon does every minute."""
        settle(self.stages, START + timedelta(hours=hour))

    def conclude(self, wave: Wave, state: WaveState, hour: float) -> None:
        """Do what a person's word on a wave does."""
        conclude(wave, state, "eve", self.stages, START + timedelta(hours=hour))

    def alive(self, addresses: Iterable[str], hour: float) -> None:
        """Tell that somebody clicked."""
        at = START + timedelta(hours=hour)
        witness([SignOfLife(address, Sign.CLICK, at) for address in addresses], self.stages, at)

    def suppressed(self, addresses: Iterable[str], hour: float) -> set[str]:
        return set(self.store.suppressed(sorted(addresses), "*", START + timedelta(hours=hour)))

    def told(self, type_: str) -> list[dict[str, object]]:
        """Return the data of every notification of a type, oldest first."""
        found = self.store.deliveries(DeliveryQuery(type=type_, limit=100_000))
        return [dict(delivery.notification.data) for delivery in reversed(found)]

    def events(self, **query: object) -> list[Event]:
        return list(self.store.events(EventQuery(**query)))  # type: ignore[arg-type]


def month(hours: float = 28 * 24) -> list[Refusal]:
    """Return what a usual month brings: a few dead addresses an hour, and a mailing once a week."""
    dice = random.Random(28)
    domains = ["gmail.com", "gmail.com", "outlook.com", "yahoo.com", *(f"shop{n}.example" for n in range(6))]
    usual = [Refusal(f"old{n}@{dice.choice(domains)}", dice.uniform(0, hours)) for n in range(int(hours))]
    mailings = [
        Refusal(f"reader{week}.{n}@{dice.choice(domains)}", week * 168 + 10 + dice.uniform(0, 2))
        for week in range(int(hours / 168))
        for n in range(60)
    ]
    return usual + mailings


def people(amount: int, domain: str, name: str = "ann") -> list[str]:
    return [f"{name}{n}@{domain}" for n in range(amount)]


def spread(
    addresses: Sequence[str], begin: float, hours: float, reason: Reason = Reason.MAILBOX_UNKNOWN
) -> list[Refusal]:
    """Return one refusal for each address, evenly over some hours."""
    return [Refusal(a, begin + hours * n / len(addresses), reason) for n, a in enumerate(addresses)]
