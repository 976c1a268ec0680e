"""Django's e-mail, less those who are suppressed: `EMAIL_BACKEND = "bounced.django.SuppressingBackend"`.

BOUNCED = {
    "URL": "http://127.0.0.1:8025",  # or sqlite:///…, postgresql://…
    "TOKEN": "…",
    "KEY": None,  # where a database is asked that keeps hashes for addresses: privacy.key
    "SCOPE": "*",
    "BACKEND": "django.core.mail.backends.smtp.EmailBackend",  # what sends the mail
    "FAIL_OPEN": False,  # True: while nobody can be asked, everybody is mailed
}
"""

import logging
import os
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from bounced.client import Suppressions, mail_address
from bounced.errors import StoreDown

log = logging.getLogger("bounced.django")

_SMTP = "django.core.mail.backends.smtp.EmailBackend"
_FIELDS = ("to", "cc", "bcc")


class SuppressingBackend(BaseEmailBackend):  # type: ignore[misc]  # Django ships no types
    """Leaves suppressed recipients out of `to`, `cc` and `bcc`, and hands the rest to the backend that sends.

    Each message has an attribute `suppressed_recipients` afterwards: those left out, as they were written. One with
    nobody left is not sent, and not counted as sent. While nobody can be asked StoreDown is raised and nothing sent,
    unless FAIL_OPEN; with `fail_silently` nothing is sent and 0 returned.
    """

    def __init__(self, fail_silently: bool = False, **options: Any) -> None:
        super().__init__(fail_silently=fail_silently)
        ours = settings.BOUNCED
        self._sender = get_connection(ours.get("BACKEND", _SMTP), fail_silently=fail_silently, **options)
        who = ours["URL"], ours.get("TOKEN"), ours.get("KEY")
        self._asked = (*who, ours.get("SCOPE", "*"), bool(ours.get("FAIL_OPEN")))

    def open(self) -> bool | None:
        """Open the connection of the backend that sends."""
        opened: bool | None = self._sender.open()
        return opened

    def close(self) -> None:
        """Close it."""
        self._sender.close()

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Return how many were sent. One question for all of them."""
        messages = list(email_messages)
        try:
            allowed = self._allowed(messages)
        except StoreDown:
            if self.fail_silently:
                return 0
            raise
        for message in messages:
            _leave_out(message, allowed)
        left = [message for message in messages if message.recipients()]
        return (self._sender.send_messages(left) or 0) if left else 0

    def _allowed(self, messages: Sequence[EmailMessage]) -> set[str]:
        """Return the normal form of everybody who may be mailed. What is no address is for the sender to refuse."""
        everybody = {address for m in messages for text in m.recipients() if (address := mail_address(str(text)))}
        return set(_table(os.getpid(), *self._asked).filter(sorted(everybody)))


@lru_cache(maxsize=8)
def _table(_process: int, url: str, token: str | None, key: str | None, scope: str, fail_open: bool) -> Suppressions:
    """Return the one table of these settings: Django makes a backend for every mail. No connection crosses a fork."""
    return Suppressions(url, token=token, key=key, scope=scope, fail_open=fail_open)


def _leave_out(message: EmailMessage, allowed: set[str]) -> None:
    """Take out of a message who may not be mailed, and say so."""
    out: list[str] = []
    for field in _FIELDS:
        there = list(getattr(message, field))
        stay = [text for text in there if (address := mail_address(str(text))) is None or address in allowed]
        if len(stay) < len(there):
            setattr(message, field, stay)
            out += [str(text) for text in there if text not in stay]
    message.suppressed_recipients = out
    if out:
        log.warning(
            "%d suppressed recipient(s) left out of a mail to %d", len(out), len(out) + len(message.recipients())
        )
        log.debug("left out: %s", ", ".join(out))
