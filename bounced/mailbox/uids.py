"""Sets of UIDs as IMAP writes them (RFC 3501 section 9, sequence-set)."""

from collections.abc import Iterable, Iterator, Sequence

_LINE = 8_000  # octets of a command line that every server takes (RFC 7162 section 4)


def ranges(uids: Iterable[int]) -> Iterator[str]:
    """Yield sets such as `1:4,7` that name exactly these UIDs, none longer than a command line may be.

    >>> list(ranges([7, 1, 2, 3, 4]))
    ['1:4,7']
    """
    line = ""
    for first, last in _runs(sorted(set(uids))):
        text = str(first) if first == last else f"{first}:{last}"
        if line and len(line) + len(text) >= _LINE:
            yield line
            line = ""
        line = f"{line},{text}" if line else text
    if line:
        yield line


def _runs(uids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield first and last of each run of consecutive numbers."""
    start = previous = None
    for uid in uids:
        if start is None or previous is None:
            start = uid
        elif uid != previous + 1:
            yield start, previous
            start = uid
        previous = uid
    if start is not None and previous is not None:
        yield start, previous
