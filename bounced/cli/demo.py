"""`bounced demo`: a morning at a return path, after ninety days of history, with the real daemon."""

import shlex
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from bounced.cli.demo_forms import RETURN_PATH
from bounced.cli.demo_log import Arrived, DaemonLog
from bounced.cli.demo_mails import Story, stories
from bounced.cli.demo_parts import MailServer, Receiver, daemon, fresh, write_config, write_quiet_config
from bounced.cli.demo_plan import DAYS, SEED
from bounced.cli.ledger import moment
from bounced.cli.render import cell
from bounced.config import load
from bounced.errors import BouncedError
from bounced.model import Event

if TYPE_CHECKING:
    from bounced.store import Store

#: Seconds between two mails, and how long the last ones are waited for.
_PACE, _PATIENCE = 0.8, 30.0
#: Days of the shortest history: on fewer there may have been no mailing at all.
_LEAST = 5
_STYLES = {"hard": "bold red", "soft": "yellow", "complaint": "bold magenta"}


def demo(  # noqa: PLR0913  each parameter is an option of the command line
    folder: Annotated[Path, typer.Option(help="Where database, configuration and logs are put.")] = Path(".demo"),
    pace: Annotated[float, typer.Option(help="Seconds between two mails.", min=0)] = _PACE,
    days: Annotated[int, typer.Option(help="Days of history before; 0 for none.", min=0, max=365)] = DAYS,
    history_only: Annotated[bool, typer.Option("--history-only", help="Make the history, and end.")] = False,
    end: Annotated[
        str | None, typer.Option(metavar="TIME", help="With --history-only: when it ends; else now.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another number makes another history.")] = SEED,
    stay: Annotated[
        bool | None, typer.Option(help="Go on with daemon and page until Ctrl-C; unasked on a terminal.")
    ] = None,
) -> None:
    """Watch bounces come in, live, after 90 days of history: IMAP server, daemon, page and webhook receiver, here."""
    if end is not None and not history_only:
        raise typer.BadParameter("goes with --history-only", param_hint="--end")
    if days < _LEAST and (days or history_only):
        raise typer.BadParameter(f"a history has {_LEAST} of them or more", param_hint="--days")
    fresh(folder)
    console = Console(highlight=False, soft_wrap=True)
    if history_only:
        _history(console, write_quiet_config(folder), days, seed, moment(end))
        return
    server, receiver, log = MailServer(folder / "mailserver.log"), Receiver(), folder / "daemon.log"
    with server.running(), receiver.running():
        config = write_config(folder, server, receiver)
        if days:
            _history(console, config, days, seed, None)
        began = datetime.now(UTC)
        console.print(f"IMAP on port {server.port}, the return path {RETURN_PATH}; webhooks to {receiver.url}\n")
        with daemon(config, log) as running:
            show = _Show(console, log, config, receiver, began)
            whole = show.watch(server, stories(datetime.now(UTC)), pace, running)
            if whole:
                show.sum_up(server.unread())
                _next(console, config)
                token = _token(config)
                if console.is_terminal if stay is None else stay:
                    _stay(console, show.page, token, running)
                else:
                    _later(console, config, token)
    if not whole or receiver.refused:
        console.print(Text("Something went wrong; the end of the daemon's log says:\n" + _tail(log)))
        raise typer.Exit(1)


def _history(console: Console, config: Path, days: int, seed: int, end: datetime | None) -> None:
    """Fill the database, and say how much that was."""
    from bounced.cli.demo_history import build

    with console.status(f"{days} days of history, mail by mail"):
        told = build(load(config), end, days, seed)
    console.print(f"History: {told.mails} mails, {told.since:%Y-%m-%d} to {told.until:%Y-%m-%d}, in {config.parent}")


def _token(config: Path) -> str:
    """Make a token by which the page and the HTTP interface of the demo are used, and return it."""
    from bounced.store import TokenScope
    from bounced.store.tokens import mint

    secret, token = mint("demo", [TokenScope.READ, TokenScope.WRITE], datetime.now(UTC), "demo")
    with closing(_opened(config)) as store:
        store.add_token(token)
    return secret


def _stay(console: Console, page: str | None, token: str, running: Callable[[], bool]) -> None:
    """Say where the page is, and wait for Ctrl-C, or SIGTERM; what runs beside is ended afterwards."""
    console.print(f"\n[bold]Open[/] {page}/   and log in with the token\n     {token}\nCtrl-C ends it all.")
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        while running():
            time.sleep(0.2)
    signal.signal(signal.SIGTERM, before)


def _later(console: Console, config: Path, token: str) -> None:
    """Say how the page is opened when daemon and mail server are gone."""
    words = Text(f"  {_program()} --config {shlex.quote(str(config))} serve")
    console.print(words.append("   # the page: it says where; log in with the token below", style="dim"))
    console.print(Text(f"  {token}"))


class _Show:
    """Tells what the daemon makes of each mail, as its log and its database have it."""

    def __init__(self, console: Console, log: Path, config: Path, receiver: Receiver, began: datetime) -> None:
        self._console, self._config, self._receiver, self._began = console, config, receiver, began
        self._log = DaemonLog(log)
        self._first: dict[bytes, Arrived] = {}

    @property
    def page(self) -> str | None:
        """Where the daemon answers over HTTP; None before it said so."""
        return self._log.page

    def watch(self, server: MailServer, mails: list[Story], pace: float, running: Callable[[], bool]) -> bool:
        """Deliver the mails, one after the other, and tell of each; False if some were never heard of."""
        sender = threading.Thread(target=_deliver, args=(server, mails, pace), daemon=True)
        sender.start()
        told: set[int] = set()
        end = time.monotonic() + len(mails) * (pace + 0.5) + _PATIENCE
        while len(told) < len(mails) and running() and time.monotonic() < end:
            for arrived in self._log.new():
                if arrived.uid not in told:
                    told.add(arrived.uid)
                    self._tell(len(told), mails[len(told) - 1], arrived)
            time.sleep(0.1)
        whole = len(told) == len(mails)
        if whole:
            self._await_webhooks()
        return whole

    def sum_up(self, unread: int) -> None:
        """Tell what is suppressed now, what was posted, and what was left alone."""
        say = self._console.print
        say("\n[bold]Suppressed now[/]")
        from bounced.store import SuppressionQuery

        with closing(_opened(self._config)) as store:
            for entry in store.suppressions(SuppressionQuery(since=self._began)):
                say(Text(f"  {entry.address:34} {entry.reason:18} {cell(entry.why)}"))
        types: dict[str, int] = {}
        for body in self._receiver.verified:
            types[body["type"]] = types.get(body["type"], 0) + 1
        say(f"\n[bold]Webhooks[/]  {len(self._receiver.verified)} received, every signature verified")
        for name, count in sorted(types.items()):
            say(f"  {count} {name}")
        say(f"\n[bold]Left alone[/]  {unread} mails, still unread in the inbox, for a person to answer")

    def _tell(self, number: int, story: Story, arrived: Arrived) -> None:
        say = self._console.print
        say(Text(f"{number:3}  {story.title}", style="bold"))
        first = self._first.setdefault(story.content, arrived)  # what is known already is not read again
        read = f"read by {first.reader}" if first.reader not in (None, "none") else ""
        kind = (first.kind or "").replace("_", " ")
        say(Text("     " + ", ".join(filter(None, [kind, read, _filed(arrived)])), style="dim"))
        for event in self._events(arrived.uid):
            self._tell_event(event)

    def _tell_event(self, event: Event) -> None:
        verdict = f"{event.category}, {event.reason}; fault: {event.fault}" if event.category else "nothing failed"
        line = Text("     ").append(cell(event.address) or "nobody that is named").append(": ")
        self._console.print(line.append(verdict, style=_STYLES.get(event.category or "", "green")))
        matched = f' matched "{cell(event.matched)}"' if event.matched else ""
        self._console.print(Text(f"       why: rule {event.rule}{matched}; trust: {event.trust}"))
        if event.decision:
            self._console.print(Text(f"       so: {cell(event.decision)}"))

    def _events(self, uid: int) -> list[Event]:
        from bounced.store import EventQuery

        with closing(_opened(self._config)) as store:
            return [event for event in store.events(EventQuery(since=self._began)) if event.place.uid == uid]

    def _await_webhooks(self) -> None:
        """Wait until nothing more is to be posted."""
        end = time.monotonic() + _PATIENCE
        with closing(_opened(self._config)) as store:
            while time.monotonic() < end and store.counts().open_deliveries:
                time.sleep(0.1)


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-5:]
    return "\n".join(f"  {cell(line)}" for line in lines)


def _opened(config: Path) -> "Store":
    from bounced.daemon.wiring import store

    return store(load(config))


def _filed(arrived: Arrived) -> str:
    why = f": {cell(arrived.why)}" if arrived.why else ""
    return {
        "left": "left where it is, unread",
        "processed": f"filed{why}",
        "review": "set aside for a person to look at",
        "quarantine": f"put into quarantine{why}",
    }.get(arrived.outcome, arrived.outcome)


def _deliver(server: MailServer, mails: list[Story], pace: float) -> None:
    for mail in mails:
        try:
            server.deliver(mail.content)
        except (OSError, BouncedError):
            return
        time.sleep(pace)


def _next(console: Console, config: Path) -> None:
    """Say what to type next: commands that work as they stand."""
    program = _program()
    console.print("\n[bold]What to type next[/]")
    for words, what in (
        ("check erika@customer.example", "may I mail her? exit status 0: suppressed"),
        ("check jan@provider.example", "a full mailbox is no reason yet: exit status 1"),
        ("explain sofia@mailbox-provider.example", "the whole story of an address"),
        ("events --category soft", "what came in"),
        ('suppressions release erika@customer.example --why "she wrote to us"', "undo it"),
    ):
        console.print(
            Text(f"  {program} --config {shlex.quote(str(config))} {words}").append(f"   # {what}", style="dim")
        )


def _program() -> str:
    """Return how this program is called, as short as it can be typed here."""
    found = shutil.which("bounced")
    if found and Path(found).resolve().parent == Path(sys.executable).resolve().parent:
        return "bounced"
    beside = Path(sys.executable).parent / "bounced"
    if not beside.exists():
        return f"{shlex.quote(sys.executable)} -m bounced"
    return shlex.quote(str(beside.relative_to(Path.cwd()) if beside.is_relative_to(Path.cwd()) else beside))
