"""Where, in a text meant for a person, the returned original begins.

Nothing behind that line may be taken for a report: a returned spam mail can say "user unknown" too.
"""

import re

from bounced.readers._patterns import compiled

_WHAT = (
    r"(?:e-?mail|message|msg|header|letter|mail|text|nachricht|mensaje|mensagem|messaggio|courrier|bericht)s?(?:'s)?"
)
_WHOSE = (
    r"(?:original|unsent|undeliver(?:ed|able)|returned|bounced?|failed|rejected|offending|complete|enclosed|your|copy|"
    r"ursprüngliche|originale?s?|origin[ae]l|oorspronkelijk|retourn[ée]+|devuelto|copia|copie|kopie)"
)
_INTRO = r"(?:(?:the|your|full|start of|beginning of|text of|content of|copy of|headers? (?:of|from))[ \t]+){0,3}"
#: A line that announces the original: it says which mail, and either that it follows or it is drawn as a rule.
_ANNOUNCED = compiled(
    r"(?im)^[ \t>]*(?:"
    rf"[-=*_#+~]{{2,}}[ \t]*(?:\S+[ \t]+){{0,6}}?(?:{_WHOSE}\b[^\n]{{0,40}}{_WHAT}"
    rf"|{_WHAT}\b[^\n]{{0,30}}(?:follow|below|header|transcript\b))[^\n]{{0,60}}"
    r"|[-=*_#+~]{2,}[^\n]{0,30}(?:below this line|copy of (?:the|your) (?:message|mail)|unter dieser zeile)[^\n]{0,60}"
    rf"|(?:\S+[ \t]+){{0,9}}?(?:{_WHOSE}|{_WHAT})\b[^\n.]{{0,50}}"
    r"\b(?:follows?|below|reads?(?: \(in part\))?|was as follows)[ \t]*[-.:=*]*"
    rf"|{_INTRO}{_WHOSE}[ \t]+{_WHAT}(?:[ \t]+{_WHAT})?[ \t]*(?:\([^\n()]{{0,40}}\))?[ \t]*:"
    r"|content-type:[ \t]*(?:message/rfc822|text/rfc822-headers)[^\n]{0,80}"
    r"|[-=]{2,}[ \t]*(?:原文|元の?メール|元のメッセージ|原邮件|原始邮件|원본)[^\n]{0,60}"
    r")[ \t]*[-=*_#+~]*[ \t]*$"
)
_RULE = re.compile(r"[ \t>]*[-=*_#+~]{2,}")
_OF_THE_ERROR = re.compile(
    r"\b(?:error|reason|diagnos|transcript of session|fail(?:ure|ed) (?:message|recipient|addr))", re.I
)
_NAMES = (
    r"(?:received|return-path|message-id|dkim-signature|mime-version|x-[a-z0-9-]{2,40}|from|to|date|subject|content-type|"
    r"reply-to|sender|delivered-to|references|in-reply-to|precedence|list-[a-z]+|content-transfer-encoding|cc|importance|"
    r"domainkey-signature|authentication-results|received-spf|user-agent|organization|errors-to|arc-[a-z-]+|thread-[a-z]+)"
)
_FIELD_LINE = re.compile(rf"[ \t>|]{{0,4}}{_NAMES}:", re.I)
#: One of these stands in whatever is quoted of a mail's header (RFC 5322 section 3.6 demands the first two).
_REQUIRED = ("from:", "date:", "subject:", "received:", "message-id:", "content-type:", "return-path:")
_TRACE_NAMES = ("received:", "return-path:", "dkim-signature:", "mime-version:")
#: Fields that stand in a mail's header, and in no summary that an MTA writes about a mail.
_TRACE = re.compile(
    r"^[ \t>|]{0,4}(?:received:[ \t]*(?:from|by|\()|return-path:|dkim-signature:|mime-version:)", re.I | re.M
)
_QUOTED_MARK = re.compile(r"^[ \t]*(?:[>|][ \t]?)?", re.M)
_LOOK = 20_000  # characters in which an unannounced header is looked for


def split_original(text: str) -> tuple[str, str]:
    """Return what was said to the sender, and the returned original behind it (empty if the text quotes none).

    The original begins behind a line that announces it, or with the first header block that only a mail can have.
    """
    lowered = text.lower()
    if not any(name in lowered for name in _REQUIRED):
        return _cut_off(text)
    announced = _announced(text)
    bare = _bare_header(text[: announced[0]] if announced else text[:_LOOK])
    if announced and (bare is None or announced[0] <= bare):
        said, quoted = text[: announced[0]], text[announced[1] :]
    elif bare is not None:
        said, quoted = text[:bare], text[bare:]
    else:
        return text, ""
    return (said, _unquoted(quoted)) if said.strip() else (text, _unquoted(quoted))


def _cut_off(text: str) -> tuple[str, str]:
    """Return a text that holds no header without its last line, where that announces what does not follow."""
    last = text.rfind("\n", 0, len(text.rstrip())) + 1
    match = _ANNOUNCED.search(text[last:]) if last else None
    if match is None or _OF_THE_ERROR.search(match.group()):
        return text, ""
    return (text[:last] if text[:last].strip() else text), ""


def _announced(text: str) -> tuple[int, int] | None:
    """Return the begin and the end of the first announcing line behind which nothing but an original stands."""
    for match in _ANNOUNCED.finditer(text):
        line = match.group()
        if _OF_THE_ERROR.search(line):
            continue
        ahead = [line for line in text[match.end() : match.end() + 1500].split("\n") if line.strip()][:6]
        near = ahead if _RULE.match(line) else ahead[:2]
        if any(_FIELD_LINE.match(line) for line in near) or (not ahead and match.start()):
            return match.start(), match.end()
    return None


def _bare_header(text: str) -> int | None:
    """Return where a header block begins that nobody announced, or None."""
    lowered = text.lower()
    if not any(name in lowered for name in _TRACE_NAMES):
        return None
    for match in _TRACE.finditer(text):
        start = match.start()
        while start > 0:  # fields above the first trace field belong to the block
            before = text.rfind("\n", 0, start - 1) + 1
            line = text[before : start - 1]
            if not (_FIELD_LINE.match(line) or (line[:1] in " \t" and line.strip())) or before == start:
                break
            start = before
        block = text[start : start + 3000].split("\n")
        if sum(1 for line in block[:40] if _FIELD_LINE.match(line)) >= 3:
            return start
    return None


def _unquoted(quoted: str) -> str:
    """Return a quoted mail without leading blank lines and quote marks, so that its header can be read."""
    quoted = quoted.lstrip("\n\t -=*_")
    first = quoted[:200].lstrip()
    if quoted[:1] in " >|" and _FIELD_LINE.match(first.lstrip("> |")):
        quoted = _QUOTED_MARK.sub("", quoted[:20_000])
    return quoted
