"""Texts quoted by a mail program: `> ` marks and the blank lines between them."""

import re

_MARK = re.compile(r"^[ \t]*(?:[>|]{1,4}[ \t]?){1,4}", re.M)
_RECORD = re.compile(r"^[ \t]*[>|]", re.M)


def unquoted(text: str) -> str:
    """Return `text` without quote marks if most of its lines bear them or a report's fields do; else as it is."""
    return _MARK.sub("", text) if _RECORD.search(text) else text
