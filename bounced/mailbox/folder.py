"""Messages that are files on this machine: the Source for Maildir and folders of .eml files."""

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from bounced.config import FolderMailbox, Limits
from bounced.errors import MailboxDown
from bounced.mailbox.source import Batch, Check, Positions
from bounced.model import Disposition, Outcome, Place, RawMessage

FOLDER = "INBOX"  # files lie in one folder; it bears the name that it would have on a server
_LOOK = 1.0  # seconds between two looks for new files


@dataclass(frozen=True, slots=True)
class Entry:
    """A message file: its number, where it lies, its octets, and when it was written (seconds since 1970)."""

    uid: int
    path: Path
    size: int
    written: float


class Files(Protocol):
    """A way to keep messages in files. Raises OSError only."""

    def entries(self) -> Iterator[Entry]:
        """Yield every message, oldest first."""

    def state(self) -> object:
        """Return something that differs once a message was added."""

    def move(self, entry: Entry, folder: str) -> None:
        """Move a message into a folder of that name, made when missing; unread mail stays unread."""

    def unwritable(self) -> list[Path]:
        """Return the places that must be written to for moving, and cannot be."""


class FolderSource:
    """The Source for `kind: maildir` and `kind: eml`."""

    def __init__(self, settings: FolderMailbox, limits: Limits, files: Files) -> None:
        self._settings = settings
        self._limits = limits
        self._files = files
        self._done: set[int] = set()  # what stays where it is; after a restart it is read once more, and known
        self._open: dict[int, Entry] = {}
        self._state: Positions | None = None
        self._seen: object = None

    @property
    def name(self) -> str:
        """The name of the mailbox in the configuration."""
        return self._settings.name

    def poll(self, state: Positions) -> Generator[Batch, None, None]:
        """Yield every message that was not settled yet."""
        self._state = state
        self._open.clear()
        with self._words():
            self._seen = self._files.state()
            entries = {entry.uid: entry for entry in self._files.entries()}
        self._done &= entries.keys()
        self._make_good(entries, state)
        waiting = [entry for uid, entry in entries.items() if uid not in self._done]
        for run in self._runs(waiting):
            messages = tuple(self._read(run))
            if messages:
                self._open |= {entry.uid: entry for entry in run}
                yield Batch(messages, FOLDER, 0, 0)

    def ack(self, outcomes: Sequence[Outcome]) -> None:
        """Move or leave each file, then tell the ledger."""
        if self._state is None:
            raise MailboxDown(f"mailbox {self.name}: nothing is being read that could be acked")
        settled = [(o.place, o.disposition) for o in outcomes if o.disposition is not Disposition.RETRY]
        self._settle(settled, self._open, self._state)

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Wait until the folder changes; it is looked at once a second."""
        while seconds > 0 and not stop.wait(min(_LOOK, seconds)):
            seconds -= _LOOK
            try:
                if self._files.state() != self._seen:
                    return True
            except OSError:
                continue
        return False

    def probe(self) -> list[Check]:
        """Look whether the folder is there, and can be read and moved in."""
        try:
            with self._words():
                count = sum(1 for _ in self._files.entries())
                stuck = self._files.unwritable() if self._settings.after.mode == "move" else []
        except MailboxDown as exc:
            return [Check(False, str(exc))]
        found = [Check(True, f"{self._settings.path}: {count} messages")]
        return found + [Check(False, f"{path}: no right to write there, so messages cannot be moved") for path in stuck]

    def close(self) -> None:
        """Nothing is held open between polls."""
        self._state = None

    def _make_good(self, entries: dict[int, Entry], state: Positions) -> None:
        """Ack what a crash kept from being acked; what is gone was moved before the crash."""
        self._settle(state.unacked(self.name, FOLDER, 0), entries, state)

    def _settle(
        self, settled: Sequence[tuple[Place, Disposition]], entries: dict[int, Entry], state: Positions
    ) -> None:
        for place, disposition in settled:
            entry = entries.pop(place.uid, None)
            if entry is None:
                continue
            if disposition is Disposition.LEFT or self._settings.after.mode != "move":
                self._done.add(place.uid)
                continue
            with self._words():
                self._files.move(entry, self._folder(disposition))
        if settled:
            state.acked([place for place, _ in settled])

    def _folder(self, disposition: Disposition) -> str:
        return self._settings.after.folders()[disposition.value]

    def _runs(self, entries: Sequence[Entry]) -> Iterator[list[Entry]]:
        """Yield what to read together: bounded by number and octets."""
        run: list[Entry] = []
        total = 0
        for entry in entries:
            cost = min(entry.size, self._limits.message_bytes)
            if run and (len(run) == self._settings.batch or total + cost > self._limits.batch_bytes):
                yield run
                run, total = [], 0
            run.append(entry)
            total += cost
        if run:
            yield run

    def _read(self, run: Sequence[Entry]) -> Iterator[RawMessage]:
        """Yield the messages; one that another program moved meanwhile is passed over, and found next time."""
        for entry in run:
            try:
                with self._words():
                    content = read_file(entry.path, self._limits.message_bytes)
            except MailboxDown as exc:
                if isinstance(exc.__cause__, FileNotFoundError):
                    continue
                raise
            place = Place(self.name, FOLDER, 0, entry.uid)
            size = max(entry.size, len(content))
            yield RawMessage(place, content, size, datetime.fromtimestamp(entry.written, UTC))

    @contextmanager
    def _words(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise MailboxDown(f"mailbox {self.name}: {in_words(exc, self._settings.path)}") from exc


def read_file(path: Path, limit: int) -> bytes:
    """Return the first `limit` octets."""
    with path.open("rb") as file:
        return file.read(limit)


def in_words(exc: OSError, path: Path) -> str:
    """Return what happened to a file, and what to do."""
    where = exc.filename or path
    if isinstance(exc, FileNotFoundError):
        return f"{where}: is not there: check path"
    if isinstance(exc, PermissionError):
        return f"{where}: this user may not do that there: check owner and mode"
    if isinstance(exc, NotADirectoryError):
        return f"{where}: is not a folder: check path and kind"
    return f"{where}: {exc.strerror or exc}"
