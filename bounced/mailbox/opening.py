"""From settings to a source: what the configuration promises about a mailbox is checked here, once."""

import re

from bounced.config import After, FolderMailbox, ImapMailbox, Limits
from bounced.errors import ConfigError
from bounced.mailbox.eml import EmlFiles
from bounced.mailbox.folder import FolderSource
from bounced.mailbox.imap import ImapSource
from bounced.mailbox.maildir import MaildirFiles
from bounced.mailbox.mbox import MboxSource
from bounced.mailbox.source import Source, Urgent, nothing_urgent

_ATOM = re.compile(r"[!#$&'+,./0-9:;<=>?@A-Z^_`a-z|~-]+")  # RFC 3501 section 9, flag-keyword
_WILD = frozenset('*%"\\')


def open_mailbox(
    settings: ImapMailbox | FolderMailbox, limits: Limits | None = None, urgent: Urgent = nothing_urgent
) -> Source:
    """Return the source that `settings` name, not yet connected.

    `urgent` says of envelope recipients whether mail to them goes first where much is waiting (IMAP).
    Raises ConfigError for names that no server could take, a missing extra and a CA file that cannot be used.
    """
    limits = limits or Limits()
    problems = [*_folders(settings), *_flag(settings.after)]
    if problems:
        raise ConfigError(f"mailboxes.{settings.name}.{problem}" for problem in problems)
    if isinstance(settings, ImapMailbox):
        return ImapSource(settings, limits, urgent)
    if settings.kind == "mbox":
        return MboxSource(settings, limits)
    files = MaildirFiles(settings.path) if settings.kind == "maildir" else EmlFiles(settings.path)
    return FolderSource(settings, limits, files)


def _folders(settings: ImapMailbox | FolderMailbox) -> list[str]:
    """Return what is wrong with folder names: nothing in them may end a command, match others or climb up."""
    after = settings.after
    named = {f"after.{name}": folder for name, folder in after.folders().items()}
    if isinstance(settings, ImapMailbox):
        named |= {f"folders[{n}]": folder for n, folder in enumerate(settings.folders)}
    return [f"{path}: {why}, got {name!r}" for path, name in named.items() for why in _unfit(name)]


def _unfit(name: str) -> list[str]:
    if not name.strip():
        return ["a folder needs a name"]
    if not name.isprintable():
        return ["a folder name cannot hold line breaks or control characters"]
    if _WILD & set(name):
        return ['a folder name cannot hold * % " or backslash']
    if name.startswith("/") or ".." in name.split("/"):
        return ["a folder name cannot begin with / or hold .."]
    return []


def _flag(after: After) -> list[str]:
    if _ATOM.fullmatch(after.flag):
        return []
    return [f"after.flag: want a keyword like $BouncedSeen, without spaces and brackets, got {after.flag!r}"]
