"""Microsoft's Junk Mail Reporting Program in its old form: the mail itself, sent back without a machine part.

Tell-tale: `X-HmXmrOriginalRecipient` in the returned mail, or above it where a forwarder merged the two; or the
subject `complaint about message from IP`. The form since 2026 is ARF.
"""

import re

from bounced.model import Feedback, Kind, Original, Report
from bounced.readers import Rank, Reader
from bounced.readers._feedback import addresses, findings_for, is_redacted, mailed_to
from bounced.readers._message import MACHINE, Message

_FIELD = "X-HmXmrOriginalRecipient"
_WRITTEN = (b"HmXmrOriginalRecipient", b"hmxmroriginalrecipient")  # as it stands in a mail
_SUBJECT = re.compile(r"\bcomplaint about message from\s+(\S+)", re.I)
_REPORTERS = ("hotmail.com", "outlook.com", "microsoft.com", "live.com")


def read(message: Message) -> Report | None:
    """Return the complaint of one recipient; None if it is not this program's."""
    if not message.types.isdisjoint(MACHINE):
        return None
    subject = "complaint" in message.subject and _SUBJECT.search(message.subject[:400])
    merged = _FIELD in message.fields
    if not (subject or merged or (_may_tell(message) and _original_tells(message))):
        return None
    if subject and not merged and not _original_tells(message) and not _from_microsoft(message):
        return None
    original = Original(message.fields.pairs()) if merged else message.original()
    named = [a for a in addresses(original.all(_FIELD) if original else ()) if not is_redacted(a)]
    feedback = Feedback(
        "abuse",
        user_agent="JMRP",
        original_rcpt_to=tuple(named),
        source_ip=subject.group(1).strip("[]().,") if subject else None,
    )
    return Report(
        Kind.COMPLAINT,
        READER.name,
        findings_for(named or mailed_to(original), named),
        original=original,
        feedback=feedback,
    )


def _may_tell(message: Message) -> bool:
    return bool(message.root.children) and any(name in message.octets for name in _WRITTEN)


def _original_tells(message: Message) -> bool:
    original = message.original()
    return original is not None and original.first(_FIELD) is not None


def _from_microsoft(message: Message) -> bool:
    return any(address.lower().endswith(_REPORTERS) for address in addresses((message.sender,)))


READER = Reader("jmrp", Rank.FEEDBACK, read)
