"""The process: signals, the heartbeat, the HTTP server, and the service that the configuration calls for."""

import os
import queue
import signal
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import structlog
from starlette.types import ASGIApp

from bounced import logging
from bounced.config import Config, Http, load
from bounced.daemon.lookups import Lookups
from bounced.daemon.pulse import Pulse
from bounced.daemon.service import Instruments, Service
from bounced.daemon.systemd import Systemd
from bounced.errors import ConfigError
from bounced.model import Suppression
from bounced.serve import health, metrics
from bounced.serve.pages import Pages
from bounced.serve.server import Server, application
from bounced.serve.v1 import Api

log = structlog.get_logger("bounced.daemon")

#: Seconds that batches under way may take at the end, and at a reload. systemd's TimeoutStopSec is longer.
_STOP_GRACE, _RELOAD_GRACE = 60.0, 30.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def run(path: Path, works: bool = True) -> int:
    """Run until SIGTERM or SIGINT and return the exit status. Raises ConfigError before anything was started.

    One that does not work only answers: no mailbox is polled, nothing is posted or ended.
    """
    daemon = Daemon(path, works)
    daemon.start()
    return daemon.watch()


class Daemon:
    """The one that listens to signals. SIGHUP swaps the service for one by the new configuration, if that checks."""

    def __init__(self, path: Path, works: bool = True) -> None:
        self._path, self._works = path, works
        config = load(path)
        if not works and not (config.http.enabled or config.lookups.listens):
            raise ConfigError(["http.enabled: is false, no look-up listens, and there is nothing else to do"])
        logging.configure(config.log)
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._systemd = Systemd()
        self._pulse = Pulse()
        state = health.Health(self._ping, self._pulse.overdue)
        self._made = Instruments(self._pulse, state, metrics.Metrics(), lambda: self._signals.put(signal.SIGHUP))
        self._service = Service(config, self._made, works)
        self._api = Api(lambda: self._service.desk)
        self._pages = Pages(lambda: self._service.desk, self._made.health)
        self._http = _Http(config.http, self._application())
        self._lookups = Lookups(config.lookups, self._lookup, self._made.metrics)
        self._ready = False

    def start(self) -> None:
        """Take over the signals and start all loops."""
        for number in _SIGNALS:
            signal.signal(number, lambda received, _frame: self._signals.put(received))
        _warn(self._service.config, self._works)
        self._service.start()

    def watch(self) -> int:
        """Send heartbeats and obey signals until the end; return 0."""
        while True:
            self._beat()
            try:
                number = self._signals.get(timeout=self._systemd.every if self._ready else 0.1)
            except queue.Empty:
                continue
            if number != signal.SIGHUP:
                return self._stop(signal.Signals(number).name)
            self._reload()

    def _beat(self) -> None:
        if not self._ready and self._service.prepared.is_set():
            self._ready = True
            self._systemd.ready()
            log.info("ready", http=self._http.url, mailboxes=len(self._service.config.mailboxes), pid=os.getpid())
        stuck = self._pulse.overdue()
        if stuck:
            log.error("stuck", loops=stuck)
        else:
            self._systemd.alive()
        self._systemd.status(f"stuck: {', '.join(stuck)}" if stuck else self._service.line())

    def _reload(self) -> None:
        """Swap services; keep the old one, and say why, where the new configuration or its rules do not check."""
        self._systemd.reloading()
        try:
            config = load(self._path)
            new = Service(config, self._made, self._works)
        except ConfigError as exc:
            log.error("reload refused, the old configuration stays", problems=list(exc.problems))
        else:
            self._swap(config, new)
        if self._ready:
            self._systemd.ready()

    def _swap(self, config: Config, new: Service) -> None:
        logging.configure(config.log)
        late = self._service.stop(_RELOAD_GRACE)
        if late:
            log.warning("still at the old configuration", loops=late)
        self._service = new
        _warn(config, self._works)
        new.start()
        self._http.move(config.http)
        self._lookups.move(config.lookups)
        log.info("reloaded", mailboxes=len(config.mailboxes), webhooks=len(config.webhooks))

    def _stop(self, name: str) -> int:
        log.info("stopping", signal=name)
        self._systemd.stopping()
        late = self._service.stop(_STOP_GRACE)
        self._http.close()
        self._lookups.close()
        self._api.close()
        self._pages.close()
        if late:
            log.warning("left behind; what they had not committed comes again", loops=late)
            sys.stderr.flush()
            os._exit(0)  # their threads would keep the process from ending
        log.info("stopped")
        return 0

    def _application(self) -> ASGIApp:
        """Return all that is answered over HTTP."""
        made = self._made
        state = [health.router(made.health), metrics.router(made.metrics, made.health, self._gauges)]
        return application([*state, *self._api.routers, *self._pages.routers], self._pages.dress)

    def _lookup(self, address: str, scope: str) -> Suppression | None:
        return self._service.store.lookup(address, scope)

    def _ping(self) -> None:
        self._service.store.ping()

    def _gauges(self) -> Iterable[tuple[str, str, Mapping[str, float]]]:
        return self._service.gauges()


class _Http:
    """The HTTP server as the configuration wants it: on, off, or somewhere else after a reload."""

    def __init__(self, settings: Http, app: ASGIApp) -> None:
        self._settings, self._app = settings, app
        self._server = self._opened(settings)

    @property
    def url(self) -> str | None:
        """Where it answers; None if it is off."""
        return self._server.url if self._server else None

    def move(self, settings: Http) -> None:
        """Answer where the new settings say; where that cannot be, go on where it was."""
        if settings == self._settings:
            return
        try:
            new = self._opened(settings)
        except ConfigError as exc:
            log.error("http stays where it was", problems=list(exc.problems))
            return
        self.close()
        self._settings, self._server = settings, new

    def close(self) -> None:
        """Stop to answer."""
        if self._server:
            self._server.stop()

    def _opened(self, settings: Http) -> Server | None:
        if not settings.enabled:
            return None
        server = Server(self._app, settings)
        server.start()
        return server


def _warn(config: Config, works: bool) -> None:
    """Say plainly what the operator chose to believe."""
    if not config.correlation.signing.keys:
        log.warning("no signing key: whoever can write to a return path is believed", see="correlation.signing.keys")
    if works and not config.mailboxes:
        log.warning("no mailbox is configured: nothing will come in")
