"""Who is logged in: a signed cookie, the session behind it, and the proof that a form came from our own page."""

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from fastapi import Request, Response

from bounced.errors import BouncedError
from bounced.serve.access import Keyring
from bounced.serve.desk import Desk, Threads
from bounced.store import Token, TokenScope

#: A secure cookie may only be set by this very host, for all of it, over TLS (RFC 6265bis section 4.1.3.2).
_PLAIN, _SECURE = "bounced", "__Host-bounced"
_FORM: Final = re.compile(r"([a-z2-7]{8})\.([A-Za-z0-9_-]{43})\.([0-9a-f]{64})")
#: Seconds that a message may wait for the page that shows it.
_FLASH_SECONDS: Final = 120
#: And how long it may be: a browser drops a cookie of more than 4,096 octets.
_FLASH_LETTERS: Final = 600
#: How old the note of a session's last use may be before a new one is made.
_NOTE_AFTER: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """One login. `secret` is in the cookie alone; `until` is when it ends whatever its owner does."""

    token: Token
    secret: str
    until: datetime

    @property
    def can_write(self) -> bool:
        """True if its token may change things."""
        return self.token.allows(TokenScope.WRITE)

    @property
    def actor(self) -> str:
        """Who does what is done in it, for the journal."""
        return f"page:{self.token.name}"

    @property
    def csrf(self) -> str:
        """What every form carries: no other site can know it."""
        return _mac(self.secret, "form")

    def sign(self, text: str) -> str:
        """Return the text with a signature that this session alone can make."""
        body = base64.urlsafe_b64encode(text.encode("utf-8", "replace")).decode()
        return f"{body}.{_mac(self.secret, f'text {body}')}"

    def signed(self, given: str) -> str | None:
        """Return the text that was signed in this session; None for any other."""
        body, _, mac = given.rpartition(".")
        if not hmac.compare_digest(mac.encode("utf-8", "replace"), _mac(self.secret, f"text {body}").encode()):
            return None
        return base64.urlsafe_b64decode(body).decode()


class Sessions:
    """Begins sessions, finds and ends them. `desk` returns the configuration now in force."""

    def __init__(self, desk: Callable[[], Desk], threads: Threads) -> None:
        self._desk, self._threads = desk, threads
        self.keys = Keyring(desk, threads)

    async def begin(self, request: Request, response: Response, token: Token) -> None:
        """Log in: keep the session and hand out its cookie. Raises StoreDown."""
        secret, now = secrets.token_urlsafe(32), datetime.now(UTC)
        await self._threads.ask(lambda: self._desk().store.begin_session(_digest(secret), token.id, now))
        value = f"{token.id}.{secret}.{_signature(token, secret)}"
        _set(request, response, _name(request), value, int(self._desk().http.session_hours * 3600))

    async def find(self, request: Request) -> Session | None:
        """Return the session of a request; None if there is none, it is over, or its token was revoked.

        An invented cookie is told by its signature: it costs no query.
        """
        found = _FORM.fullmatch(request.cookies.get(_name(request), ""))
        if found is None:
            return None
        id_, secret, mac = found.groups()
        known = await self.keys.known(id_)
        if known is None or not hmac.compare_digest(mac, _signature(known, secret)):
            return None
        login = await self._threads.ask(lambda: self._desk().store.session(_digest(secret)))
        now, http = datetime.now(UTC), self._desk().http
        if login is None or login.token.id != id_ or not login.token.allows(TokenScope.READ):
            return None
        until = login.began_at + timedelta(hours=http.session_hours)
        if now >= until or now - login.seen_at >= timedelta(minutes=http.session_idle_minutes):
            return None
        if now - login.seen_at >= _NOTE_AFTER:
            self._note(login.digest, login.token.id, now)
        return Session(login.token, secret, until)

    async def end(self, request: Request, response: Response, session: Session) -> None:
        """Log out: the cookie is worth nothing any more, wherever a copy of it is. Raises StoreDown."""
        await self._threads.ask(lambda: self._desk().store.end_session(_digest(session.secret)))
        response.delete_cookie(_name(request), secure=_is_secure(request), httponly=True, samesite="strict")

    def _note(self, digest: str, token_id: str, now: datetime) -> None:
        """Have it written down that the session, and its token, are in use; the request does not wait for it."""
        store = self._desk().store

        def write() -> None:
            with suppress(BouncedError):  # the next use will be noted instead
                store.session_seen(digest, now)
                store.token_used(token_id, now)

        self._threads.note(write)


def leave_message(request: Request, response: Response, session: Session, kind: str, text: str) -> None:
    """Keep a message for the next page that this session sees. `kind` is done, note or fault."""
    told = json.dumps(
        [kind, text if len(text) <= _FLASH_LETTERS else text[: _FLASH_LETTERS - 1] + "…"], ensure_ascii=False
    )
    _set(request, response, f"{_name(request)}_said", session.sign(told), _FLASH_SECONDS)


def take_message(request: Request, session: Session) -> tuple[str, str] | None:
    """Return kind and text of the message that was left, if any."""
    signed = session.signed(request.cookies.get(f"{_name(request)}_said", ""))
    if signed is None:
        return None
    kind, text = json.loads(signed)
    return kind, text


def drop_message(request: Request, response: Response) -> None:
    """Let a message be shown once."""
    response.delete_cookie(f"{_name(request)}_said", secure=_is_secure(request), httponly=True, samesite="strict")


def _set(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=_is_secure(request), httponly=True, samesite="strict"
    )


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _name(request: Request) -> str:
    return _SECURE if _is_secure(request) else _PLAIN


def _signature(token: Token, secret: str) -> str:
    """Sign with what only who has the token, or the table of tokens, knows; a new token signs otherwise."""
    return _mac(token.digest, f"session {token.id} {secret}")


def _mac(key: str, text: str) -> str:
    return hmac.new(key.encode(), f"bounced page {text}".encode(), hashlib.sha256).hexdigest()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
