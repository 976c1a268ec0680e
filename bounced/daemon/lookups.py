"""The look-ups of mail servers as the configuration wants them: on, off, or somewhere else after a reload."""

import sys

import structlog

from bounced.config import Lookups as Settings
from bounced.errors import ConfigError
from bounced.serve.lookups import Ask, Listeners
from bounced.serve.metrics import Metrics

log = structlog.get_logger("bounced.daemon")

#: Seconds that a thread may keep the interpreter while another, that answers a mail server, wants it; 0.005 unasked.
_TURN = 0.0005


class Lookups:
    """Answers from the first moment: while the database is not there yet, "later" or whatever `fail` says."""

    def __init__(self, settings: Settings, ask: Ask, metrics: Metrics) -> None:
        """Listen. Raises ConfigError where that cannot be."""
        self._settings, self._ask, self._metrics = settings, ask, metrics
        self._listeners = self._opened(settings)

    @property
    def addresses(self) -> list[str]:
        """Return where they are answered, in the words of main.cf."""
        return self._listeners.addresses

    def move(self, settings: Settings) -> None:
        """Answer as the new settings say; where that cannot be, go on as before."""
        if settings == self._settings:
            return
        self.close()
        try:
            self._listeners = self._opened(settings)
        except ConfigError as exc:
            log.error("look-ups stay as they were", problems=list(exc.problems))
            self._listeners = self._opened(self._settings)
        else:
            self._settings = settings

    def close(self) -> None:
        """Stop to answer."""
        self._listeners.stop()

    def _opened(self, settings: Settings) -> Listeners:
        listeners = Listeners(settings, self._ask, self._metrics.looked_up)
        listeners.start()
        if listeners.addresses:
            sys.setswitchinterval(min(_TURN, sys.getswitchinterval()))
            log.info("look-ups are answered", at=listeners.addresses, fail=settings.fail)
        return listeners
