"""Addresses as reports write them: typed, encoded, bracketed, quoted, routed (RFC 3461 and RFC 6533)."""

import re

MAX_ADDRESS = 320
_LABELS = r"(?:[^\W_](?:[\w-]{0,62})\.){0,20}[^\W_](?:[\w-]{0,62})"
#: The second form begins where a word begins: else every letter of a text would be tried.
_NOT_IN_WORD = r"""\s<>()\[\]:;,"@\\：；，。、（）「」『』【】《》"""
_LOCAL = rf"""(?:"(?:[^"\\\n]|\\.){{1,64}}"|(?<![^{_NOT_IN_WORD}])[^{_NOT_IN_WORD}]{{1,150}})"""
ADDRESS = re.compile(rf"{_LOCAL}@(?:{_LABELS}|\[[0-9a-fA-Fx.:IPv]{{3,60}}\])")
_BRACKETED = re.compile(r"<([^<>\n]{1,320})>")
_TYPED = re.compile(r"\s*([A-Za-z0-9/._-]{1,40})\s*;\s*(.*)", re.S)
_UNICODE = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_ESCAPED = re.compile(r"\\x\{0{0,4}(?:[89A-Fa-f][0-9A-Fa-f]|[1-9A-Fa-f][0-9A-Fa-f]{2,5})\}")  # a letter beyond ASCII
_HEX = re.compile(r"\+([0-9A-Fa-f]{2})")
_ROUTE = re.compile(r"^@[^:@\s]{1,255}(?:,@[^:@\s]{1,255}){0,10}:")
#: A local part with blanks, whose quotes Postfix leaves out in Original-Recipient.
_SPACED = re.compile(r"([^\s@<>()\"]{1,30}(?: [^\s@<>()\"]{1,30}){1,3})@([^\s@<>()\"]{1,255})")
#: What nearly every report writes; `+HH` and `\x{HEX}` are looked into elsewhere.
_PLAIN = re.compile(
    r"rfc822; {0,2}<?([\w.!#$%&*/?^`{|}~'+=-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,10})>?", re.I | re.A
)
#: An octet that was damaged on the way; what is left of such an address may be somebody else's.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BLANK_WITHIN = re.compile(r"[^@\s]+\s[^@]*@")
_COMMENT = re.compile(r"\s+\([^()]{0,200}\)\s*$")


def typed(value: str) -> tuple[str | None, str]:
    """Return type and rest of `type; text`, the type in lower case; None where the value has no type."""
    match = _TYPED.match(value)
    return (match.group(1).lower(), match.group(2).strip()) if match else (None, value.strip())


def recipient(value: str) -> str | None:
    """Return the address in a recipient field of a report, or None if there is none in it.

    Types other than rfc822 and utf-8 are taken as well, as far as they hold something like an address.
    """
    if not value:
        return None
    plain = _PLAIN.fullmatch(value)
    if plain:
        return plain.group(1)
    if _CONTROL.search(value):
        return None
    kind, text = typed(value[: 2 * MAX_ADDRESS])
    if kind and (kind == "utf-8" or not text.isascii()) and "<" not in text and _BLANK_WITHIN.match(text):
        return None  # octets of another charset, of which some came out as blanks, or an address that was broken
    if not text.isascii() and _ESCAPED.search(text):
        return None  # letters in the form of 7 bits, and among them an octet that was damaged
    spaced = _SPACED.fullmatch(text) if kind == "rfc822" else None
    address = f'"{spaced.group(1)}"@{spaced.group(2)}' if spaced else bare(_decoded(text, kind))
    return address if address and "@" in address else None


def bare(text: str) -> str | None:
    """Return one address without brackets, route, comment and the names around it; a lone local part stays."""
    text = _COMMENT.sub("", text.strip())
    bracketed = _BRACKETED.search(text)
    text = (bracketed.group(1) if bracketed else text).strip().strip("<>'`").strip()
    text = _ROUTE.sub("", text.removeprefix("mailto:").removeprefix("SMTP:").removeprefix("smtp:"))
    if not text or len(text) > MAX_ADDRESS:
        return None
    match = ADDRESS.search(text)
    if match:
        return match.group().rstrip(".")
    return text if not re.search(r"\s", text) else None


def xtext(value: str) -> str:
    """Return `value` with `+HH` decoded once, leniently: what is no such code stays (RFC 3461 section 4)."""
    return _HEX.sub(lambda match: chr(int(match.group(1), 16)), value) if "+" in value else value


def _decoded(text: str, kind: str | None) -> str:
    """Return the address in Unicode: `\\x{HEX}` first, then `+HH` where that alone makes an address of it."""
    if "\\x{" in text:
        return _UNICODE.sub(_character, text)
    if kind == "utf-8" and "+" in text:
        return xtext(text)
    return xtext(text) if "+" in text and "@" not in text else text


def _character(match: re.Match[str]) -> str:
    code = int(match.group(1), 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else match.group()
