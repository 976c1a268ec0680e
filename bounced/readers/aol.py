"""AOL before its move to Yahoo: screen names instead of addresses.

Tell-tale: the header field `Mailer: AIRmail`. Each name stands on an indented line of its own; the domain is that of
the sender of the report.
"""

import re

from bounced.model import Finding, Kind, Report
from bounced.readers import Rank, Reader
from bounced.readers._addresses import ADDRESS
from bounced.readers._message import Message

_NAME = re.compile(r"^[ \t]+([A-Za-z0-9][A-Za-z0-9._-]{0,60}(?:@[A-Za-z0-9.-]{3,200})?)[ \t]*$", re.M)


def read(message: Message) -> Report | None:
    """Return a finding for each name; the reason is the sentence before them."""
    if not (message.header("Mailer") or "").startswith("AIRmail"):
        return None
    sender = ADDRESS.search(message.sender)
    domain = sender.group().rpartition("@")[2] if sender else "aol.com"
    names = dict.fromkeys(_NAME.findall(message.text()))
    text = " ".join(message.text().split())[:2_000]
    addresses = [name if "@" in name else f"{name}@{domain}" for name in names]
    findings = tuple(Finding(address, final_recipient=address, text=text) for address in addresses)
    return Report(Kind.BOUNCE, READER.name, findings, reporting_mta=domain) if findings else None


READER = Reader("aol", Rank.SIGNED_FORMAT, read)
