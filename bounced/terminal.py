"""What strangers wrote, made harmless for terminals and logs."""

import re

#: C0, DEL, C1, invisible characters, what changes the direction or the breaking of a line (U+202E and kin), surrogates.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def visible(text: str) -> str:
    """Return `text` with control, bidirectional and invisible characters written out.

    >>> visible("ann\\x1b[31m")
    'ann\\\\x1b[31m'
    """
    return UNSAFE.sub(lambda m: m[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)
