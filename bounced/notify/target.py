"""Where a name may lead: resolved once, checked, and pinned, so that no webhook reaches into the operator's network."""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from concurrent.futures import Executor

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: RFC 6052: an IPv4 address in the last four octets.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: Protocol assignments (RFC 6890), of which Python 3.11 calls some global.
_ASSIGNED = ipaddress.IPv4Network("192.0.0.0/24")


class Refused(Exception):
    """The name leads nowhere, or only where webhooks must not go; the text says which."""


async def addresses_of(host: str, port: int, private: bool, resolver: Executor) -> list[str]:
    """Return the addresses of `host` that may be connected to, in the resolver's order. Raises Refused.

    Unless `private`, only addresses of the public internet are returned.
    """
    found = await _resolve(host, port, resolver)
    allowed = [address for address in found if private or is_public(address)]
    if not allowed:
        raise Refused(
            f"{host} leads to {', '.join(map(str, found))}, which is not on the public internet; "
            "set allow_private_address: true if that is meant"
        )
    return [str(address) for address in allowed]


def is_public(address: Address) -> bool:
    """True for a unicast address of the public internet, also through the IPv6 forms that carry an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        carried = _carried(address)
        if carried:
            return all(is_public(inner) for inner in carried)
    if address in _ASSIGNED:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _carried(address: ipaddress.IPv6Address) -> Sequence[ipaddress.IPv4Address]:
    """Return the IPv4 addresses inside: mapped, compatible, 6to4 (RFC 3056), Teredo (RFC 4380), NAT64 (RFC 6052)."""
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in _NAT64 or int(address) >> 32 == 0:
        return (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF),)
    return ()


async def _resolve(host: str, port: int, resolver: Executor) -> list[Address]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.run_in_executor(resolver, _look_up, host, port)
    except (OSError, UnicodeError) as exc:
        raise Refused(f"{host} cannot be resolved: {exc}") from exc
    return [ipaddress.ip_address(text) for text in dict.fromkeys(found)]


def _look_up(host: str, port: int) -> list[str]:
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in infos]
