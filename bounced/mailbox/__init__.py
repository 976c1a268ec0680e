"""Where messages come from: IMAP; Maildir, mbox, files, standard input. Alone imports imapclient."""

from bounced.mailbox.source import Batch, Check, Positions, Source

__all__ = ["Batch", "Check", "Positions", "Source"]
