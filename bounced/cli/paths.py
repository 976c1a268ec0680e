"""Messages for `classify` and `explain`, from files, folders, mbox, Maildir and standard input."""

import sys
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from bounced.errors import ConfigError
from bounced.model import Place, RawMessage


def messages(paths: Iterable[Path], limit: int) -> Iterator[tuple[str, RawMessage]]:
    """Yield name and message of all that lies below `paths`, folders in the order of their names."""
    for path in paths:
        if str(path) == "-":
            yield "-", _raw("-", sys.stdin.buffer.read(limit + 1), limit)
        elif path.is_dir():
            for file in sorted(p for p in path.rglob("*") if p.is_file()):
                yield from _file(file, limit)
        elif path.exists():
            yield from _file(path, limit)
        else:
            raise ConfigError([f"{path}: no such file or folder"])


def _file(path: Path, limit: int) -> Iterator[tuple[str, RawMessage]]:
    content = path.read_bytes()
    yield str(path), _raw(str(path), content, limit)


def _raw(name: str, content: bytes, limit: int) -> RawMessage:
    return RawMessage(Place("-", name, 0, zlib.crc32(name.encode())), content[:limit], len(content))
