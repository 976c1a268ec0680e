"""Patterns that run over whole texts: RE2, whose cost is linear in the text whatever a stranger writes."""

from typing import Any

import re2

_MEMORY = 32 << 20  # octets; with RE2's 8 MB the larger ones fall back to a matcher seven times slower


def compiled(pattern: str) -> Any:
    """Return the compiled pattern, which offers `search` and `finditer` as those of `re` do."""
    options = re2.Options()
    options.max_mem = _MEMORY
    return re2.compile(pattern, options)
