"""Strangers' text made fit to be shown and stored: bounded, one line, without what steers a terminal or a page."""

import unicodedata

#: Control and format characters (bidirectional overrides, U+202E, among them), lone surrogates, unassigned.
_REMOVED = frozenset({"Cc", "Cf", "Cs", "Cn", "Co"})


def plain(text: str, limit: int = 500) -> str:
    """Return `text` as one line of at most `limit` characters; white space is one blank, what was cut ends in `…`.

    >>> plain("550 5.1.1\\r\\n\\x1b[31mno\\u202e such user")
    '550 5.1.1 [31mno such user'
    """
    if len(text) <= limit and text.isascii() and text.isprintable() and "  " not in text and text == text.strip():
        return text  # most are
    kept = text[: 4 * limit]
    if not (kept.isascii() and kept.isprintable()):
        kept = "".join(c for c in kept if c.isspace() or unicodedata.category(c) not in _REMOVED)
    line = " ".join(kept.split())
    return line if len(line) <= limit and len(text) <= 4 * limit else line[: limit - 1] + "…"


def plain_or_none(text: str | None, limit: int = 500) -> str | None:
    """Return `plain(text)`, None for None and for text of which nothing is left."""
    return (plain(text, limit) or None) if text is not None else None
