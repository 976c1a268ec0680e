"""Signs by which readers tell a mail system's report from other mail before they look closer."""

from bounced.readers._message import DELIVERY_STATUS, WHOLE_ORIGINAL, Message
from bounced.readers._words import ANSWER, AUTOMATIC, DELAYED, FAILED

LOOKED_AT = 20_000  # characters of the text in which words of failure are looked for


def is_report(message: Message) -> bool:
    """True if a mail system, and not a person, says that something failed or waits."""
    failed_subject = tells_failure(message.subject) and not ANSWER.match(message.subject)
    if not failed_subject and not is_automatic(message):
        return False
    return failed_subject or "X-Failed-Recipients" in message.fields or tells_failure(message.text()[:LOOKED_AT])


def is_automatic(message: Message) -> bool:
    """True if header or form say that a mail system wrote it."""
    return (
        message.null_sender
        or not message.types.isdisjoint(DELIVERY_STATUS)
        or bool(AUTOMATIC.search(message.sender))
        or bool(AUTOMATIC.search(message.header("Return-Path") or ""))
    )


def tells_failure(text: str) -> bool:
    """True if `text` has words of failure or delay, in any language known."""
    return bool(FAILED.search(text) or DELAYED.search(text))


def is_forwarded(message: Message) -> bool:
    """True if the report lies within a mail that a person sent on."""
    wrapped = any(p.content_type in WHOLE_ORIGINAL and p.children and not p.returned for p in message.parts)
    return wrapped and not is_automatic_sender(message)


def is_automatic_sender(message: Message) -> bool:
    """True if the header alone says that a mail system wrote it."""
    return message.null_sender or bool(AUTOMATIC.search(message.sender))
