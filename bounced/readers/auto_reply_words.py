"""Automatic replies told by their words: subject and first lines in some thirty languages, with what supports them.

Tell-tale: a responder's subject (`Automatische Antwort: ...`), or lesser signs that add up. Asked last, so that a
failure report that is only called automatic is read as what it is.
"""

from bounced.model import Kind, Report
from bounced.readers import Rank, Reader
from bounced.readers._message import MACHINE, Message
from bounced.readers._responder import SURE, all_signs, from_a_mail_system, subtype_of


def read(message: Message) -> Report | None:
    """Return an automatic reply, without findings; None where the signs do not add up."""
    if not message.types.isdisjoint(MACHINE):
        return None
    found = all_signs(message)
    if found.weight < SURE or (from_a_mail_system(message) and not found.declared):
        return None
    return Report(Kind.AUTO_REPLY, READER.name, subtype=subtype_of(message), notes=found.signs)


READER = Reader("auto_reply_words", Rank.PHRASES, read)
