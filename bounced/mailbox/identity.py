"""Numbers for messages that no server numbered."""

import hashlib


def number(*parts: object) -> int:
    """Return 1 to 2^63 - 1, the same for the same parts on every machine; what a UID is for IMAP."""
    text = "\0".join(map(str, parts)).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") % (2**63 - 1) + 1
