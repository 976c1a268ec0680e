"""The lines of a human text that speak of one recipient."""

import re

from bounced.readers._addresses import ADDRESS

MAX_ABOUT = 2_000
_ORIGIN = re.compile(r"\(expanded from: [^()\n]{1,400}\)", re.I)


def about(text: str, address: str | None) -> str | None:
    """Return the lines from the one that names `address` to the next recipient's or a gap.

    The whole text where no line names it, or where they only say which alias it came from: sendmail tells further down
    what its program wrote. At most MAX_ABOUT characters; None for a text that says nothing.
    """
    if not text.strip():
        return None
    lines = text.split("\n")
    wanted = (address or "").lower()
    start = next((i for i, line in enumerate(lines) if wanted and wanted in line.lower()), None)
    if start is None:
        return text.strip()[:MAX_ABOUT]
    end = start + 1
    while end < len(lines) and end - start < 25 and not _ends(lines, start, end, wanted):
        end += 1
    said = "\n".join(lines[start:end]).strip()
    return (text.strip() if _ORIGIN.fullmatch(said) else said)[:MAX_ABOUT]


def _ends(lines: list[str], start: int, at: int, wanted: str) -> bool:
    """True at a gap behind which the speech is of something else, and where another recipient begins."""
    line = lines[at].strip()
    if not line:
        said = " ".join(lines[start:at]).lower().replace(wanted, "").strip(" <>:\"'()\t")
        return len(said) > 3
    match = ADDRESS.match(line.lstrip("<"))
    return bool(match) and match.group().lower() != wanted  # type: ignore[union-attr]
