"""An mbox file (RFC 4155): read under a lock, from where the last poll stopped, and never written to.

A message's number comes from its content and its offset; the position is the offset behind the last message.
The file counts as the same one as long as its first line is the same and it has not become shorter.
"""

import fcntl
import re
import threading
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import structlog

from bounced.config import FolderMailbox, Limits
from bounced.errors import MailboxDown
from bounced.mailbox.folder import FOLDER, in_words
from bounced.mailbox.identity import number
from bounced.mailbox.source import Batch, Check, Positions
from bounced.model import Disposition, Outcome, Place, RawMessage

log = structlog.get_logger(__name__)

_FROM = re.compile(rb"From \S+.*\d\d:\d\d")  # what the rest of the line is differs between programs
_CHUNK = 65_536  # octets read at once from a line without end
_LOOK = 1.0  # seconds between two looks at the file


@dataclass(frozen=True, slots=True)
class Piece:
    """One message: its first octets, its whole size, where it begins and where the next one does."""

    content: bytes
    size: int
    start: int
    end: int


def split(file: BinaryIO, limit: int, start: int = 0, begun: bytes = b"") -> Iterator[Piece]:
    """Yield the messages of an mbox that stands at `start`, each without its From line. One pass, bounded memory.

    `begun` is the first line where that was read already.
    A line that begins with `From ` begins a message only behind an empty line, and with a time of day in it.
    """
    kept, size, begin, here, after_blank = bytearray(), 0, -1, start, True
    whole_line = True
    for line in chain([begun] if begun else [], iter(partial(file.readline, _CHUNK), b"")):
        if whole_line and after_blank and _FROM.match(line):
            if begin >= 0:
                yield _piece(kept, size, begin, here)
            kept, size, begin = bytearray(), 0, here
        elif begin >= 0:
            size += len(line)
            kept += line[: max(0, limit - len(kept))]
        after_blank = whole_line and line in (b"\n", b"\r\n")
        whole_line = line.endswith(b"\n")
        here += len(line)
    if begin >= 0:
        yield _piece(kept, size, begin, here)


def _piece(kept: bytearray, size: int, start: int, end: int) -> Piece:
    """Return the message without the empty line that parts it from the next."""
    content = bytes(kept)
    if size == len(content):
        tail = 2 if content.endswith(b"\r\n\r\n") else int(content.endswith(b"\n\n"))
        content = content[: len(content) - tail]
        size -= tail
    return Piece(content, size, start, end)


class MboxSource:
    """The Source for `kind: mbox`. Nothing is moved or flagged, whatever `after` says."""

    def __init__(self, settings: FolderMailbox, limits: Limits) -> None:
        self._settings = settings
        self._limits = limits
        self._state: Positions | None = None
        self._open: list[Batch] = []
        self._seen: object = None
        self._warned = settings.after.mode == "leave"

    @property
    def name(self) -> str:
        """The name of the mailbox in the configuration."""
        return self._settings.name

    def poll(self, state: Positions) -> Generator[Batch, None, None]:
        """Yield what was appended since the last poll, and what has a strike. The lock is held while reading only."""
        self._state = state
        self._open.clear()
        self._warn()
        with self._words():
            self._seen = self._changed()
        mark = self._mark()
        place = Place(self.name, FOLDER, 0, 0)
        self._make_good(place, state)
        again = set(state.retries(self.name, FOLDER, 0))
        position = state.position(self.name, FOLDER)
        known = position.next_uid if position and position.uidvalidity == mark else 0
        start = 0 if again else known
        while (pieces := self._pieces(start, mark)) is not None and pieces:
            start = pieces[-1].end
            wanted = [p for p in pieces if p.start >= known or self._uid(p) in again]
            if wanted:
                self._open.append(Batch(tuple(map(self._raw, wanted)), FOLDER, mark, max(start, known)))
                yield self._open[-1]

    def ack(self, outcomes: Sequence[Outcome]) -> None:
        """Remember the offset; the file stays as it is."""
        state = self._state
        if state is None or not self._open:
            raise MailboxDown(f"mailbox {self.name}: nothing is being read that could be acked")
        state.acked([o.place for o in outcomes if o.disposition is not Disposition.RETRY])
        if {raw.place for raw in self._open[0].messages} <= {outcome.place for outcome in outcomes}:
            batch = self._open.pop(0)
            state.advance(self.name, batch.folder, batch.uidvalidity, batch.next_uid)

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Wait until the file changes; it is looked at once a second."""
        while seconds > 0 and not stop.wait(min(_LOOK, seconds)):
            seconds -= _LOOK
            try:
                if self._changed() != self._seen:
                    return True
            except OSError:
                continue
        return False

    def probe(self) -> list[Check]:
        """Look whether the file is there, is an mbox, and can be locked."""
        try:
            with self._words(), self._locked() as file:
                begin = file.readline(_CHUNK)
        except MailboxDown as exc:
            return [Check(False, str(exc))]
        if begin and not _FROM.match(begin):
            return [Check(False, f"{self._settings.path}: is not an mbox: its first line is no From line")]
        return [Check(True, f"{self._settings.path}: can be read and locked; it is never changed")]

    def close(self) -> None:
        """Nothing is held open between polls."""
        self._state = None

    def _make_good(self, place: Place, state: Positions) -> None:
        """Nothing is moved here, so what is settled needs no more than to be called acked."""
        settled = state.unacked(place.mailbox, place.folder, place.uidvalidity)
        if settled:
            state.acked([where for where, _ in settled])

    def _pieces(self, start: int, mark: int) -> list[Piece]:
        """Return the next portion from `start`, read under the lock; nothing if it is another file by now."""
        pieces: list[Piece] = []
        octets = 0
        with self._words(), self._locked() as file:
            if _mark(file) != mark:
                return []
            file.seek(start)
            for piece in split(file, self._limits.message_bytes, start):
                pieces.append(piece)
                octets += len(piece.content)
                if len(pieces) == self._settings.batch or octets >= self._limits.batch_bytes:
                    break
        return pieces

    def _mark(self) -> int:
        with self._words(), self._locked() as file:
            return _mark(file)

    def _uid(self, piece: Piece) -> int:
        return number(piece.start, RawMessage(_NOWHERE, piece.content, piece.size).digest())

    def _raw(self, piece: Piece) -> RawMessage:
        return RawMessage(Place(self.name, FOLDER, 0, self._uid(piece)), piece.content, piece.size)

    def _changed(self) -> object:
        stat = self._settings.path.stat()
        return stat.st_size, stat.st_mtime_ns, stat.st_ino

    def _warn(self) -> None:
        if not self._warned:
            log.warning("an mbox is never changed: messages stay in it, read or not", mailbox=self.name)
            self._warned = True

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        """Open the file under a shared lock, as delivery agents respect it."""
        with self._settings.path.open("rb") as file:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            yield file

    @contextmanager
    def _words(self) -> Iterator[None]:
        try:
            yield
        except BlockingIOError as exc:
            raise MailboxDown(f"mailbox {self.name}: {self._settings.path}: another program holds the lock") from exc
        except OSError as exc:
            raise MailboxDown(f"mailbox {self.name}: {in_words(exc, self._settings.path)}") from exc


_NOWHERE = Place("", "", 0, 0)


def _mark(file: BinaryIO) -> int:
    """Return what tells this file from another that took its name: a number from its first line."""
    file.seek(0)
    return zlib.crc32(file.readline(_CHUNK)) or 1


def is_mbox(path: Path) -> bool:
    """True if the file begins with a From line."""
    with path.open("rb") as file:
        return is_from_line(file.readline(_CHUNK))


def is_from_line(line: bytes) -> bool:
    """True for the line that begins a message in an mbox."""
    return bool(_FROM.match(line))
