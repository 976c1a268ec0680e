"""Reply codes (RFC 5321 section 4.2) and enhanced status codes (RFC 3463) in the words of a server.

The last remote answer decides: what stands behind the last `said:`, `<<<` or `last error`. A number counts as an
enhanced status code only with digit boundaries on both sides, and never inside an IP address, a version, a date or
a link.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

#: What stands before the words of another server.
_ANSWER = re.compile(
    r"\bsaid\s?:\s|<<<\s|\blast (?:smtp )?error(?: was)?\s?:\s|\blast reason:\s"
    r"|\bresponded with:\s?|\bserver responded:\s?|\bresponse (?:was|is|from [^:]{1,80}):\s"
    r"|\berror from remote mail server after [^:]{1,40}:(?:<[^>]{0,256}>[^:]{0,40}:)?\s"
    r"|->\s(?=[245]\d\d\s)|\b(?:unknown address error|other (?:mail system|network) problem)[\s('\[]{0,4}(?=[245]\d\d)"
    r"|\bremote (?:host|server) (?:said|returned)[^\d]{0,40}(?=\d)|\breason:\s(?=[245]\d\d)",
    re.IGNORECASE,
)
_CALLOUT = re.compile(r"\bsender verif|\bcall-?(?:out|back) verif|\bverification failed for\b", re.IGNORECASE)
_REPLY_AT_START = re.compile(r"[^\w]{0,3}([245][0-7]\d)(?=[\s\-:;,.)]|$)(?!\.\d)")
_AMOUNT = r"[\d.,%]*\s?(?:bytes|messages|kb|mb|hops|seconds|minutes|recipients|per)\b"
_REPLY = re.compile(
    r"(?<![\w.\-/#=\[+])"
    r"(5(?:0[0-4]|1[0-57]|2[1-5]|3[0-58]|4[0-7]|5\d|6\d|7[0-2])|4(?:2[0-24]|3[0-2]|4\d|5\d|7[0-2]))"
    rf"(?:(?=[- ]#?[245]\.\d{{1,3}}\.\d)|-(?=\w)|(?=[ :](?!{_AMOUNT})))"
)
_STATUS = re.compile(
    r"(?<![\w.\-/=+])(?P<reply>[245]\d\d[ \-]#?)?(?P<mark>\(#|\[#|#|\()?"
    r"(?P<code>[245]\.\d{1,3}\.\d{1,3})(?![.\-/]?\d)(?![\w/@])"
)
_VERSION = re.compile(
    r"(?:\b(?:v|ver|version|release|build|exim|sendmail|postfix|qmail|dovecot|exchange|server|smtpd?|mta|rfc|[a-z]+guard|"
    r"spamassassin|clamav|amavis(?:d-new)?|python|php|openssl)[ /]{0,2})$|/$",
    re.IGNORECASE,
)
#: Codes that say so little that words, or another code, are believed before them (DOMAIN knowledge of real replies).
_WEAK = re.compile(r"[45]\.(?:0\.\d+|1\.0|2\.0|3\.\d+|4\.0|4\.7|5\.[01245]|6\.0|7\.0)$")


@dataclass(frozen=True, slots=True)
class Codes:
    """The refined codes of one finding."""

    status: str | None
    reply_code: str | None


def _quotes(low: str) -> bool:
    """True if a text in lower case may quote an answer. Written out: a loop takes longer than the search it saves."""
    return (
        ("said" in low or "<<<" in low or "last " in low or "respon" in low)
        or ("remote " in low or "->" in low or "problem" in low or "reason:" in low)
        or ("error" in low and ("error from remote" in low or "unknown address error" in low))
    )


@lru_cache(maxsize=256)
def answer(text: str) -> str:
    """Return the last remote answer in a text, the text itself where it quotes none.

    What a server said about *our sender* in a call-out is no answer about the recipient.
    """
    low = text.lower()
    if not _quotes(low) or ("verif" in low and _CALLOUT.search(text)):
        return text
    end = 0
    for hit in _ANSWER.finditer(text):
        end = hit.end()
    return text[end:] if end and text[end:].strip() else text


def reply_code_in(text: str) -> str | None:
    """Return the three digits a server answered with, None where no number is one."""
    said = answer(text)
    hit = _REPLY_AT_START.match(said) or _REPLY.search(said)
    if hit is None and said is not text:
        hit = _REPLY_AT_START.match(text) or _REPLY.search(text)
    return hit[1] if hit else None


def status_in(text: str, reply_code: str | None) -> str | None:
    """Return the enhanced status code a text holds, the most telling one if several; None if none.

    Ranked: of the reply's class, not x.0.0, right behind a reply code, in brackets or with `#`, last answer first.
    """
    said = answer(text)
    found = _statuses(said, reply_code)
    if said is not text:
        found += [(rank + 8, code) for rank, code in _statuses(text, reply_code)]
    return min(found, default=(0, None), key=lambda pair: pair[0])[1]


def is_weak(status: str | None) -> bool:
    """True for a code that words, or another code, should outvote, and for none at all."""
    return status is None or _WEAK.match(status) is not None


def refine(reported: str | None, reply_code: str | None, text: str, *, local: bool = False) -> Codes:
    """Return status and reply code by the Status field as reported and the diagnostic.

    What the last answer says right behind its reply code is the refusing server's own; else a Status field that says
    something is kept, and one that does not (x.0.0, or a weak code) gives way to a more telling one in the text.
    Of a `local` program's words no number is a reply code.
    """
    reply = (None if local else reply_code_in(text)) or reply_code
    inside = status_in(text, reply)
    return Codes(_choose(reported, inside, text), reply)


def _choose(reported: str | None, inside: str | None, text: str) -> str | None:
    if inside is None or reported == inside:
        return reported
    if reported is None or reported.endswith(".0.0"):
        return inside
    if inside.endswith(".0.0"):
        return reported
    beside_reply = re.search(rf"[245]\d\d[ -]#?{re.escape(inside)}", answer(text))
    return inside if beside_reply or (is_weak(reported) and not is_weak(inside)) else reported


def _statuses(text: str, reply_code: str | None) -> list[tuple[int, str]]:
    found = []
    for hit in _STATUS.finditer(text):
        code = hit["code"]
        before = text[max(0, hit.start() - 24) : hit.start()]
        if not hit["reply"] and not hit["mark"] and _VERSION.search(before):
            continue
        rank = 0 if hit["reply"] else 1 if hit["mark"] or not before.strip() else 2
        rank += 4 if code.endswith((".0.0", ".4.7")) else 0
        beside = hit["reply"] or reply_code
        rank += 16 if beside and code[0] != beside[0] else 0
        found.append((rank, code))
    return found


_SPEAKER = re.compile(
    r"\b(?:host|server|from|to|by|with) (?P<name>[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.){1,8}[A-Za-z]{2,24})\.? ?[\[(]"
)


def speakers(text: str) -> tuple[str, ...]:
    """Return the hosts whose words a text quotes (`host mx.example.com[192.0.2.1] said: …`), in order."""
    return tuple(hit["name"].lower() for hit in _SPEAKER.finditer(text)) if "[" in text or "(" in text else ()


_COMMAND = re.compile(
    r"\bin reply to (?:end of )?(?P<said>[A-Z]{4})\b|\bafter (?:end of |sending )?(?P<after>DATA|RCPT TO|MAIL FROM)\b"
    r"|SMTP command\s{1,4}(?P<listed>DATA|RCPT|MAIL)\b|>>> (?P<shown>DATA|RCPT|MAIL)[^\n]{0,300}\n<<< 5",
    re.IGNORECASE,
)


def command_in(text: str) -> str | None:
    """Return the SMTP command that a text says was refused (`DATA`, `RCPT`); None if it does not tell."""
    if not ("in reply to" in text or "fter " in text or "SMTP command" in text or ">>> " in text):
        return None
    hits = list(_COMMAND.finditer(text[:4000]))
    return hits[-1][hits[-1].lastgroup or 0][:4].upper() if hits else None


_RAN_OUT = re.compile(r"[^\w]{0,3}[245]\d\d[ -]#?4\.4\.7\b")


def is_final(text: str, found: Codes) -> bool | None:
    """Return whether the refusal is for good: by the reply code, or else by the status; None if neither is there.

    A temporary answer anywhere on the way makes it temporary: `450 … said: 550` may end well, and so may
    `550 … said: 450`. So is what waited too long (4.4.7), whatever reply code comes before that.
    """
    if found.status == "4.4.7" or _RAN_OUT.match(text):
        return False
    outer = _REPLY_AT_START.match(text)
    reply = {code[0] for code in (outer[1] if outer else None, found.reply_code) if code}
    if reply:
        return reply == {"5"}
    return found.status[0] == "5" if found.status else None
