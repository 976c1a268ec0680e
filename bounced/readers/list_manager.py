"""Mailing list managers that do not take a mail: fml, Majordomo, Mailman, ezmlm, Sympa, Google Groups.

Tell-tale: a field that only they write, or the words "not a member", from an address that belongs to a list. What
refused is the list; the address is alive, so nothing here is a dead mailbox.
"""

from bounced.model import Finding, Kind, Report
from bounced.readers import Rank, Reader
from bounced.readers._addresses import ADDRESS
from bounced.readers._mentions import mentions
from bounced.readers._message import Message
from bounced.readers._patterns import Sign
from bounced.readers.free_text import strangers

_FIELDS = frozenset(
    {
        "x-mlserver",
        "x-ml-name",
        "x-mailman-version",
        "x-majordomo-version",
        "x-loop",
        "mailing-list",
        "x-sympa-to",
    }
)
_REFUSED = Sign(
    r"(?i)not (?:a |an )?(?:\w+ )?(?:member|subscriber|subscribed)|(?:non|only) ?-?(?:member|subscriber)s?\b|"
    r"not (?:allowed|permitted|authori[sz]ed) to (?:post|send)|permission to post|may not exist|(?:posting|"
    r"message) (?:was |has been )?"
    r"(?:rejected|denied|not approved)|不是(?:本|该)?(?:列表|邮件)|投稿できません|メンバーではありません"
)
_SERVICE = Sign(
    r"(?i)-(?:admin|owner|bounces|request|ctl|help|subscribe|unsubscribe|confirm)@|(?:owner|majordomo|listserv|"
    r"sympa)[-@]"
)


def read(message: Message) -> Report | None:
    """Return the list's address as the recipient; None unless a list manager says that it refused a mail."""
    listed = message.fields.any_of(_FIELDS) or _SERVICE(message.sender)
    if not listed or not _REFUSED(message.subject + "\n" + message.text()[:8_000]):
        return None
    failed = [a for value in message.headers("X-Failed-Recipients") for a in ADDRESS.findall(value)]
    known = strangers(message)
    named = failed or [one.address for one in mentions(message.text()[:8_000], known)]
    named = [address for address in named if not _SERVICE(address)] or _posted_to(message)
    text = (message.subject + "\n" + message.text()).strip()[:2_000]
    findings = tuple(Finding(address, final_recipient=address, text=text) for address in dict.fromkeys(named[:5]))
    return Report(Kind.BOUNCE, READER.name, findings) if findings else None


def _posted_to(message: Message) -> list[str]:
    """Return the first address in the text that is not one of the list's own services."""
    found = ADDRESS.findall(message.text()[:8_000])
    return [a for a in found if a.lower() not in strangers(message) and not _SERVICE(a)][:1]


READER = Reader("list_manager", Rank.PROSE, read)
