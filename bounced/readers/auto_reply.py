"""Automatic replies that their header declares: vacation notices, acknowledgements, "has left the company".

Tell-tale: Auto-Submitted: auto-replied (RFC 3834 section 5), a field that only responders write, or a null return path
below a subject such as `Automatic reply: ...`, in a mail that neither comes from a mail system nor calls itself a
failure report. The mailbox behind it is alive.
"""

from bounced.model import Kind, Report
from bounced.readers import Rank, Reader
from bounced.readers._message import Message
from bounced.readers._responder import SURE, from_a_mail_system, header_signs, is_declared, subtype_of


def read(message: Message) -> Report | None:
    """Return an automatic reply, without findings: it tells of no failure."""
    found = header_signs(message)
    sure = found.weight >= SURE or ((found.weight or message.null_sender) and is_declared(message))
    if not sure or from_a_mail_system(message):
        return None
    return Report(Kind.AUTO_REPLY, READER.name, subtype=subtype_of(message), notes=found.signs)


READER = Reader("auto_reply", Rank.RESPONDER, read)
