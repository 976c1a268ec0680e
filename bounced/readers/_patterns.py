"""Patterns that run over whole texts: RE2, whose cost is linear in the text whatever a stranger writes."""

from bounced.patterns import Pattern

compiled = Pattern


class Sign:
    """A pattern of which it matters only whether it occurs."""

    __slots__ = ("_occurs",)

    def __init__(self, pattern: str) -> None:
        self._occurs = Pattern(pattern, groups=False).occurs

    def __call__(self, text: str | bytes) -> bool:
        """Return True if the pattern occurs in `text`."""
        return self._occurs(text)
