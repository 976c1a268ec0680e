"""OAuth 2.0 access tokens: from a secret that another program keeps fresh, from Microsoft 365, from Google.

The libraries of the last two are extras, imported only where the configuration names them.
"""

import importlib
from functools import partial
from types import ModuleType
from typing import Any, Protocol

from bounced.config import GoogleToken, MicrosoftToken, OAuth, Secret
from bounced.errors import ConfigError, MailboxDown


class Tokens(Protocol):
    """Where access tokens come from. Both methods raise MailboxDown or ConfigError."""

    def token(self) -> str:
        """Return a token that is not expired, from the cache where there is one."""

    def renew(self) -> bool:
        """Forget what is cached, since a server refused it; False if another try would bring the same."""


def open_tokens(settings: OAuth, timeout: float) -> Tokens:
    """Return the source that `settings` name. Raises ConfigError if its library is not installed."""
    if settings.microsoft:
        return MicrosoftTokens(settings.microsoft, timeout)
    if settings.google:
        return GoogleTokens(settings.google, timeout)
    assert settings.token  # noqa: S101  the configuration demands one of the three
    return SecretTokens(settings.token)


class SecretTokens:
    """A token that somebody else refreshes: read anew at every login."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        self._last: str | None = None

    def token(self) -> str:
        """Return the token as it is now."""
        self._last = self._secret.read().strip()
        return self._last

    def renew(self) -> bool:
        """Return whether the secret has changed since it was refused."""
        refused = self._last
        return self.token() != refused


class MicrosoftTokens:
    """Client credentials of an application registered in Entra ID; msal caches, and renews 5 minutes early."""

    def __init__(self, settings: MicrosoftToken, timeout: float) -> None:
        self._settings = settings
        self._timeout = timeout
        self._msal = _extra("msal", "microsoft")
        self._application: Any = None

    def token(self) -> str:
        """Return a token for `scope`."""
        errors = (OSError, ValueError, LookupError)  # requests' errors are OSErrors
        try:
            answer = self._connected().acquire_token_for_client(scopes=[self._settings.scope])
        except errors as exc:
            self._application = None
            raise MailboxDown(f"no token from {self._settings.authority}: {_short(exc)}") from exc
        if "access_token" not in answer:
            raise MailboxDown(f"no token from {self._settings.authority}: {_refusal(answer)}")
        return str(answer["access_token"])

    def renew(self) -> bool:
        """Drop the cached tokens."""
        if self._application is not None:
            self._application.remove_tokens_for_client()
        return True

    def _connected(self) -> Any:
        """Return the application; its making asks the authority for its endpoints."""
        if self._application is None:
            settings = self._settings
            self._application = self._msal.ConfidentialClientApplication(
                settings.client_id,
                authority=f"{settings.authority.rstrip('/')}/{settings.tenant}",
                client_credential=settings.client_secret.read(),
                timeout=self._timeout,
                instance_discovery=False,
            )
        return self._application


class GoogleTokens:
    """A service account with domain-wide delegation that acts for `subject`; renewed minutes before expiry."""

    def __init__(self, settings: GoogleToken, timeout: float) -> None:
        self._settings = settings
        self._timeout = timeout
        self._accounts = _extra("google.oauth2.service_account", "google")
        self._transport = _extra("google.auth.transport.requests", "google")
        self._errors = _extra("google.auth.exceptions", "google")
        self._credentials: Any = None

    def token(self) -> str:
        """Return a token for `scope`."""
        errors = (self._errors.GoogleAuthError, OSError, ValueError, LookupError)
        try:
            credentials = self._loaded()
            if not credentials.valid:
                with self._transport.requests.Session() as session:
                    credentials.refresh(partial(self._transport.Request(session), timeout=self._timeout))
            return str(credentials.token)
        except errors as exc:
            self._credentials = None
            raise MailboxDown(f"no token from Google for {self._settings.subject}: {_short(exc)}") from exc

    def renew(self) -> bool:
        """Forget the cached token and the key file."""
        self._credentials = None
        return True

    def _loaded(self) -> Any:
        if self._credentials is None:
            self._credentials = self._accounts.Credentials.from_service_account_file(
                str(self._settings.service_account_file),
                scopes=[self._settings.scope],
                subject=self._settings.subject,
            )
        return self._credentials


def _extra(module: str, extra: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as exc:
        raise ConfigError([f'oauth.{extra}: install the extra first: pip install "bounced-daemon[{extra}]"']) from exc


def _refusal(answer: dict[str, Any]) -> str:
    """Return the first line of what the authority answered (RFC 6749 section 5.2)."""
    text = str(answer.get("error_description") or answer.get("error") or "an answer without a token")
    return text.splitlines()[0][:300]


def _short(exc: BaseException) -> str:
    return " ".join(f"{type(exc).__name__}: {exc}".split())[:300]
