"""The lines of a human text that speak of one recipient."""

from bounced.readers._addresses import ADDRESS

MAX_ABOUT = 2_000


def about(text: str, address: str | None) -> str | None:
    """Return the lines from the one that names `address` to the next recipient's or a gap; all without such a line.

    At most MAX_ABOUT characters; None for a text that says nothing.
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
    return "\n".join(lines[start:end]).strip()[:MAX_ABOUT]


def _ends(lines: list[str], start: int, at: int, wanted: str) -> bool:
    """True at a gap behind which the speech is of something else, and where another recipient begins."""
    line = lines[at].strip()
    if not line:
        said = " ".join(lines[start:at]).lower().replace(wanted, "").strip(" <>:\"'()\t")
        return len(said) > 3
    match = ADDRESS.match(line.lstrip("<"))
    return bool(match) and match.group().lower() != wanted  # type: ignore[union-attr]
