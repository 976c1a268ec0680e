"""Stages made from the configuration; the one place, beside pipeline.py, that knows all of them.

Each stage is imported by the function that builds it: a command that only reads mail needs no database library.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from bounced.canary import Cage
from bounced.changing import witness
from bounced.config import Config, FolderMailbox, Webhook, secret_problems
from bounced.errors import ConfigError
from bounced.keeping import keep, pseudonym
from bounced.model import Change, Event, History, Notification, Place, RawMessage, SignOfLife, Suppression, Wave
from bounced.pipeline import Decide, Judgement, Keep, Reading, Stages
from bounced.recalling import Memory
from bounced.sealing import Seal
from bounced.watching import Watch

if TYPE_CHECKING:
    from bounced.classify import Rules
    from bounced.correlate import Correlator
    from bounced.mailbox import Source
    from bounced.notify import Deliverer, Ping
    from bounced.notify.deliver import Outbox
    from bounced.screening import Screening
    from bounced.store import Retention, Store


#: Octets of a key for hashes of addresses: whoever guesses the key can try every address there is.
_SHORTEST_KEY = 16


def rules(config: Config, shipped: Path | None = None) -> "Rules":
    """Return the shipped rules, or those in another folder, with the local ones in front.

    Raises ConfigError naming file and id of each that is at fault.
    """
    from bounced.classify import Rules

    return Rules.load(shipped, config.rules.local)


def reading(config: Config, shipped: Path | None = None) -> Reading:
    """Return read, classify and correlate as the configuration wants them. Raises ConfigError."""
    from bounced.correlate import Correlator
    from bounced.readers import read

    return Reading(
        read=partial(read, limits=config.limits),
        classify=rules(config, shipped).classify,
        correlate=Correlator(config.correlation).correlate,
    )


def store(config: Config) -> "Store":
    """Return the ledger, not yet connected; it makes a delivery for each endpoint that wants a notification."""
    from bounced.store import Store

    opened = Store.open(config.database, {hook.name: hook.types for hook in config.webhooks})
    if config.privacy.key is not None:
        opened.pseudonym = pseudonym(config.privacy.key.read())
    opened.seal = seal(config) if config.privacy.hashed else None
    return opened


def seal(config: Config) -> Seal:
    """Return what puts hashes in the place of addresses. Raises ConfigError where the key is missing or too short."""
    from bounced.policy import foretold

    if config.privacy.key is None:
        raise ConfigError(["privacy.key: is needed to hash addresses"])
    key = config.privacy.key.read()
    if len(key.encode()) < _SHORTEST_KEY:
        raise ConfigError([f"privacy.key: want at least {_SHORTEST_KEY} octets: openssl rand -hex 32 makes one"])
    return Seal(key, lambda event: foretold(event, config.policy))


def sources(config: Config, names: Collection[str] = ()) -> "list[Source]":
    """Return one source for each mailbox, or for those that are named, not yet connected. Raises ConfigError."""
    from bounced.mailbox import nothing_urgent, open_mailbox

    unknown = set(names) - {mailbox.name for mailbox in config.mailboxes}
    if unknown:
        raise ConfigError(f"{name}: there is no mailbox of this name" for name in sorted(unknown))
    urgent = _urgent(config) if config.correlation.signing.keys else nothing_urgent
    return [
        open_mailbox(mailbox, config.limits, urgent)
        for mailbox in config.mailboxes
        if not names or mailbox.name in names
    ]


def screening(config: Config) -> "Screening":
    """Return what tells reports without a token where one is due. Raises ConfigError for a bad secret."""
    from bounced.screening import Screening

    return Screening(config.correlation.signing)


def _urgent(config: Config) -> Callable[[Sequence[str]], bool]:
    """Return what says whether mail bears a token, by its envelope recipients. Secrets are read at the first mail."""
    screen = cache(lambda: screening(config))
    return lambda recipients: screen().urgent(recipients, datetime.now(UTC))


def messages(paths: Iterable[Path], limit: int) -> Iterator[tuple[str, RawMessage]]:
    """Yield name and message of each mail below `paths`, of each the first `limit` octets. Raises ConfigError."""
    from bounced.mailbox import read_paths

    return read_paths(paths, limit)


def located(config: Config, place: Place) -> Path | None:
    """Return the file on this machine in which a message lies; None on a server, or where it is gone."""
    from bounced.mailbox.locating import locate

    found = next((mailbox for mailbox in config.mailboxes if mailbox.name == place.mailbox), None)
    return locate(found, place.uid) if isinstance(found, FolderMailbox) else None


def deliverer(config: Config, outbox: "Outbox") -> "Deliverer":
    """Return what posts due deliveries to the endpoints. Raises ConfigError for one that cannot be used."""
    from bounced.notify import Deliverer

    return Deliverer(outbox, config.webhooks)


def problems(config: Config) -> list[str]:
    """Return what keeps the program from starting, one line each, as the stages themselves tell it: secrets, signing
    keys, the URL of the database, endpoints. Nothing is connected to; the rules are tried by `rules`."""
    from bounced import notify

    found = [*secret_problems(config), *notify.problems(config.webhooks)]
    for tried in (_try_signing, _try_database, _try_key):
        try:
            tried(config)
        except ConfigError as exc:
            found += exc.problems
    return list(dict.fromkeys(found))


def _try_signing(config: Config) -> None:
    from bounced.correlate import Correlator

    Correlator(config.correlation)


def _try_key(config: Config) -> None:
    if config.privacy.hashed:
        seal(config)


def _try_database(config: Config) -> None:
    from bounced.store import Store

    with closing(Store.open(config.database, {})):
        pass


def ping(hook: Webhook) -> "Ping":
    """Post a signed test notification and return what came of it; never raises."""
    from bounced.notify import ping

    return ping(hook, datetime.now(UTC))


def policy(config: Config) -> Decide:
    """Return the policy with its thresholds; with a signing key, what a report merely claims never suppresses."""
    from bounced.policy import decide

    def decided(
        events: Sequence[Event], histories: Mapping[str, History], now: datetime, waves: Sequence[Wave] = ()
    ) -> tuple[Sequence[Event], Sequence[Change]]:
        return decide(events, histories, config.policy, now, waves, signed_paths=bool(config.correlation.signing.keys))

    return decided


def memory(config: Config) -> Memory:
    """Return what ties reports to records of mails sent. Secrets are read when it is first needed."""

    @cache
    def correlator() -> "Correlator":
        from bounced.correlate import Correlator

        return Correlator(config.correlation)

    return Memory(
        lambda report, now: correlator().references(report, now),
        lambda report, verdict, now, records: correlator().correlate(report, verdict, now, records),
    )


def ended(suppressions: Sequence[Suppression], now: datetime) -> list[Change]:
    """Return the changes that end those that have run out."""
    from bounced.policy import expire

    return expire(suppressions, now)


def retention(config: Config) -> "Retention":
    """Return for how long what is kept of people."""
    from bounced.store import Retention

    evidence, privacy = config.evidence, config.privacy
    kept = evidence.kept and not privacy.hashed
    return Retention(privacy.events_days, privacy.diagnostics_days, evidence.keep_days if kept else 0)


def keeping(config: Config) -> Keep | None:
    """Return what makes raw evidence of a message; None if none is to be kept: where no address is, no report is."""
    kept = config.evidence.kept and not config.privacy.hashed
    return partial(keep, max_bytes=config.evidence.max_bytes) if kept else None


def stages(config: Config, ledger: "Store") -> Stages:
    """Return all stages. Its `judge` is a stand-in that must be replaced: judging needs processes to be started."""
    from bounced.notify import compose
    from bounced.notify.canary import of_canary
    from bounced.notify.watch import of_alarm, of_wave

    watch = Watch(config.policy, bool(config.correlation.signing.keys), of_wave, of_alarm)
    return Stages(
        judge=_not_here,
        decide=policy(config),
        compose=compose,
        ledger=ledger,
        strikes=config.policy.strikes,
        watch=watch,
        keep=keeping(config),
        memory=memory(config),
        canary=Cage(config.canary.recipient, of_canary) if config.canary else None,
    )


def told(changes: Sequence[Change]) -> Sequence[Notification]:
    """Return the notifications of changes of the table that a person made; all of them at one time."""
    from bounced.notify import compose

    return compose((), changes, changes[0].at) if changes else ()


def evidence(config: Config, ledger: "Store") -> Callable[[Sequence[SignOfLife], datetime], list[Change]]:
    """Return what commits positive evidence; see changing.witness."""
    built = stages(config, ledger)
    return lambda signs, now: witness(signs, built, now)


def _not_here(_batch: Sequence[RawMessage]) -> Sequence[Judgement]:
    raise RuntimeError("these stages judge nothing by themselves")
