"""Lists of addresses from elsewhere, and ours for elsewhere: a file of any known format -> entries. Pure.

What other systems mean by their lists is in `layouts`, one module a system.
"""

from bounced.exchange.entry import MANUAL, UNSUBSCRIBE, Entry, Left, Refused, Row
from bounced.exchange.layouts.own import COLUMNS
from bounced.exchange.sorting import Sorting
from bounced.exchange.source import Doubt, Source, names, open_source

__all__ = [
    "COLUMNS",
    "MANUAL",
    "UNSUBSCRIBE",
    "Doubt",
    "Entry",
    "Left",
    "Refused",
    "Row",
    "Sorting",
    "Source",
    "names",
    "open_source",
]
