"""Lotus Notes and Domino: "was not delivered to: ... because: ...".

Tell-tale: those two lines, or "------- Failure Reasons". The reason is in the server's language; Notes names without
a domain, such as `Ann Lee/Garden@GARDEN`, are no mail addresses and are passed over.
"""

import re

from bounced.model import Finding, Kind, Report
from bounced.readers import Rank, Reader
from bounced.readers._addresses import ADDRESS
from bounced.readers._message import Message
from bounced.readers._replies import reply_code, reply_in, status_code
from bounced.readers.free_text import reporting_host

_NOTICE = re.compile(r"\bwas not delivered to:[ \t]*\n(.{1,4000}?)\n[ \t]*because:[ \t]*\n(.{1,4000})", re.S | re.I)
_REASONS = re.compile(r"-{3,}[ \t]*Failure Reasons[ -]*\n(.{1,4000}?)\n[ \t]*-{3,}[ \t]*Returned", re.S | re.I)


def read(message: Message) -> Report | None:
    """Return a finding for each address between the two lines, with the reason below them."""
    if "because:" not in message.folded and "failure reasons" not in message.folded:
        return None
    match = _NOTICE.search(message.text())
    if match:
        addresses, reason = ADDRESS.findall(match.group(1)), match.group(2)
    elif reasons := _REASONS.search(message.whole_text):
        addresses, reason = ADDRESS.findall(reasons.group(1)), reasons.group(1)
    else:
        return None
    reply = reply_in(reason)
    findings = tuple(
        Finding(
            address,
            final_recipient=address,
            status=status_code(reply or reason),
            reply_code=reply_code(reply) if reply else None,
            diagnostic=reply,
            text=reason.strip()[:2_000],
        )
        for address in dict.fromkeys(addresses)
    )
    return Report(Kind.BOUNCE, READER.name, findings, reporting_mta=reporting_host(message)) if findings else None


READER = Reader("domino", Rank.PROSE, read)
