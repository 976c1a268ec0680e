"""Patterns that run over whole texts: RE2, whose cost is linear in the text whatever a stranger writes."""

from typing import Any

import re2

_MEMORY = 32 << 20  # octets; with RE2's 8 MB the larger ones fall back to a matcher seven times slower


def compiled(pattern: str) -> Any:
    """Return the compiled pattern, which offers `search` and `finditer` as those of `re` do."""
    options = re2.Options()
    options.max_mem = _MEMORY
    return re2.compile(pattern, options)


class Sign:
    """A pattern of which it matters only whether it occurs: cheaper to ask than where it does."""

    __slots__ = ("_set",)

    def __init__(self, pattern: str) -> None:
        options = re2.Options()
        options.max_mem = _MEMORY
        self._set = re2.Set.SearchSet(options)
        self._set.Add(pattern)
        self._set.Compile()

    def __call__(self, text: str | bytes) -> bool:
        """Return True if the pattern occurs in `text`."""
        return bool(self._set.Match(text))
