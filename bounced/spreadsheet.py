"""Cells of CSV files in which no spreadsheet finds a formula (CWE-1236), whatever a stranger wrote."""

import re
from typing import Final

from bounced.terminal import visible

#: What a spreadsheet takes for the beginning of a formula, or drops before looking for one.
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
#: Where a spreadsheet whose separator is the semicolon begins a new cell within one of ours.
_NEW_CELL = re.compile(r";(?=\"*[=+\-@＝＋－＠])")


def escaped(text: str) -> str:
    """Return the cell for a file that is read back: an apostrophe in front wherever there must be, or is, one."""
    return "'" + text if text.startswith(("'", *FORMULA)) else text


def shown(text: str) -> str:
    """Return the cell for a file that people look at: what cannot be seen is written out, what could act is text.

    >>> shown('=HYPERLINK("x")')
    '\\'=HYPERLINK("x")'
    >>> shown("a;=1\\u202e")
    "a;'=1\\\\u202e"
    """
    if not (text.isascii() and text.isprintable()):
        text = visible(text)
    if ";" in text:
        text = _NEW_CELL.sub(";'", text)
    return "'" + text if text.startswith(FORMULA) else text
