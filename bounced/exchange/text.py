"""Octets -> lines of text: byte order mark, encoding, and bounds on what a single line or row may take."""

import io
from collections.abc import Iterator
from typing import BinaryIO, Final

from bounced.exchange.entry import Wrong

#: Characters in a line, and lines in one row (a quoted cell may hold line ends).
LINE: Final = 256 * 1024
ROW: Final = 100
_READ: Final = 128 * 1024
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class Lines:
    """The lines of a file, with their ends, counted. Never fails for their encoding.

    UTF-16 needs its mark; all else is UTF-8, and a line that is not, Windows-1252.
    """

    def __init__(self, stream: BinaryIO) -> None:
        buffered = io.BufferedReader(_Raw(stream), _READ)
        head = buffered.peek(4)[:2]
        encoding = next((name for mark, name in _MARKS if head == mark), "utf-8-sig")
        errors = "surrogateescape" if encoding == "utf-8-sig" else "replace"
        self._text = io.TextIOWrapper(buffered, encoding, errors, newline="")
        self.number = 0  # of the line handed out last
        self.last = ROW  # the line that a row begun here must not pass
        self.apostrophes = False  # whether one was met; most files have none, and need no look for escaped cells

    def __iter__(self) -> Iterator[str]:
        """Yield the lines that are left. Raises Wrong for one too long, and for a row of too many; may begin again."""
        readline = self._text.readline
        while line := readline(LINE):
            self.number += 1
            if len(line) == LINE and line[-1] not in "\r\n":
                self._skip()
                raise Wrong(f"the line is longer than {LINE} characters")
            if self.number > self.last:
                raise Wrong(f"a quotation mark is opened and not closed within {ROW} lines")
            if "'" in line:
                self.apostrophes = True
            yield line if line.isascii() else _decoded(line)

    def pieces(self) -> Iterator[str]:
        """Yield what is left in pieces that end with a line or are as long as one may be."""
        while piece := self._text.readline(LINE):
            self.number += 1
            yield piece if piece.isascii() else _decoded(piece)

    def row_ends(self) -> int:
        """Note that the next line begins a new row, and return its number."""
        self.last = self.number + ROW
        return self.number + 1

    def _skip(self) -> None:
        while (rest := self._text.readline(LINE)) and rest[-1] not in "\r\n":
            pass


class _Raw(io.RawIOBase):
    """Lets any readable stand below a buffer that does not close it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        found = self._stream.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)


def _decoded(line: str) -> str:
    """Return the line; as Windows-1252 if its octets were no UTF-8."""
    try:
        line.encode()
    except UnicodeEncodeError:
        return line.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return line
