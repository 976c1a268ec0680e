"""Where a message lies now that came from files on this machine: for a person who looks for it."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bounced.config import FolderMailbox
from bounced.mailbox.eml import EmlFiles
from bounced.mailbox.folder import Files
from bounced.mailbox.maildir import MaildirFiles, subfolder

#: Files that are looked at before it is given up.
_MOST = 1_000_000


def locate(settings: FolderMailbox, uid: int) -> Path | None:
    """Return the file of the message of this number, wherever it was moved to; the mbox file itself for an mbox.

    None if it is not there any more, or cannot be looked for.
    """
    if settings.kind == "mbox":
        return settings.path if settings.path.exists() else None
    left = _MOST
    for files in _places(settings):
        with suppress(OSError):
            for entry in files.entries():
                left -= 1
                if entry.uid == uid:
                    return entry.path
                if not left:
                    return None
    return None


def _places(settings: FolderMailbox) -> Iterator[Files]:
    """Yield the folder that is polled, then those that messages are moved to."""
    names = dict.fromkeys(settings.after.folders().values())
    if settings.kind == "maildir":
        yield MaildirFiles(settings.path)
        yield from (MaildirFiles(subfolder(settings.path, name)) for name in names)
    else:
        yield EmlFiles(settings.path)
        yield from (EmlFiles(settings.path / name) for name in names)
