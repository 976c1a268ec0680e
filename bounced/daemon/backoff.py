"""How long to wait after the n-th failure in a row."""

import random

from bounced.errors import TryLater


class Backoff:
    """Doubles from `first` to `longest` seconds, with jitter, and honours a time that the other side named."""

    def __init__(self, first: float = 2.0, longest: float = 300.0) -> None:
        self._first, self._longest = first, longest
        self.failures = 0

    def failed(self, error: Exception | None = None) -> float:
        """Count one more failure and return the seconds to wait: between half and the whole of the step."""
        step = min(self._longest, self._first * 2.0 ** min(self.failures, 30))
        self.failures += 1
        wait = step * random.uniform(0.5, 1.0)  # noqa: S311  spreads reconnects, guards nothing
        named = error.retry_after if isinstance(error, TryLater) else None
        return max(wait, min(named, self._longest)) if named else wait

    def succeeded(self) -> None:
        """Begin anew at `first`."""
        self.failures = 0
