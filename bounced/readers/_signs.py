"""Signs by which readers tell a mail system's report from other mail before they look closer."""

import re

from bounced.readers._message import DELIVERY_STATUS, WHOLE_ORIGINAL, Message
from bounced.readers._patterns import Sign
from bounced.readers._words import ANSWER, AUTOMATIC, DELAYED, FAILED

_LISTS = frozenset({"list-id", "list-unsubscribe", "list-post", "x-beenthere"})
_MAIL_SYSTEM = Sign(
    r"(?i)mailer[-_. ]?daemon|mail[-_. ]?daemon|post[-_. ]?master|"
    r"mail(?:er)?[-_. ]?(?:delivery|system|administrator|router)|"
    r"delivery (?:sub)?system|mdaemon|system administrator|\bdaemon\b|^\s*<>"
)
_REPLY = re.compile(r"[45](?:(?<![\d.,:/-][45])\d\d(?:[ -]+\S|$)|(?<![\d.][45])\.\d{1,3}\.\d{1,3}(?![\d.]))", re.M)
_ALONE = re.compile(r"^[ \t]*<?[^\s<>@:]{1,64}@[^\s<>@:]{1,255}\.[^\s<>@:.]{2,63}>?[ \t]*:?[ \t]*$", re.M)
LOOKED_AT = 20_000  # characters of the text in which words of failure are looked for


def is_report(message: Message) -> bool:
    """True if a mail system, and not a person, a list or a service, says that something failed or waits."""
    if "X-Failed-Recipients" in message.fields:
        return True
    failed_subject = tells_failure(message.subject) and not ANSWER.match(message.subject)
    if not failed_subject and not is_automatic(message):
        return False
    if not failed_subject and not tells_failure(message.text()[:LOOKED_AT]):
        return False
    return is_proved(message, failed_subject)


def is_proved(message: Message, failed_subject: bool) -> bool:
    """True if the words of failure are a mail system's own: its name says so, or what it returns, or how it writes.

    People, lists and services speak of failures as well, in subjects too. The less a sender looks like a mail
    system, the more must be there: an SMTP reply or status, an address alone on its line.
    """
    if not message.types.isdisjoint(DELIVERY_STATUS):
        return True
    text = message.text()[:LOOKED_AT]
    if _MAIL_SYSTEM(message.sender):
        converses = ANSWER.match(message.subject) and "In-Reply-To" in message.fields and not message.null_sender
        return not converses or bool(_REPLY.search(text))
    if message.fields.any_of(_LISTS):
        return False
    if message.original() is not None:
        return True
    if message.null_sender:
        return failed_subject or bool(_REPLY.search(text))
    written = bool(_REPLY.search(text)), bool(_ALONE.search(text))
    return failed_subject and (any(written) if is_automatic(message) else all(written))


def is_automatic(message: Message) -> bool:
    """True if header or form say that a mail system wrote it."""
    return (
        message.null_sender
        or not message.types.isdisjoint(DELIVERY_STATUS)
        or AUTOMATIC(message.sender)
        or AUTOMATIC(message.header("Return-Path") or "")
    )


def tells_failure(text: str) -> bool:
    """True if `text` has words of failure or delay, in any language known."""
    return FAILED(text) or DELAYED(text)


def is_forwarded(message: Message) -> bool:
    """True if the report lies within a mail that a person sent on."""
    if message.types.isdisjoint(WHOLE_ORIGINAL):
        return False
    wrapped = any(p.content_type in WHOLE_ORIGINAL and p.children and not p.returned for p in message.parts)
    return wrapped and not is_automatic_sender(message)


def is_automatic_sender(message: Message) -> bool:
    """True if the header alone says that a mail system wrote it."""
    return message.null_sender or AUTOMATIC(message.sender)
