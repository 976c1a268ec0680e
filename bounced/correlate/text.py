"""What a stranger wrote -> what may be stored: bounded tags, Message-IDs, and the addresses of a header field."""

import re
import unicodedata
from email.utils import getaddresses

from bounced import address

#: The longest tag that is kept, in characters; the rest is cut.
MAX_TAG = 128
#: The most categories of one mail that are kept.
MAX_CATEGORIES = 10
#: RFC 5322 section 2.1.1 ends a line at 998 octets; a field read further is no honest one.
MAX_FIELD = 10_000
_MAX_MESSAGE_ID = 250
_MAX_ADDRESSES = 100

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LONE = re.compile(r'(?:[^",<>()@:;\\]*<)?([^\s<>,"()@:;\\]+@[^\s<>,"()@:;\\]+)>?\s*', re.ASCII)
_ID = rf"[^\s<>\x00-\x20\x7f]{{3,{_MAX_MESSAGE_ID}}}"
_MESSAGE_ID = re.compile(f"<({_ID})>")
_BARE_MESSAGE_ID = re.compile(_ID)


def tag(value: str) -> str | None:
    """Return `value` as a tag: NFC, one line, blanks collapsed, at most MAX_TAG characters; None if nothing is left.

    Control, bidirectional and other invisible characters are removed, so that a tag shows as what it is.
    """
    value = value[: 8 * MAX_TAG]
    if not (value.isascii() and value.isprintable()):
        value = unicodedata.normalize("NFC", value).replace("\t", " ").replace("\n", " ")
        value = "".join(c for c in value if unicodedata.category(c) not in _INVISIBLE)
    return " ".join(value.split())[:MAX_TAG].rstrip() or None


def encodable(value: str) -> str:
    """Return `value` with lone surrogates replaced: a decoder that lets octets through leaves them."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def message_id(value: str | None) -> str | None:
    """Return the first Message-ID in `value` without its angle brackets; None if there is none, or it is too long."""
    if not value:
        return None
    found = _MESSAGE_ID.search(value[:MAX_FIELD])
    if found:
        return found[1]
    bare = _BARE_MESSAGE_ID.fullmatch(value.strip())
    return bare[0] if bare and "@" in bare[0] else None


def addresses(value: str | None) -> tuple[str, ...]:
    """Return the normalised addresses of a field such as To, in order, each once; display names are no addresses."""
    if not value:
        return ()
    lone = _LONE.fullmatch(value)
    found = [lone[1]] if lone else _listed(value[:MAX_FIELD])
    normal = (address.normalise(one) for one in found[:_MAX_ADDRESSES] if one)
    return tuple(dict.fromkeys(one for one in normal if one))


def _listed(value: str) -> list[str]:
    """Return what the standard library takes for addresses; none where comments or groups nest beyond reason."""
    try:
        return [pair[1] for pair in getaddresses([value])]
    except RecursionError:
        return []


def single(value: str | None) -> str | None:
    """Return the one normalised address in `value`, also behind a type (`rfc822; a@b`); None if none or several."""
    if not value:
        return None
    lone = _LONE.fullmatch(value)
    if lone:
        return address.normalise(lone[1])
    kind, semicolon, rest = value.partition(";")
    found = addresses(rest if semicolon and "@" not in kind else value)
    return found[0] if len(found) == 1 else None
