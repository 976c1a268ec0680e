"""What is wrong, in plain words: everything the daemon depends on is tried, nothing is changed."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from ipaddress import ip_address

from bounced.config import Config, Webhook
from bounced.daemon import canary, wiring
from bounced.errors import BouncedError, ConfigError
from bounced.mailbox import Source


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that was tried. `ok` is None for what is no fault, yet should be known."""

    ok: bool | None
    what: str
    text: str


def examine(config: Config) -> Iterator[Found]:
    """Yield what was found, in the order in which it is to be mended. Never raises a BouncedError."""
    yield from _guarded("configuration", lambda: _configuration(config))
    yield from _guarded("rules", lambda: _rules(config))
    yield from _guarded("database", lambda: _database(config))
    yield from _guarded("mailboxes", lambda: _mailboxes(config))
    for hook in config.webhooks:
        yield from _guarded(f"webhook {hook.name}", lambda hook=hook: _webhook(hook))  # type: ignore[misc]
    yield from _trust(config)
    if config.canary:
        yield from _guarded("canary", lambda: _canary(config))


def _guarded(what: str, look: Callable[[], Iterable[Found]]) -> Iterator[Found]:
    try:
        for found in look():
            yield replace(found, text=_without(found.what, found.text))
    except ConfigError as exc:
        yield from (Found(False, what, problem) for problem in exc.problems)
    except BouncedError as exc:
        yield Found(False, what, _without(what, str(exc)))


def _without(what: str, text: str) -> str:
    """Return the text less the name of what it is about, which stands beside it."""
    for name in (what, what.rpartition(" ")[2]):
        text = text.removeprefix(f"{name}: ")
    return text


def _configuration(config: Config) -> Iterator[Found]:
    problems = wiring.problems(config)
    told_later = "webhooks["  # by each endpoint itself, under its name
    yield from (Found(False, "configuration", p) for p in problems if not p.startswith(told_later))
    if not problems:
        yield Found(True, "configuration", "every secret can be read and used")
    if not config.mailboxes:
        yield Found(False, "configuration", "no mailbox is configured: nothing will come in")
    if config.http.enabled and not is_loopback(config.http.host):
        yield Found(
            None,
            "configuration",
            f"http.host: {config.http.host} can be reached from other hosts, and tokens are readable on the wire: "
            "stay at 127.0.0.1 with a server with TLS in front (docs/http.md)",
        )
    if not config.webhooks:
        yield Found(None, "configuration", "no webhook is configured: nobody is told; the table can still be asked")


def is_loopback(host: str) -> bool:
    """True for a name or number under which only this machine reaches itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _rules(config: Config) -> Iterator[Found]:
    known = wiring.rules(config)
    own = sum(rule.local for rule in known.rules)
    yield Found(True, "rules", f"{len(known.rules)} rules, {own} of them yours, agree with all of their examples")


def _database(config: Config) -> Iterator[Found]:
    with closing(wiring.store(config)) as store:
        problems = store.check()
    yield from (Found(False, "database", problem) for problem in problems)
    if not problems:
        yield Found(True, "database", "answers, can be written, is up to date")
    if config.privacy.hashed:
        yield Found(
            None,
            "database",
            "keeps hashes for addresses: the view suppressed shows those, and no static map can be made; ask a "
            "socketmap, the policy service or HTTP (docs/privacy.md)",
        )


def _mailboxes(config: Config) -> Iterator[Found]:
    for source in wiring.sources(config):
        yield from _guarded(f"mailbox {source.name}", lambda source=source: _mailbox(source))  # type: ignore[misc]


def _mailbox(source: Source) -> Iterator[Found]:
    with closing(source):
        for check in source.probe():
            yield Found(check.ok, f"mailbox {source.name}", check.text)


def _webhook(hook: Webhook) -> Iterator[Found]:
    answer = wiring.ping(hook)
    yield Found(answer.ok, f"webhook {hook.name}", answer.says)


def _canary(config: Config) -> Iterator[Found]:
    if config.canary:
        yield Found(True, "canary", canary.probe(config.canary.smtp))
    with closing(wiring.store(config)) as store:
        alarm, landed = store.standing_canary_alarm(), [c for c in store.recent_canaries() if c.returned_at]
    if alarm:
        yield Found(False, "canary", f"alarm since {alarm.raised_at:%Y-%m-%d %H:%M} UTC: {alarm.why}")
    elif landed:
        yield Found(True, "canary", f"the last one came back at {landed[0].returned_at:%Y-%m-%d %H:%M} UTC")
    else:
        yield Found(None, "canary", "none came back yet")


def _trust(config: Config) -> Iterator[Found]:
    """Say plainly what the operator chose to believe."""
    if config.correlation.signing.keys:
        yield Found(True, "trust", "return paths are signed: what a report merely claims suppresses nobody")
    else:
        yield Found(
            None,
            "trust",
            "no signing key: whoever can write to a return path is believed and can have an address suppressed "
            "(correlation.signing)",
        )
