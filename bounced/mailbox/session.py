"""One connection to an IMAP server, logged in. Alone imports imapclient.

Every method raises MailboxDown when the connection is no more, and Refused where the server only said no.
Folder names are those of the configuration; the prefix of the personal namespace (RFC 2342) is added here.
"""

import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import imapclient  # type: ignore[import-untyped]  # it has no py.typed

from bounced.config import ImapMailbox
from bounced.errors import ConfigError, MailboxDown
from bounced.mailbox.faults import LIBRARY_ERRORS, Refused, plain_words
from bounced.mailbox.login import Credentials
from bounced.mailbox.uids import ranges

_WINDOW = 50_000  # UIDs a search asks for: imaplib refuses lines above a million octets

_UIDS = 500  # UIDs of a FETCH: a line of 8,000 octets is what every server takes (RFC 7162 section 4)
_TO = "DELIVERED-TO X-ORIGINAL-TO ENVELOPE-TO TO"
_LOOK = 0.5  # seconds between two looks at the event that stops an IDLE


@dataclass(frozen=True, slots=True)
class Selected:
    """What SELECT said. `next_uid` is None where the server does not tell; `keywords`: flags of our own may be set."""

    uidvalidity: int
    next_uid: int | None
    exists: int
    flags: frozenset[str]

    def keeps(self, flag: str) -> bool:
        """True if the server would remember `flag` (RFC 3501 section 7.1, PERMANENTFLAGS)."""
        return "\\*" in self.flags or flag.lower() in self.flags


@dataclass(frozen=True, slots=True)
class Listed:
    """A message before its body is fetched. `size` counts octets as the server does; None for one that is small."""

    uid: int
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """The beginning of a message, and when it arrived."""

    content: bytes
    received: datetime | None


class Session:
    """A logged-in connection. Making one connects, secures and logs in, each within the time-out."""

    def __init__(self, settings: ImapMailbox, credentials: Credentials) -> None:
        self._settings = settings
        self._client = _connect(settings)
        try:
            credentials.log_in(self._client)
            with self._words("ask what the server offers"):
                self._client._cached_capabilities = None  # imapclient keeps what was offered before the login
                self._offered = frozenset(self._client.capabilities())
                self._prefix, self._separator = self._namespace()
        except BaseException:
            self.close(politely=False)
            raise

    def can(self, capability: str) -> bool:
        """True if the server offers it now that we are logged in."""
        return capability.encode() in self._offered

    def select(self, folder: str, readonly: bool = False) -> Selected:
        """Open a folder; with `readonly`, in a way that can change nothing."""
        with self._words(f"open folder {folder}"):
            answer = self._client.select_folder(self.path(folder), readonly=readonly)
            flags = frozenset(f.decode("ascii", "replace").lower() for f in answer.get(b"PERMANENTFLAGS", ()))
            return Selected(int(answer[b"UIDVALIDITY"]), answer.get(b"UIDNEXT"), int(answer[b"EXISTS"]), flags)

    def uids(self, selected: Selected, first: int) -> Iterator[list[int]]:
        """Yield the UIDs from `first` on, ascending, in portions that fit a line."""
        if not selected.exists:
            return  # some servers refuse to search an empty folder for `*`
        last = selected.next_uid and selected.next_uid - 1
        if last is None or selected.exists <= _WINDOW:
            yield self._search(f"{first}:*", first)
            return
        for start in range(first, last + 1, _WINDOW):
            found = self._search(f"{start}:{min(start + _WINDOW - 1, last)}", start)
            if found:
                yield found

    def larger(self, first: int, last: int, octets: int) -> set[int]:
        """Return the UIDs between two, both included, of messages that have more octets (RFC 3501 6.4.4)."""
        with self._words("look for large messages"):
            return set(self._client.search(["UID", f"{first}:{last}", "LARGER", octets]))

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Return the octets of those that still exist, as the server counts them."""
        found = self._fetch("ask for the sizes of messages", uids, "RFC822.SIZE")
        return {uid: item.get(b"RFC822.SIZE") or 0 for uid, item in found.items()}

    def recipients(self, uids: Sequence[int]) -> dict[int, list[str]]:
        """Return the envelope recipients that the MTA wrote on top of each message, and To; of each the first 4 KB."""
        found = self._fetch("ask for the recipients of messages", uids, f"BODY.PEEK[HEADER.FIELDS ({_TO})]<0.4096>")
        return {
            uid: _values(value)
            for uid, item in found.items()
            for key, value in item.items()
            if isinstance(value, bytes) and key.startswith(b"BODY[HEADER.FIELDS")
        }

    def bodies(self, uids: Sequence[int], limit: int) -> dict[int, Fetched]:
        """Return the first `limit` octets of each message that still exists; none becomes read by that."""
        found = self._fetch("read messages", uids, "INTERNALDATE", f"BODY.PEEK[]<0.{limit}>")
        key = b"BODY[]<0>"
        return {
            uid: Fetched(item[key] or b"", _utc(item.get(b"INTERNALDATE")))
            for uid, item in found.items()
            if key in item
        }

    def move(self, uids: Iterable[int], folder: str) -> None:
        """Move messages; those that are gone already are passed over. Needs MOVE or UIDPLUS."""
        for portion in ranges(uids):
            self._twice(f"move messages to {folder}", partial(self._move, portion, self.path(folder)))

    def flag(self, uids: Iterable[int], flag: str) -> None:
        """Set one flag, and nothing else."""
        for portion in ranges(uids):
            self._twice(f"set the flag {flag}", partial(self._client.add_flags, portion, [flag], silent=True))

    def has_folder(self, folder: str) -> bool:
        """True if the folder is listed; nothing is changed."""
        with self._words(f"look for folder {folder}"):
            return bool(self._client.folder_exists(self.path(folder)))

    def create(self, folder: str) -> None:
        """Make a folder, and show it in clients that list subscribed ones only."""
        with self._words(f"create folder {folder}"):
            self._client.create_folder(self.path(folder))
            self._client.subscribe_folder(self.path(folder))

    def rights(self, folder: str) -> str | None:
        """Return our rights on a folder as letters of RFC 4314; None where the server does not tell."""
        if not self.can("ACL"):
            return None
        with self._words(f"ask for the rights on folder {folder}"):
            typ, data = self._client._imap.myrights(_quoted(self.path(folder)))  # imapclient does not know MYRIGHTS
        return str(data[0].split()[-1], "ascii", "replace") if typ == "OK" and data and data[0] else None

    def idle(self, seconds: float, stop: threading.Event) -> bool:
        """Let the server announce what happens in the open folder; True as soon as that is new mail.

        Returns after `seconds`, and within half a second once `stop` is set.
        """
        end = time.monotonic() + seconds
        with self._words("wait for new mail"):
            self._client.idle()
            news = False
            while not news and (left := end - time.monotonic()) > 0 and not stop.is_set():
                news = self._is_news(self._client.idle_check(timeout=min(left, _LOOK)))
            return self._is_news(self._client.idle_done()[1]) or news

    def path(self, folder: str) -> str:
        """Return the folder's name as the server knows it."""
        if folder.upper() == "INBOX":
            return "INBOX"
        name = folder.replace("/", self._separator) if self._separator else folder
        return name if not self._prefix or name.startswith(self._prefix) else self._prefix + name

    def close(self, politely: bool = True) -> None:
        """Log out, or just hang up where the server may not answer. Never raises."""
        if politely:
            with suppress(*LIBRARY_ERRORS):
                self._client.logout()
                return
        with suppress(*LIBRARY_ERRORS):
            self._client.shutdown()

    def _search(self, uids: str, first: int) -> list[int]:
        """Return the UIDs that exist; `n:*` names the last message even if its UID is below n (RFC 3501 6.4.8)."""
        with self._words("look for messages"):
            return sorted(uid for uid in self._client.search(["UID", uids]) if uid >= first)

    def _fetch(self, doing: str, uids: Sequence[int], *items: str) -> dict[int, Any]:
        found: dict[int, Any] = {}
        for start in range(0, len(uids), _UIDS):
            found |= self._twice(doing, partial(self._client.fetch, uids[start : start + _UIDS], items))
        return found

    def _move(self, uids: str, path: str) -> None:
        if self.can("MOVE"):
            self._client.move(uids, path)
            return
        self._client.copy(uids, path)
        self._client.delete_messages(uids, silent=True)
        self._client.uid_expunge(uids)

    def _twice(self, doing: str, command: Callable[[], Any]) -> Any:
        """Run a command; once more if another client took messages away under it (RFC 5530, EXPUNGEISSUED)."""
        try:
            with self._words(doing):
                return command()
        except Refused as exc:
            if "EXPUNGEISSUED" not in str(exc):
                raise
        with self._words(doing):
            self._client.noop()
            return command()

    def _is_news(self, said: Sequence[tuple[Any, ...]]) -> bool:
        if any(line[:1] == (b"BYE",) for line in said):
            raise MailboxDown(f"mailbox {self._settings.name}: the server said good-bye")
        return any(len(line) > 1 and line[1] in (b"EXISTS", b"RECENT") for line in said)

    def _namespace(self) -> tuple[str, str]:
        """Return prefix and separator of our own folders; empty strings where the server does not tell."""
        if b"NAMESPACE" not in self._offered:
            return "", ""
        personal = self._client.namespace().personal or ()
        prefix, separator = next((n for n in personal if not n[0]), next(iter(personal), ("", "")))
        return str(prefix), str(separator or "")

    def _words(self, doing: str) -> Any:
        return plain_words(self._settings, doing)


def tls_context(settings: ImapMailbox) -> ssl.SSLContext:
    """Return what verifies the server: TLS 1.2 or newer, host name checked, trusted by `ca_file` or the system."""
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ValueError) as exc:
        raise ConfigError([f"mailboxes.{settings.name}.ca_file: {settings.ca_file} cannot be used: {exc}"]) from exc


def _connect(settings: ImapMailbox) -> Any:
    """Return a client that is connected and, unless told otherwise, secured; not yet logged in."""
    context = tls_context(settings) if settings.security != "plain" else None
    with plain_words(settings, "connect"):
        client = imapclient.IMAPClient(
            settings.host,
            settings.effective_port,
            ssl=settings.security == "tls",
            ssl_context=context,
            timeout=settings.timeout,
        )
    client.normalise_times = False
    client._imap.debug = 0  # else each line is formatted for a log that nobody reads, and that would show tokens
    if settings.security == "starttls":
        _secure(client, settings, context)
    return client


def _secure(client: Any, settings: ImapMailbox, context: ssl.SSLContext | None) -> None:
    """Turn the connection to TLS. Never goes on without: also not where the server does not offer STARTTLS."""
    try:
        with plain_words(settings, "STARTTLS"):
            if not client.has_capability("STARTTLS"):
                raise MailboxDown(
                    f"mailbox {settings.name}: {settings.host} port {settings.effective_port} does not offer "
                    "STARTTLS: set security: tls and its port (993), if it has one"
                )
            client.starttls(context)
    except BaseException:
        with suppress(*LIBRARY_ERRORS):
            client.shutdown()
        raise


def _values(fields: bytes) -> list[str]:
    """Return the values of header fields that hold one address each."""
    lines = fields.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").decode("utf-8", "replace").splitlines()
    values = (line.partition(":")[2] for line in lines)
    return [value.rpartition("<")[2].strip("> ") for value in values if value.strip()]


def _quoted(folder: str) -> bytes:
    name: bytes = imapclient.imap_utf7.encode(folder.replace("\\", "\\\\").replace('"', '\\"'))
    return b'"' + name + b'"'


def _utc(when: object) -> datetime | None:
    return when.astimezone(UTC) if isinstance(when, datetime) else None
