"""Any text by which a mail system says that mail did not arrive: the reader for dialects that nobody described.

Tell-tale: an automatic sender or a subject of failure, words of failure before the returned original, and an
address that they speak of. Named recipients come first, then X-Failed-Recipients, then whom the original was sent to.
"""

import re

from bounced.model import Action, Finding, Kind, Report
from bounced.readers import Rank, Reader
from bounced.readers._addresses import ADDRESS, bare
from bounced.readers._mentions import Mention, mentions
from bounced.readers._message import Message
from bounced.readers._replies import host_in, reply_code, reply_in, status_code
from bounced.readers._signs import LOOKED_AT, is_report
from bounced.readers._words import DELAYED, FAILED, FINAL

MAX_TEXT = 2_000
_SAYS_NOTHING = 4  # lines about a recipient with fewer characters besides the address give no reason
_REFUSED = re.compile(r"5(?<![\d.]5)\d\d[ -](?:\S|5\.\d)")


def read(message: Message) -> Report | None:
    """Return what the text says of each recipient it names; None if it is no report of a mail system."""
    if not is_report(message):
        return None
    kind = kind_of(message)
    findings = findings_of(message, Action.DELAYED if kind is Kind.DELAYED else Action.FAILED)
    if not findings:
        return None
    return Report(kind, READER.name, findings, reporting_mta=reporting_host(message))


def kind_of(message: Message) -> Kind:
    """Return `delayed` where the text promises to go on trying and nowhere says that it ended, else `bounce`."""
    text = message.subject + "\n" + message.text()[:LOOKED_AT]
    goes_on = DELAYED(text) and not _REFUSED.search(text) and not FINAL(text)
    return Kind.DELAYED if goes_on else Kind.BOUNCE


def findings_of(message: Message, action: Action) -> tuple[Finding, ...]:
    """Return a finding for each recipient that the mail names, in the surest way in which it does."""
    text = message.text()
    named = mentions(text, strangers(message))
    failed = [a for value in message.headers("X-Failed-Recipients") for a in ADDRESS.findall(value)]
    if failed:
        blocks = {one.address.lower(): one.block for one in named}
        named = tuple(Mention(a, blocks.get(a.lower(), ""), 5) for a in dict.fromkeys(failed))
    if not named:
        named = tuple(Mention(a, text, 1) for a in sent_to(message))
    return tuple(finding_of(one, text, action, alone=len(named) == 1) for one in named)


def finding_of(mention: Mention, text: str, action: Action = Action.FAILED, *, alone: bool = False) -> Finding:
    """Return the finding that the lines about a recipient make; the whole text serves where those say nothing.

    Of a recipient who is `alone` the reason may also stand above, with no more than a label before the address.
    """
    block = mention.block
    rest = block.partition(mention.address)[2] if alone else block.replace(mention.address, "", 1)
    if len(rest.strip(" \n\t<>:;,.'\"()[]-*")) < _SAYS_NOTHING:
        block = text
    reply = reply_in(block)
    if reply is None and not FAILED(rest) and status_code(rest) is None:
        reply = reply_in(text)
    return Finding(
        recipient=mention.address,
        final_recipient=mention.address,
        action=action,
        status=status_code(reply or block),
        reply_code=reply_code(reply) if reply else None,
        diagnostic=reply,
        remote_mta=host_in(block),
        text=block.strip()[:MAX_TEXT] or None,
    )


def strangers(message: Message) -> frozenset[str]:
    """Return the addresses of the report's own header, in lower case: the sender's and the mail system's."""
    names = ("To", "From", "Delivered-To", "X-Original-To", "Envelope-To", "Return-Path", "Reply-To", "Cc", "Sender")
    values = "\n".join([value for name in names for value in message.headers(name)])
    return frozenset([address.lower() for address in ADDRESS.findall(values)])


def sent_to(message: Message) -> tuple[str, ...]:
    """Return whom the returned original was addressed to, if it was one."""
    original = message.original()
    values = original.all("To") if original else ()
    found = {a.lower(): a for value in values for a in ADDRESS.findall(value)}
    return tuple(found.values()) if len(found) == 1 else ()


def reporting_host(message: Message) -> str | None:
    """Return the host of the address that the report comes from."""
    address = bare(message.sender) or ""
    return address.rpartition("@")[2].lower() or None if "@" in address else None


READER = Reader("free_text", Rank.FREE_TEXT, read)
