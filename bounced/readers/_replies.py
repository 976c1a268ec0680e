"""SMTP replies in running text: the reply code, the enhanced status code, the host that said it."""

import re

from bounced.readers._patterns import compiled

#: The look-behinds stand behind the first digit, for `re` leaps from digit to digit then.
_CODE = re.compile(
    r"([245](?<![\d.#/:@-][245])[0-7]\d)(?=[ \t-]|$|[:;,.)](?:\s|$))(?![ \t]*(?:bytes|kb|seconds|minutes|%))", re.I
)
_LEADING = re.compile(r"\s*(?:\S{1,80}[:;]\s+){0,3}?([245][0-7]\d)(?=[ \t-]|$)")
STATUS = re.compile(r"([245](?<![\d.:/-][245])\.[0-7]\.\d{1,3})(?![\d]|\.\d)")
REPLY = re.compile(r"([245](?<![\d.#/:@][245])[0-7]\d)[ -](?:[#(<]{0,2}([245]\.\d{1,3}\.\d{1,3})\b)?")
_SUBJECT_OF_SENTENCE = re.compile(
    r"^[ \t]*(?:connected to )?\[?(\d{1,3}(?:\.\d{1,3}){3})\]? (?:does not like|failed after|but|refused|said)",
    re.I | re.M,
)
_SAID = compiled(
    r"(?i)(?:\bhost|server|from|by|to|with|talking to)\s+\[?([A-Za-z0-9][A-Za-z0-9._-]{1,250}\.[A-Za-z0-9-]{1,62}|"
    r"\d{1,3}(?:\.\d{1,3}){3})\]?\.?"
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
    match = _SUBJECT_OF_SENTENCE.search(text[:2000]) or _SAID.search(text[:2000])
    return match.group(1).strip(".").lower() if match else None


_SPEECH = compiled(
    r"(?im)(?:^[ \t]*<<<|\b(?:said|says|replied|responded|response(?: was)?|returned|reason|error(?: was)?|"
    r"answer(?:ed)?|diagnostic(?:-code)?)"
    r"(?:[ \t]+\S+){0,5}?[ \t]*[:=(]+)[ \t\n\"'<(]*(?:smtp;[ \t]*)?([45][0-7]\d[ \t-])"
)
_LINE = re.compile(r"([45](?<![^\s(\"'<:;][45])[0-7]\d(?:[ \t]|-[ \t]?)(?=[^\n\d]{0,6}[^\W\d]|[#(<]?[245]\.\d))")
_STOP = re.compile(
    r"\n[ \t]*(?:\n|>>>|<<< *(?:QUIT|RSET)|\.\.\. |---|===|Giving up on|\(in reply|I.m not going to|Remote host|"
    r"STARTTLS|\Z)",
    re.I,
)
_PREFIX = re.compile(r"\n[ \t]*(?:<<<[ \t]*)?")
MAX_REPLY = 1_000


def reply_in(text: str) -> str | None:
    """Return the reply that a text quotes, as one line that begins with its code; None if it quotes none.

    What is introduced as somebody's answer is preferred; a reply of several lines is joined.
    """
    spoken = _SPEECH.search(text)
    match = None if spoken else _LINE.search(text)
    if spoken is None and match is None:
        return None
    start = spoken.start(1) if spoken else match.start(1)  # type: ignore[union-attr]
    rest = text[start : start + 2 * MAX_REPLY]
    stop = _STOP.search(rest)
    reply = _PREFIX.sub(" ", rest[: stop.start()] if stop else rest)
    return " ".join(reply.split())[:MAX_REPLY].strip("\"' ") or None
