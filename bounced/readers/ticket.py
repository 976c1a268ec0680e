"""Acknowledgements of ticket systems: "your request has been received and got number 4711".

Tell-tale: a field that such a system writes, or a ticket number in the subject of a mail that calls itself automatic.
Left in the mailbox: a person may be waiting behind it.
"""

import re

from bounced.model import Kind, Report
from bounced.readers import Rank, Reader
from bounced.readers._charset import fold
from bounced.readers._message import MACHINE, Message
from bounced.readers._responder import from_a_mail_system

_FIELDS = frozenset(
    {
        "rt-ticket",
        "x-rt-loop-prevention",
        "x-otrs-ticket-id",
        "x-otrs-loop",
        "x-znuny-loop",
        "x-zammad-auto-response",
        "x-zendesk-ticket-id",
        "x-delivery-context-ticket",
        "x-freshdesk-ticket-id",
        "x-helpscout-id",
        "x-kayako-ticket",
        "x-osticket-thread-id",
        "x-jira-fingerprint",
        "x-servicenow-generated",
        "x-redmine-host",
        "x-glpi-item",
    }
)
_NUMBER = re.compile(
    r"(?:\[|\(|\b)\s*(?:ticket|case|request|issue|incident|vorgang|anfrage|demande|solicitud|caso|ref|rt|support)"
    r"(?:\s*(?:id|no\.?|nr\.?|number|nummer|número|numéro))?\s*[:#\-]?\s*#?\s*[a-z]{0,8}-?\d{3,}"
    r"|\[[\w .-]{2,40}\s+#\d{2,}\]|\[#[a-z0-9-]{3,20}\]",
    re.I,
)
_AUTOMATIC = ("auto-replied", "auto-generated")


def read(message: Message) -> Report | None:
    """Return `other`; never a mail that reports a failure."""
    if not message.types.isdisjoint(MACHINE):
        return None
    declared = (message.header("Auto-Submitted") or "").strip().lower().startswith(_AUTOMATIC)
    signed = message.fields.any_of(_FIELDS)
    if not signed and not (declared and _NUMBER.search(fold(message.subject[:200]))):
        return None
    if from_a_mail_system(message):
        return None
    return Report(Kind.OTHER, READER.name, subtype="ticket")


READER = Reader("ticket", Rank.SIGNED_FORMAT, read)
