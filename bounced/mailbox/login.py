"""Logging in to an IMAP server: password or OAuth 2.0, by the strongest form that the server offers."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from bounced.config import ImapMailbox
from bounced.errors import ConfigError, MailboxDown
from bounced.mailbox.faults import Refused, plain_words
from bounced.mailbox.tokens import Tokens, open_tokens

T = TypeVar("T")


class Credentials(Protocol):
    """What proves to the server who we are."""

    def log_in(self, client: Any) -> None:
        """Log `client` in. Raises Refused, MailboxDown, ConfigError."""

    def renew(self) -> bool:
        """Called after a refusal: True if another try could go better."""


def open_credentials(settings: ImapMailbox) -> Credentials:
    """Return what `settings` say. Raises ConfigError for a missing extra or a user name no server could take."""
    if any(c in settings.user for c in "\r\n\0"):
        raise ConfigError([f"mailboxes.{settings.name}.user: line breaks cannot be part of it"])
    if settings.oauth:
        return OAuthLogin(settings, open_tokens(settings.oauth, settings.timeout))
    return PasswordLogin(settings)


class PasswordLogin:
    """AUTHENTICATE PLAIN (RFC 4616) where offered, since it alone carries every character; else LOGIN."""

    def __init__(self, settings: ImapMailbox) -> None:
        self._settings = settings

    def log_in(self, client: Any) -> None:
        """Log in with the password as it is kept now."""
        settings = self._settings
        password = _now(settings, settings.password.read) if settings.password else ""
        offered = client.capabilities()
        with plain_words(settings, f"login as {settings.user} (wrong password?)"):
            if b"AUTH=PLAIN" in offered:
                client.plain_login(settings.user, password)
                return
            if b"LOGINDISABLED" in offered:
                raise MailboxDown(
                    f"mailbox {settings.name}: the server takes no password on a connection without TLS: "
                    "set security: tls or starttls"
                )
            client.login(*(_quotable(settings, text) for text in (f'"{_escape(settings.user)}"', password)))

    def renew(self) -> bool:
        """A password does not get better by asking again."""
        return False


class OAuthLogin:
    """XOAUTH2, or OAUTHBEARER (RFC 7628): the configured one, or the other where only that is offered."""

    def __init__(self, settings: ImapMailbox, tokens: Tokens) -> None:
        self._settings = settings
        self._tokens = tokens

    def log_in(self, client: Any) -> None:
        """Log in with a token that is not expired."""
        settings = self._settings
        mechanism = self._mechanism(client.capabilities())
        said: list[bytes] = []
        respond = _responder(mechanism, settings.user, _now(settings, self._tokens.token), said)
        try:
            with plain_words(settings, f"login as {settings.user} with an access token"):
                client.sasl_login(mechanism, respond)
        except Refused as exc:
            raise Refused(f"{exc}{_reported(said)}") from exc

    def renew(self) -> bool:
        """Forget cached tokens."""
        return _now(self._settings, self._tokens.renew)

    def _mechanism(self, offered: tuple[bytes, ...]) -> str:
        wanted = self._settings.oauth.mechanism.upper() if self._settings.oauth else "OAUTHBEARER"
        other = "XOAUTH2" if wanted == "OAUTHBEARER" else "OAUTHBEARER"
        if f"AUTH={wanted}".encode() not in offered and f"AUTH={other}".encode() in offered:
            return other
        return wanted


def _responder(mechanism: str, user: str, token: str, said: list[bytes]) -> Callable[[bytes], bytes]:
    """Return what answers the challenges: first the token, then the empty answer that ends a refusal."""
    if mechanism == "XOAUTH2":
        first, end = f"user={user}\x01auth=Bearer {token}\x01\x01", b""
    else:
        name = user.replace("=", "=3D").replace(",", "=2C")
        first, end = f"n,a={name},\x01auth=Bearer {token}\x01\x01", b"\x01"

    def respond(challenge: bytes) -> bytes:
        said.append(challenge)
        return first.encode() if len(said) == 1 else end

    return respond


def _reported(said: list[bytes]) -> str:
    """Return the status that a refused token was answered with (RFC 7628 section 3.2.2), or nothing."""
    for challenge in said[1:]:
        with suppress(ValueError, LookupError, TypeError):
            return f" (token: {str(json.loads(challenge)['status'])[:60]})"
    return ""


def _now(settings: ImapMailbox, read: Callable[[], T]) -> T:
    """Return what `read` returns; a secret that is missing now may be there at the next login."""
    try:
        return read()
    except (ConfigError, MailboxDown) as exc:
        raise MailboxDown(f"mailbox {settings.name}: {exc}") from exc


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _quotable(settings: ImapMailbox, text: str) -> str:
    """Return `text` if LOGIN can carry it: RFC 3501 quoted strings are ASCII without line breaks."""
    if not text.isascii() or any(c in text for c in "\r\n\0"):
        raise MailboxDown(
            f"mailbox {settings.name}: the server offers no AUTH=PLAIN, and its LOGIN carries ASCII only: "
            "choose another user name or password"
        )
    return text
