"""Where notifications go: an endpoint of config.yaml with its secrets read and its certificates loaded."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import httpx2

from bounced.config import Secret, Webhook
from bounced.errors import ConfigError
from bounced.notify.compose import TYPES
from bounced.notify.signing import fault_of


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One receiver. `secrets`: the present one, then the one before while receivers change over."""

    name: str
    url: httpx2.URL
    secrets: tuple[str, ...]
    context: ssl.SSLContext
    timeout: float
    private: bool
    attempts: int

    @classmethod
    def of(cls, webhook: Webhook) -> Self:
        """Return the endpoint that a section of config.yaml describes. Raises ConfigError naming all that is wrong."""
        secrets = [s for s in (webhook.secret, webhook.previous_secret) if s is not None]
        found = _problems(webhook)
        if found:
            raise ConfigError(f"webhook {webhook.name}: {line}" for line in found)
        return cls(
            name=webhook.name,
            url=httpx2.URL(webhook.url),
            secrets=tuple(secret.read() for secret in secrets),
            context=ssl.create_default_context(cafile=webhook.ca_file),
            timeout=webhook.timeout,
            private=webhook.allow_private_address,
            attempts=webhook.attempts,
        )

    @property
    def host(self) -> str:
        """The host to resolve, as A-labels."""
        return self.url.raw_host.decode("ascii")

    @property
    def port(self) -> int:
        """The port to connect to."""
        return self.url.port or (443 if self.url.scheme == "https" else 80)


def problems(webhooks: Sequence[Webhook]) -> list[str]:
    """Return what is wrong with the endpoints, one line each, for `config check`; nothing is connected to."""
    return [f"webhooks[{n}].{line}" for n, webhook in enumerate(webhooks) for line in _problems(webhook)]


def _problems(webhook: Webhook) -> list[str]:
    lines = [_url_fault(webhook), _ca_fault(webhook)]
    lines += [_secret_fault(what, getattr(webhook, what)) for what in ("secret", "previous_secret")]
    lines += [_type_fault(type_) for type_ in webhook.types]
    return [line for line in lines if line is not None]


def _url_fault(webhook: Webhook) -> str | None:
    try:
        url = httpx2.URL(webhook.url)
    except httpx2.InvalidURL as exc:
        return f"url: is none: {exc}"
    if not url.host or not 0 < (url.port or 443) < 65536:
        return "url: names no host, or a port that cannot be"
    if url.userinfo:
        return "url: must not carry a password; receivers verify the signature"
    if url.scheme == "http" and not webhook.allow_private_address:
        return "url: http sends notifications readably; use https, or allow_private_address: true for your own host"
    return None


def _ca_fault(webhook: Webhook) -> str | None:
    try:
        ssl.create_default_context(cafile=webhook.ca_file)
    except (OSError, ssl.SSLError) as exc:
        return f"ca_file: {webhook.ca_file} cannot be used: {exc}"
    return None


def _secret_fault(what: str, secret: Secret | None) -> str | None:
    if secret is None:
        return None
    try:
        fault = fault_of(secret.read())
    except ConfigError as exc:
        return f"{what}: {exc}"
    return fault and f"{what}: {fault}"


def _type_fault(type_: str) -> str | None:
    families = {f"{known.partition('.')[0]}.*" for known in TYPES}
    if type_ == "*" or type_ in families or type_ in TYPES:
        return None
    return f'types: there is no "{type_}"; known are {", ".join(TYPES)}, "bounce.*" and the like, and "*"'
