"""Messages for a look at them: whatever files, folders, mbox and Maildirs hold, and standard input."""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from bounced.errors import ConfigError
from bounced.mailbox.folder import in_words
from bounced.mailbox.identity import number
from bounced.mailbox.maildir import is_maildir
from bounced.mailbox.mbox import is_from_line, is_mbox, split
from bounced.model import Place, RawMessage

_STDIN = "-"
_CHUNK = 65_536  # octets read at once
_FIELD = re.compile(rb"\A(?:>?From |[!-9;-~]{1,76}[ \t]*:)")  # how a mail begins: RFC 5322 section 2.2
_NO_MAIL = frozenset({".yaml", ".yml", ".json", ".jsonl", ".csv", ".md", ".py", ".toml", ".html", ".css", ".js"})


def read_paths(paths: Iterable[Path], limit: int) -> Iterator[tuple[str, RawMessage]]:
    """Yield a name and the message for each mail below `paths`, of each the first `limit` octets.

    A file that is named is read as it is: one mail, or the mails of an mbox (`inbox.mbox#3`). A folder is
    searched through, by name: `.eml` files, what else begins like a mail, mbox files, Maildirs. `-` is
    standard input: one mail, or the mails of an mbox (`-#3`). Raises ConfigError for a path that is
    not there or cannot be read.
    """
    for path in paths:
        if str(path) == _STDIN:
            yield from _stdin(limit)
            continue
        try:
            for file in _files(path):
                yield from _messages(file, limit)
        except OSError as exc:
            raise ConfigError([in_words(exc, path)]) from exc


def _stdin(limit: int) -> Iterator[tuple[str, RawMessage]]:
    """Yield the one mail on standard input, or each of an mbox; no more than two are held at a time."""
    stream = sys.stdin.buffer
    begun = stream.readline(_CHUNK)
    if not is_from_line(begun):
        yield _STDIN, read_stdin(limit, stream, begun)
        return
    pieces = split(stream, limit, begun=begun)
    first, second = next(pieces, None), next(pieces, None)
    several = second is not None
    for n, piece in enumerate(chain(filter(None, (first, second)), pieces), 1):
        name = f"{_STDIN}#{n}" if several else _STDIN
        yield name, RawMessage(_place(name), piece.content, piece.size)


def read_stdin(limit: int, stream: BinaryIO | None = None, begun: bytes = b"") -> RawMessage:
    """Return the one message that an MTA's pipe hands over, without the From line that some put in front.

    `begun` is what was read of it already.
    All of it is taken from the pipe, so that the MTA is not left with a broken one; `limit` octets are kept.
    """
    stream = stream or sys.stdin.buffer
    content = begun + stream.read(max(0, limit - len(begun)))
    size = len(content)
    while rest := stream.read(_CHUNK):
        size += len(rest)
    content = content[:limit]
    if content.startswith(b"From "):
        line = content.find(b"\n") + 1
        content, size = content[line:], size - line
    return RawMessage(Place(_STDIN, _STDIN, 0, number(content)), content, size)


def _files(path: Path) -> Iterator[Path]:
    """Yield the files to read: the path itself, or what below it looks like mail."""
    if not path.is_dir():
        yield path
        return
    maildir = is_maildir(path)
    for found in sorted(path.iterdir()):
        if found.is_dir() and not found.is_symlink():
            if not (maildir and found.name == "tmp") and (not found.name.startswith(".") or is_maildir(found)):
                yield from _files(found)
        elif found.is_file() and not found.name.startswith(".") and _looks_like_mail(found):
            yield found


def _looks_like_mail(path: Path) -> bool:
    if path.suffix.lower() == ".eml" or path.parent.name in ("new", "cur"):
        return True
    if path.suffix.lower() in _NO_MAIL:
        return False
    with path.open("rb") as file:
        return bool(_FIELD.match(file.read(100)))


def _messages(path: Path, limit: int) -> Iterator[tuple[str, RawMessage]]:
    if path.suffix.lower() != ".eml" and is_mbox(path):
        with path.open("rb") as file:
            for n, piece in enumerate(split(file, limit), 1):
                name = f"{path}#{n}"
                yield name, RawMessage(_place(name), piece.content, piece.size)
        return
    with path.open("rb") as file:
        content = file.read(limit)
        size = max(len(content), os.fstat(file.fileno()).st_size)
    yield str(path), RawMessage(_place(str(path)), content, size)


def _place(name: str) -> Place:
    return Place(_STDIN, name, 0, number(name))
