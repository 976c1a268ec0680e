"""A folder of .eml files, one message each, as exports and drop folders have them."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from bounced.mailbox.folder import Entry
from bounced.mailbox.identity import number


class EmlFiles:
    """The .eml files right in one folder. A file written anew under an old name is another message."""

    def __init__(self, path: Path) -> None:
        self._root = path

    def entries(self) -> Iterator[Entry]:
        """Yield the files, oldest first."""
        with os.scandir(self._root) as found:
            files = [f for f in found if f.name.lower().endswith(".eml") and f.is_file(follow_symlinks=False)]
        yield from sorted(map(_entry, files), key=lambda entry: (entry.written, entry.path.name))

    def state(self) -> object:
        """Return the folder's time."""
        return self._root.stat().st_mtime_ns

    def move(self, entry: Entry, folder: str) -> None:
        """Move into a subfolder; a file of that name there is kept, the new one gets a number."""
        target = self._root / folder
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = next(path for path in _names(target / entry.path.name) if not path.exists())
        entry.path.rename(free)

    def unwritable(self) -> list[Path]:
        """Return the folder if it cannot be written to."""
        return [] if os.access(self._root, os.W_OK | os.X_OK) else [self._root]


def _entry(file: "os.DirEntry[str]") -> Entry:
    stat = file.stat(follow_symlinks=False)
    return Entry(number(file.name, stat.st_size, stat.st_mtime_ns), Path(file.path), stat.st_size, stat.st_mtime)


def _names(path: Path) -> Iterator[Path]:
    yield path
    for n in count(2):
        yield path.with_stem(f"{path.stem}-{n}")
