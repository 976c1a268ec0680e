"""Octets of strangers to text: charsets from an allow-list, encoded words, HTML. Never raises."""

import binascii
import html
import quopri
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

#: What a mail may ask for, by the name with everything but letters and digits taken out. No other codec of Python
#: is reachable from a mail: `zip`, `bz2`, `hex`, `rot13`, `idna`, `utf-7` are not text encodings of mail.
_CODECS = {
    **dict.fromkeys(("usascii", "ascii", "utf8", "uft8", "utf", "unknown8bit", "8bit", "7bit"), "utf-8"),
    **{f"iso8859{n}": f"iso8859-{n}" for n in (*range(2, 12), 13, 14, 15, 16)},
    **dict.fromkeys(("iso88591", "latin1", "l1"), "cp1252"),
    **{f"windows{n}": f"cp{n}" for n in range(1250, 1259)},
    **{f"cp{n}": f"cp{n}" for n in (*range(1250, 1259), 437, 850, 852, 866, 932, 936, 949, 950)},
    **dict.fromkeys(("koi8r", "koi8"), "koi8-r"),
    "koi8u": "koi8-u",
    **dict.fromkeys(("gb2312", "gbk", "gb18030", "gb231280", "euccn", "xgbk"), "gb18030"),
    **dict.fromkeys(("big5", "xxbig5", "big5hkscs"), "big5hkscs"),
    **dict.fromkeys(("shiftjis", "sjis", "xsjis", "windows31j", "mskanji"), "cp932"),
    **dict.fromkeys(("eucjp", "xeucjp"), "euc-jp"),
    **dict.fromkeys(("iso2022jp", "iso2022jp1", "iso2022jp2", "iso2022jp3", "iso2022jpms"), "iso2022_jp_ext"),
    **dict.fromkeys(("euckr", "ksc56011987", "ksc5601", "ksc56011989", "ks"), "cp949"),
    "iso2022kr": "iso2022_kr",
    **dict.fromkeys(("tis620", "iso885911"), "cp874"),
    **dict.fromkeys(("utf16", "utf16le"), "utf-16"),
    "utf16be": "utf-16-be",
}
_WIDE = frozenset({"utf-16", "utf-16-be"})
_OWN_MEANING = frozenset({*_WIDE, "iso2022_jp_ext", "iso2022_kr"})  # where octets of ASCII may mean other letters
_NOT_NAME = re.compile(r"[^a-z0-9]")
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]{0,2000})\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(?==\?)")
_HIDDEN = re.compile(r"<(style|script|head|title)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.I | re.S)
_BREAK = re.compile(r"<(?:br|/?p|/?div|/?tr|/?li|/?h\d|/?table|/?pre|/?blockquote|hr)\b[^<>]{0,2000}>", re.I)
_CELL = re.compile(r"</?t[dh]\b[^<>]{0,2000}>", re.I)
_TAG = re.compile(r"</?[a-z!][^<>]{0,4000}>", re.I)
_BLANKS = re.compile(r"[^\S\n]+")


def decode(content: bytes, charset: str | None = None) -> str:
    """Return the text of `content`, line ends as `\\n`: as declared, else UTF-8, else windows-1252, else latin-1.

    Unlabelled ISO-2022-JP is told by its escape sequences (Domino and many Japanese systems send it so).
    """
    if b"\x1b$" in content:
        charset = "iso-2022-jp"
    codec = _codec(charset) if charset else None
    if content.isascii() and codec not in _OWN_MEANING:
        return _lines(content.decode("ascii"))
    if codec == "iso2022_jp_ext":
        return _lines(content.decode(codec, "replace"))
    if codec in _WIDE and b"\0" not in content:
        codec = None
    for name in (codec, "utf-8", "cp1252") if codec and codec != "utf-8" else ("utf-8", "cp1252"):
        try:
            return _lines(content.decode(name))
        except UnicodeDecodeError as exc:
            cut = exc.reason == "unexpected end of data" and not content[: exc.start].isascii()
            if cut:  # within a character, by a limit or on the way
                return _lines(content[: exc.start].decode(name))
    return _lines(content.decode("latin-1"))


@lru_cache(maxsize=1024)
def _codec(charset: str) -> str | None:
    return _CODECS.get(_NOT_NAME.sub("", charset.lower()))


def words(value: str) -> str:
    """Return a header value with its encoded words (RFC 2047) decoded; what is malformed stays as it is."""
    if "=?" not in value:
        return value
    return _ENCODED_WORD.sub(_word, _BETWEEN_WORDS.sub(r"\1", value))


def fold(text: str) -> str:
    """Return `text` for comparing with phrases: compatibility forms unified, case folded."""
    return text.casefold() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def from_html(text: str) -> str:
    """Return what a person would read of an HTML text, one line a block."""
    text = _HIDDEN.sub(" ", text)
    text = text.replace("\n", " ")
    text = _TAG.sub("", _CELL.sub(" ", _BREAK.sub("\n", text)))
    text = _BLANKS.sub(" ", html.unescape(text))
    return "\n".join(line.strip() for line in text.split("\n"))


def _lines(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\0", "")


def _word(match: re.Match[str]) -> str:
    charset, how, data = match.groups()
    octets = _transfer(how)(data)
    return match.group() if octets is None else decode(octets, charset.partition("*")[0]).replace("\n", " ")


def _transfer(how: str) -> Callable[[str], bytes | None]:
    return _base64 if how in "bB" else _quoted


def _base64(data: str) -> bytes | None:
    try:
        return binascii.a2b_base64(data.encode("ascii", "ignore") + b"==")
    except (binascii.Error, ValueError):
        return None


def _quoted(data: str) -> bytes | None:
    return quopri.decodestring(data.encode("utf-8", "replace"), header=True)
