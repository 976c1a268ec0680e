"""One normal form for a mail address, made here and nowhere else.

Two spellings that reach the same mailbox compare equal afterwards: case, angle brackets, trailing dot of the
domain, A-label or U-label (RFC 5890), composed or decomposed accents (NFC, RFC 6532 section 3.1).
Dots and plus tags in the local part are kept: they are different mailboxes at most providers.
"""

import re
import unicodedata

import idna

MAX_LOCAL_OCTETS = 64  # RFC 5321 section 4.5.3.1.1
MAX_OCTETS = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets (erratum 1690)
#: The common form, which folding the case alone makes normal: every address of it is ASCII and unquoted.
_PLAIN = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")
#: HMAC-SHA-256 of an address, as the database keeps it in place of one.
_PSEUDONYM = re.compile(r"hmac:[0-9a-f]{64}")
_FORBIDDEN = frozenset(map(chr, (*range(33), 127))) | frozenset('<>,;:\\[]()"')


def normalise(address: str) -> str | None:
    """Return `local@domain` in lower case, domain as A-labels; None if it is no mail address.

    >>> normalise("<Ann.Lee@EXAMPLE.com.>")
    'ann.lee@example.com'
    >>> normalise("ann@bücher.example")
    'ann@xn--bcher-kva.example'
    """
    if len(address) <= MAX_OCTETS and _PLAIN.fullmatch(address):
        return address.lower()
    text = unicodedata.normalize("NFC", address.strip().strip("<>").strip())
    local, at, domain = text.rpartition("@")
    if not at or not local or len(text) > 2 * MAX_OCTETS:
        return None
    mailbox, name = _local(local), normalise_domain(domain)
    if mailbox is None or name is None:
        return None
    whole = f"{mailbox}@{name}"
    return whole if len(whole.encode()) <= MAX_OCTETS else None


def known_as(text: str) -> str | None:
    """Return the name of what is kept on somebody: a normal address, or what stands for one, taken from a listing."""
    return normalise(text) or (text if _PSEUDONYM.fullmatch(text) else None)


def normalise_domain(domain: str) -> str | None:
    """Return the domain in lower case as A-labels, without a trailing dot; None if it is none.

    An address literal such as `[192.0.2.1]` is kept as it is.
    """
    domain = domain.strip().rstrip(".").lower()
    if domain.startswith("[") and domain.endswith("]") and len(domain) <= 64:
        return domain if not any(c.isspace() for c in domain) else None
    if not domain or len(domain) > 253 or any(c in _FORBIDDEN or c == "@" for c in domain):
        return None
    if domain.isascii():
        labels = domain.split(".")
        good = all(0 < len(label) <= 63 for label in labels)
        return domain if good else None
    try:
        return idna.encode(domain, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return None


def domain_of(address: str) -> str:
    """Return what follows the last `@`; the empty string where there is none."""
    _, at, domain = address.rpartition("@")
    return domain if at else ""


def _local(local: str) -> str | None:
    """Return the local part lower-cased and unquoted where the quotes were needless."""
    quoted = len(local) >= 2 and local[0] == local[-1] == '"'
    inner = local[1:-1] if quoted else local
    folded = unicodedata.normalize("NFC", inner.lower())
    if any(ord(c) < 32 or ord(c) == 127 or "\ud800" <= c <= "\udfff" for c in folded):
        return None
    if len(folded.encode()) > MAX_LOCAL_OCTETS:
        return None
    if not any(c in _FORBIDDEN or c == "@" for c in folded):
        return folded
    return f'"{folded}"' if quoted and not any(c in '"\\' for c in folded) else None
