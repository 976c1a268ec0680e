"""How often a client may fail to log in."""

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

#: Networks of this size are one client: who has an IPv6 address has 2^64 of them.
_IPV6_PREFIX: Final = 64


class Throttle:
    """Counts the failures of each client within a window of `seconds`; remembers so many clients, the latest."""

    def __init__(
        self,
        failures: int = 20,
        seconds: float = 60.0,
        most_clients: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._seconds, self._most_clients, self._clock = failures, seconds, most_clients, clock
        self._lock = threading.Lock()
        self._failed: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def failed(self, client: str) -> float:
        """Count a failure and return the seconds that the client has to wait now: 0 while it has failures left."""
        now, client = self._clock(), _network(client)
        with self._lock:
            count, ends = self._failed.pop(client, (0, 0.0))
            if ends <= now:
                count, ends = 0, now + self._seconds
            self._failed[client] = (count + 1, ends)
            while len(self._failed) > self._most_clients:
                self._failed.popitem(last=False)
        return ends - now if count >= self._most else 0.0

    def clients(self) -> int:
        """Return how many clients are remembered."""
        return len(self._failed)


def _network(client: str) -> str:
    """Return what stands for the client: its IPv4 address, or its IPv6 network."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client[:64]
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(address), _IPV6_PREFIX), strict=False).network_address)
    return str(address)
