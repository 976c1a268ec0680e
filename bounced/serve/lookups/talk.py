"""What a protocol must offer for a connection to be held in it."""

from collections.abc import Callable
from typing import Protocol

from bounced.serve.lookups.gate import Found

#: Called once for each answer, to count it.
Answered = Callable[[Found], None]


class Malformed(Exception):
    """The client does not speak this protocol; the connection is closed."""


class Talk(Protocol):
    """One connection's side of a protocol, without the connection."""

    name: str

    def feed(self, octets: bytes) -> bytes:
        """Return the replies to what is whole by now. Raises Malformed."""
