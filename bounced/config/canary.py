"""The canary: which dead address it is sent to, by which mail server, how often, and when it is missed."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from bounced.address import normalise
from bounced.config.base import Port, Seconds, SecretSetting, Section

_PORTS = {"tls": 465, "starttls": 587, "plain": 25}


def _address(value: object) -> object:
    normal = normalise(value) if isinstance(value, str) else None
    if normal is None:
        raise ValueError("want a mail address")
    return normal


Address = Annotated[str, BeforeValidator(_address)]


class Submission(Section):
    """The mail server that takes mail from us. Certificates are always verified."""

    host: str = Field(min_length=1)
    port: Port | None = None
    security: Literal["tls", "starttls", "plain"] = "starttls"
    allow_plaintext_to_remote_host: bool = False
    ca_file: Path | None = None
    user: str | None = None
    password: SecretSetting | None = None
    timeout: Seconds = 30

    @model_validator(mode="after")
    def _sane(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password: want both, or neither")
        local = self.host in ("localhost", "::1") or self.host.startswith("127.")
        if self.security == "plain" and not local and not self.allow_plaintext_to_remote_host:
            raise ValueError(
                "security plain sends mail and password readably to another host; use tls or starttls, "
                "or set allow_plaintext_to_remote_host: true"
            )
        return self

    @property
    def effective_port(self) -> int:
        """465 for implicit TLS (RFC 8314), 587 for STARTTLS, else 25."""
        return self.port or _PORTS[self.security]


class Canary(Section):
    """A mail to a dead address, every so many hours, that is missed when its bounce is not back after so many."""

    recipient: Address
    sender: Address
    smtp: Submission
    every_hours: float = Field(default=24, gt=0, le=24 * 31)
    wait_hours: float = Field(default=4, gt=0, le=24 * 14)
