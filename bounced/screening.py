"""Reports that bear no token where one is due: told from others by their first octets, before anything is read."""

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta

from bounced.config import Signing
from bounced.correlate import Signer
from bounced.model import RawMessage

#: Octets that are looked at: what an MTA puts on top stands there.
_HEAD = 16_384
#: How long a source's reports are counted together, and how many sources are remembered.
_WINDOW, _MOST_SOURCES = timedelta(hours=1), 10_000

_END = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_RECIPIENT = re.compile(rb"^(?:delivered-to|x-original-to|envelope-to|to):[ \t]*(.{1,1000})", re.I | re.M)
#: Only what a machine sent is set aside: a person's mail is left where it is.
_MACHINE = re.compile(
    rb"^(?:return-path:[ \t]*<>|content-type:[ \t]*multipart/report|from:.{0,200}(?:mailer-daemon|postmaster)@)",
    re.I | re.M,
)
#: Who connected, as our own server wrote it on top.
_CONNECTED = re.compile(rb"^received: from [^\n]{0,300}?\[(?:ipv6:)?([0-9a-f.:]{3,45})\]", re.I | re.M)


class Screening:
    """Knows which mail must bear a token. Shared by the threads that poll."""

    def __init__(self, settings: Signing) -> None:
        """Raises ConfigError for a secret that cannot be used."""
        self._signer = Signer(settings)
        self._require, self._limit = settings.require, settings.unsigned_per_source
        self._lock = threading.Lock()
        self._seen: OrderedDict[bytes, tuple[datetime, int]] = OrderedDict()

    def urgent(self, recipients: Sequence[str], now: datetime) -> bool:
        """Return whether mail to these envelope recipients bears a token of ours: it goes before all other."""
        return self._signer.required(recipients) and not self._signer.is_backscatter(recipients, now)

    def why_aside(self, raw: RawMessage, now: datetime) -> str | None:
        """Return why a message is not to be read; None if it is to be.

        A report to a signing domain without a token we made: each one where tokens are required, else those of a
        source beyond its number an hour. Takes some ten microseconds.
        """
        head = _FOLD.sub(b" ", _END.split(raw.content[:_HEAD], maxsplit=1)[0])
        if not _MACHINE.search(head):
            return None
        recipients = [_bare(value) for value in _RECIPIENT.findall(head)]
        if not self._signer.is_backscatter(recipients, raw.received or now):
            return None
        if self._require:
            return "it bears no token of ours, and one is required"
        found = _CONNECTED.search(head)
        source = found[1].lower() if found else b"an unknown source"
        if self._limit is None or self._count(source, now) <= self._limit:
            return None
        return f"more than {self._limit} reports without a token in an hour from {source.decode('ascii')}"

    def _count(self, source: bytes, now: datetime) -> int:
        """Count one more report of a source and return how many it sent within its hour."""
        with self._lock:
            began, amount = self._seen.pop(source, (now, 0))
            if now - began >= _WINDOW:
                began, amount = now, 0
            self._seen[source] = (began, amount + 1)
            if len(self._seen) > _MOST_SOURCES:
                self._seen.popitem(last=False)
            return amount + 1


def _bare(value: bytes) -> str:
    """Return the address in a field that holds one."""
    return value.decode("utf-8", "replace").rpartition("<")[2].strip("> \t\r")
