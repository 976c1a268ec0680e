"""Maildir (cr.yp.to/proto/maildir.html), subfolders as Maildir++ names them: `.Processed` beside `new` and `cur`."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from bounced.mailbox.folder import Entry
from bounced.mailbox.identity import number

_PARTS = ("tmp", "new", "cur")
_INFO = re.compile(r"[:;!]2,[^/]*\Z")  # flags behind the unique part; `;` and `!` where a file system forbids `:`


def is_maildir(path: Path) -> bool:
    """True if `path` has the folders of a Maildir."""
    return all((path / part).is_dir() for part in ("new", "cur"))


class MaildirFiles:
    """The messages of one Maildir. A message keeps its number when its flags change."""

    def __init__(self, path: Path) -> None:
        self._root = path

    def entries(self) -> Iterator[Entry]:
        """Yield what lies in `new` and `cur`, oldest first."""
        found = [entry for part in ("new", "cur") for entry in _entries(self._root / part)]
        yield from sorted(found, key=lambda entry: (entry.written, entry.path.name))

    def state(self) -> object:
        """Return the times of `new` and `cur`."""
        return tuple((self._root / part).stat().st_mtime_ns for part in ("new", "cur"))

    def move(self, entry: Entry, folder: str) -> None:
        """Rename into the subfolder: `new` stays `new`, the name with its flags stays."""
        target = subfolder(self._root, folder)
        try:
            entry.path.rename(target / entry.path.parent.name / entry.path.name)
        except FileNotFoundError:
            if entry.path.exists():
                _make(target)
                entry.path.rename(target / entry.path.parent.name / entry.path.name)

    def unwritable(self) -> list[Path]:
        """Return those of root, `new` and `cur` that cannot be written to."""
        return [p for p in (self._root, self._root / "new", self._root / "cur") if not os.access(p, os.W_OK | os.X_OK)]


def subfolder(root: Path, folder: str) -> Path:
    """Return where Maildir++ keeps a folder: `A/B` is `.A.B`."""
    return root / ("." + folder.replace("/", "."))


def _make(folder: Path) -> None:
    """Make a subfolder; `maildirfolder` tells delivery agents that it is one."""
    for path in (folder, *(folder / part for part in _PARTS)):
        path.mkdir(mode=0o700, exist_ok=True)
    (folder / "maildirfolder").touch(mode=0o600)


def _entries(folder: Path) -> Iterator[Entry]:
    with os.scandir(folder) as found:
        for file in found:
            if file.name.startswith(".") or not file.is_file(follow_symlinks=False):
                continue
            stat = file.stat(follow_symlinks=False)
            yield Entry(number(_INFO.sub("", file.name)), Path(file.path), stat.st_size, stat.st_mtime)
