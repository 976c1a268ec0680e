"""Where messages come from: IMAP; Maildir, mbox, files, standard input. Alone imports imapclient."""

from bounced.mailbox.opening import open_mailbox
from bounced.mailbox.paths import read_paths, read_stdin
from bounced.mailbox.source import Batch, Check, Positions, Source, nothing_urgent

__all__ = ["Batch", "Check", "Positions", "Source", "nothing_urgent", "open_mailbox", "read_paths", "read_stdin"]
