"""The socketmap protocol, as Postfix's socketmap_table(5) and Sendmail speak it. Octets in, octets out.

A request is a netstring of `NAME KEY`, the reply a netstring of `OK TEXT`, `NOTFOUND `, `TEMP WHY` or `PERM WHY`.
"""

import re
from collections.abc import Mapping
from typing import Final

from bounced.serve.lookups.gate import Found, Gate
from bounced.serve.lookups.talk import Answered, Malformed

#: Octets of a request. An address has 254, the name of a map 64; Postfix sends keys of up to one line, 2,048.
_LONGEST: Final = 10_000
#: What a netstring begins with: a decimal without leading zeros.
_LENGTH: Final = re.compile(rb"(0|[1-9][0-9]{0,4}):")
_NOT_FOUND: Final = b"9:NOTFOUND ,"


class Socketmap:
    """One connection. `scopes` maps the name of each map to the scope in which it asks."""

    name = "socketmap"

    def __init__(self, gate: Gate, scopes: Mapping[bytes, str], answered: Answered) -> None:
        self._gate, self._scopes, self._answered = gate, scopes, answered
        self._waiting = b""

    def feed(self, octets: bytes) -> bytes:
        """Return the replies to every request that is whole by now. Raises Malformed, after which nothing is read."""
        self._waiting += octets
        replies = b""
        while (request := self._take()) is not None:
            replies += self._reply(request)
        return replies

    def _take(self) -> bytes | None:
        """Return the next request and forget it; None if it is not whole yet."""
        length = _LENGTH.match(self._waiting)
        if length is None:
            if len(self._waiting) > 5 or not (self._waiting or b"0").isdigit():
                raise Malformed("want a netstring")
            return None
        start, end = length.end(), length.end() + int(length[1])
        if end - start > _LONGEST:
            raise Malformed(f"want a request of at most {_LONGEST} octets")
        if len(self._waiting) <= end:
            return None
        if self._waiting[end] != ord(","):
            raise Malformed("want a comma after a netstring")
        request, self._waiting = self._waiting[start:end], self._waiting[end + 1 :]
        return request

    def _reply(self, request: bytes) -> bytes:
        name, space, key = request.partition(b" ")
        scope = self._scopes.get(name)
        if scope is None or not space:
            return netstring("PERM this map is not known here (lookups.maps)" if space else "PERM want NAME KEY")
        found, text = self._gate.answer(key, scope)
        self._answered(found)
        if found is Found.FREE:
            return _NOT_FOUND
        return netstring(f"OK REJECT {text}" if found is Found.SUPPRESSED else f"TEMP {text}")


def netstring(text: str) -> bytes:
    """Return the text as a netstring."""
    octets = text.encode()
    return b"%d:%b," % (len(octets), octets)
