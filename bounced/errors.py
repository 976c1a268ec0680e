"""What the caller must do: stop, try later, set one message aside.

Each stage maps the errors of its libraries to these at its border; nothing else may leave a stage.
"""

from collections.abc import Iterable


class BouncedError(Exception):
    """Root of everything this program raises on purpose."""


class ConfigError(BouncedError):
    """Stop: the configuration or the rules cannot be used as they are.

    `problems` lists every fault found, one line each, beginning with the path of the setting:
    `mailboxes[0].port: want 1-65535, got "imaps"`.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class TryLater(BouncedError):
    """Nothing was acked and nothing is lost: back off and come again.

    `retry_after` is in seconds, where the other side named a time.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class MailboxDown(TryLater):
    """The mailbox could not be reached, refused the login, or broke off."""


class StoreDown(TryLater):
    """The database cannot be reached, is locked, full, or not yet migrated."""


class ReceiverDown(TryLater):
    """A webhook endpoint did not take the notification."""


class Unreadable(BouncedError):
    """Quarantine this message and go on; the text says which limit or rule of form it broke."""
