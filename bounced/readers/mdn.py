"""Read receipts (MDN): displayed, deleted, processed. No failures, but for Sieve's `reject`, which may come as one.

Tell-tale: a part message/disposition-notification. RFC 8098, before it 3798 and 2298; RFC 5429 section 2.2.1: a
`reject` answers `automatic-action/MDN-sent-automatically; deleted` and gives its reason in the human part. The
mailbox behind it is alive. "Deleted without being read", which Exchange sends just so, is no refusal.
"""

import re

from bounced.model import Action, Finding, Kind, Report
from bounced.readers import Rank, Reader
from bounced.readers._charset import fold
from bounced.readers._feedback import addresses
from bounced.readers._fields import Fields
from bounced.readers._message import DISPOSITION, Message

_REFUSED = re.compile(
    r"\breject|\brefus|not accepted|does not accept|cannot accept|\bdeclined\b|quota|mailbox (?:is )?full"
    r"|abgelehnt|zurückgewiesen|rechaz|rejeit|respint|rifiutat|geweigerd|odrzucon|отклон|拒",
    re.I,
)
_UNREAD = re.compile(
    r"without (?:being|having been) (?:read|displayed)|not been (?:read|displayed)|ungelesen|sans (?:avoir été|être) lu"
)
_HOST = re.compile(r"\s*([a-z0-9][a-z0-9._-]{1,250})\s*(?:;|$)", re.I)  # Dovecot 2.3 writes `%s;` there
_MAX_REASON = 2_000


def read(message: Message) -> Report | None:
    """Return a receipt without findings, or a bounce of one recipient with the reason as text where Sieve refused."""
    part = message.part(*DISPOSITION)
    if part is None:
        return None
    fields = Fields(part.content)
    if _is_refusal(message, fields):
        return _refusal(message, fields)
    return Report(Kind.OTHER, READER.name, subtype="mdn", notes=fields.all("Disposition")[:1])


def _is_refusal(message: Message, fields: Fields) -> bool:
    """Return True if the machine threw the mail away and the words say that it was refused."""
    disposition = "".join((fields.first("Disposition") or "").lower().split())
    if "automatic-action" not in disposition or not disposition.partition(";")[2].startswith(
        ("deleted", "denied", "failed")
    ):
        return False
    said = fold(message.text()[:_MAX_REASON])
    declared = "reject" in (message.header("Auto-Submitted") or "").lower()
    return not _UNREAD.search(said) and (declared or bool(_REFUSED.search(fold(message.subject[:400]) + "\n" + said)))


def _refusal(message: Message, fields: Fields) -> Report:
    final, given = (_address(fields, name) for name in ("Final-Recipient", "Original-Recipient"))
    finding = Finding(
        given or final,
        original_recipient=given,
        final_recipient=final,
        action=Action.FAILED,
        diagnostic=fields.first("Error") or fields.first("Failure"),
        diagnostic_type="x-sieve",
        text=message.text()[:_MAX_REASON].strip(),
    )
    host = _HOST.match(fields.first("Reporting-UA") or "")
    named = host.group(1) if host else None
    return Report(Kind.BOUNCE, READER.name, (finding,), reporting_mta=named, notes=("refused by a Sieve script",))


def _address(fields: Fields, name: str) -> str | None:
    found = addresses((fields.first(name) or "",))
    return found[0] if found else None


READER = Reader("mdn", Rank.STANDARD, read)
