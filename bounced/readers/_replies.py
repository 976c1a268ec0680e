"""SMTP replies in running text: the reply code, the enhanced status code, the host that said it."""

import re

_CODE = re.compile(r"(?<![\d.#/:@-])([245][0-7]\d)(?=[ \t-]|$|[:;,.)](?:\s|$))(?![ \t]*(?:bytes|kb|seconds|minutes|%))", re.I)
_LEADING = re.compile(r"\s*(?:\S{1,80}[:;]\s+){0,3}?([245][0-7]\d)(?=[ \t-]|$)")
STATUS = re.compile(r"(?<![\d.:/-])([245]\.[0-7]\.\d{1,3})(?![\d]|\.\d)")
REPLY = re.compile(r"(?<![\d.#/:@])([245][0-7]\d)[ -](?:[#(<]{0,2}([245]\.\d{1,3}\.\d{1,3})\b)?")
_SAID = re.compile(
    r"(?:\bhost|server|from|by|to|with|talking to)\s+\[?([A-Za-z0-9][A-Za-z0-9._-]{1,250}\.[A-Za-z0-9-]{1,62}|\d{1,3}(?:\.\d{1,3}){3})\]?\.?",
    re.I,
)


def reply_code(text: str) -> str | None:
    """Return the reply code in a diagnostic: the one at its beginning, else the first in it; None without one."""
    match = _LEADING.match(text[:400]) or _CODE.search(text[:2000])
    return match.group(1) if match else None


def status_code(text: str) -> str | None:
    """Return the first enhanced status code in `text`: behind a reply code if one stands there, else alone."""
    for match in REPLY.finditer(text[:2000]):
        if match.group(2):
            return match.group(2)
    alone = STATUS.search(text[:2000])
    return alone.group(1) if alone else None


def host_in(text: str) -> str | None:
    """Return the host that a text says it talked to, or None."""
    match = _SAID.search(text[:2000])
    return match.group(1).strip(".").lower() if match else None
