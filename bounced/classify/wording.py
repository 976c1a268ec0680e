"""From a server's words to the text that rules are matched against: folded, collapsed, names masked.

What one MTA writes as `550-5.2.1 … 550 5.2.1 …`, with entities, accents or a wrong charset, and what it quotes of
addresses, hosts and links, must not decide whether a phrase is found. Patterns go through `fold` as well.
"""

import html
import re
import unicodedata
from dataclasses import dataclass

MAX_TEXT = 2000  # characters of a diagnostic that are looked at

_LATIN_OR_GREEK = [*range(0xC0, 0x250), *range(0x370, 0x400), *range(0x1E00, 0x2000)]
_SPELLED_OUT = {"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "œ": "oe", "ł": "l", "Ł": "L", "đ": "d", "ı": "i"}
_ACCENTLESS = {
    code: base
    for code in _LATIN_OR_GREEK
    if (base := "".join(c for c in unicodedata.normalize("NFD", chr(code)) if not unicodedata.combining(c)))
    != chr(code)
} | {ord(letter): spelled for letter, spelled in _SPELLED_OUT.items()}
_QUOTES = dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u00b4`"), "'") | dict.fromkeys(map(ord, "\u201c\u201d\u201e"), '"')
_PLAIN = _ACCENTLESS | _QUOTES | dict.fromkeys(map(ord, "\u200b\u200c\u200d\ufeff\u00ad\u202e\u202d"), None)

_NAME = re.compile(
    r"(?P<url>\b(?:https?://|www\.)[^\s<>\"]++)"
    r"|(?P<angle><[^\s<>@]{1,256}+@[^\s<>]{1,256}+>)"
    r"|(?<![^\s<>()\[\]\"',;:=])(?P<word>[^\s<>()\[\]\"',;:=.@]*+[.@][^\s<>()\[\]\"',;:]*+)"
)
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_HOST = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.)+(?:[a-z]{2,24}|[A-Z]{2,24}|xn--[a-z0-9-]+)")
_REPEATED_CODE = re.compile(
    r"(?<![^\s(\"'])(?P<code>[245]\d\d)(?:[- ]#?[245]\.\d{1,3}\.\d{1,3}(?![\d.]*\d)[- ]?|-(?=\D)|(?=\s|$))"
)
#: What relays and helpful servers put around the answer itself.
_WRAPPING = re.compile(
    r"(?:(?:undeliver|unverifi)(?:able|ed) address: )?\bhost \S{1,255} ?[\[(][^\])]{0,80}[\])]:? said:"
    r"|\b\d\.\d\.\d - (?:unknown address error|other mail system problem|other network problem|bad destination host)"
    r"(?= *[('\[]* ?[245]\d\d)"
    r"|\bsmtp error from remote (?:mail )?(?:server|host)(?: after [^:]{1,40}(?::<@>)?(?: size=\d+)?)?:"
    r"|\bfor (?:more|further) (?:information|details|help)\b[^.;]*+"
    r"|\bto (?:best )?protect our users\b[^,.;]*+",
    re.IGNORECASE,
)
_WRAPPING_CUES = ("said:", "for more", "for further", "protect our", "smtp error", " - ")
_TYPE = re.compile(r"\s*(?:smtp|x-[\w-]{1,30}|unknown|utf-8|rfc822)\s*;", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wording:
    """`text`: what phrases are searched in. `names`: every link and host that was masked in it, one a word."""

    text: str
    names: str


def fold(text: str) -> str:
    """Return `text` in NFKC, Latin and Greek letters without accents, quotes straight, invisible characters gone."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text).translate(_PLAIN)


def collapse(text: str) -> str:
    """Return the first 2,000 characters with entities resolved and each run of white space as one blank."""
    text = text[: 2 * MAX_TEXT]
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()  # lone surrogates have no place in UTF-8
    if "&" in text:
        text = html.unescape(text)
    return " ".join(text.split())[:MAX_TEXT]


def wording(text: str, reply_code: str | None) -> Wording:
    """Return what rules may look at of a collapsed text. `reply_code` is taken out wherever a line repeats it."""
    names: list[str] = []
    text = _TYPE.sub("", text, count=1) if _TYPE.match(text) else text
    masked = _NAME.sub(lambda hit: _mask(hit, names), fold(text))
    low = masked.lower()
    if any(cue in low for cue in _WRAPPING_CUES):
        masked = _WRAPPING.sub(" ", masked)
    plain = _REPEATED_CODE.sub(lambda hit: _code(hit, reply_code), masked)
    return Wording(" ".join(plain.split()), " ".join(names))


def _mask(hit: re.Match[str], names: list[str]) -> str:
    """Return the mark that stands for a name, and keep the name."""
    if hit["angle"]:
        return "<@>"
    word = hit["url"] or hit["word"]
    bare = word.rstrip(".,;:)!?]'")
    tail = word[len(bare) :]
    if hit["url"]:
        names.append(bare)
        return "<www>" + tail
    if "@" in bare:
        local, _, domain = bare.rpartition("@")
        return "<@>" + tail if local and domain else word
    if _IPV4.fullmatch(bare):
        return "<ip>" + tail
    if _HOST.fullmatch(bare) or (_HOST.fullmatch(bare.partition("/")[0]) and "/" in bare):
        names.append(bare)
        return "<host>" + tail
    return word


def _code(hit: re.Match[str], reply_code: str | None) -> str:
    """Return a blank for a code that only repeats the reply's own, else what stood there."""
    return " " if hit["code"] == reply_code or "." in hit[0] else hit[0]
