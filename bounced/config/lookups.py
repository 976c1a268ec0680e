"""What mail servers may ask: where, in which scope, and what they are told while the database is down."""

import ipaddress
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bounced.address import normalise, normalise_domain
from bounced.config.base import Section

_WANT = "want 127.0.0.1:PORT, [::1]:PORT or unix:/PATH: whoever reaches it may ask, and nobody is asked for a password"


def _listen(value: str) -> str:
    if value.startswith("unix:"):
        if not value.startswith("unix:/") or len(value) > 107:
            raise ValueError("want unix: and an absolute path of at most 102 octets")
        return value
    host, _, port = value.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    try:
        good = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host).is_loopback
    except ValueError:
        good = False
    if not good or not port.isdecimal() or int(port) > 65535:
        raise ValueError(_WANT)
    return value


def _sender(value: str) -> str:
    normal = normalise(value) if "@" in value.lstrip("@") else normalise_domain(value.lstrip("@"))
    if normal is None:
        raise ValueError("want a mail address or a domain name")
    return normal


Listen = Annotated[str, AfterValidator(_listen)]
Scope = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,200}$")]


class LookupMap(Section):
    """The name of a map, as Postfix gives it, and the scope that it asks in."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    scope: Scope = "*"


class SenderScope(Section):
    """What a mail must have for the policy service to ask in this scope; of those that are given, all."""

    scope: Scope
    sender: Annotated[str, AfterValidator(_sender)] | None = None
    sasl_username: str | None = None
    policy_context: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.sender is None and self.sasl_username is None and self.policy_context is None:
            raise ValueError("want sender, sasl_username or policy_context")
        return self


class Lookups(Section):
    """The socketmap and the policy service; both are off until they are told where to listen."""

    fail: Literal["closed", "open"] = "closed"
    socketmap: tuple[Listen, ...] = ()
    maps: tuple[LookupMap, ...] = (LookupMap(name="suppressed"),)
    policy: tuple[Listen, ...] = ()
    senders: tuple[SenderScope, ...] = ()
    connections: int = Field(default=400, ge=1, le=10_000)

    @property
    def listens(self) -> bool:
        """True if anything is answered at all."""
        return bool(self.socketmap or self.policy)

    @model_validator(mode="after")
    def _maps_are_told_apart(self) -> Self:
        names = [each.name for each in self.maps]
        if len(names) != len(set(names)):
            raise ValueError("maps: a name is used twice")
        return self
