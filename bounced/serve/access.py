"""Who asks: Bearer tokens (RFC 6750), looked up without a query a request, and what a wrong one costs."""

import hmac
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from fastapi import Request

from bounced.errors import BouncedError
from bounced.serve.desk import Desk, Threads
from bounced.serve.problems import Problem
from bounced.serve.throttle import Throttle
from bounced.store import Token, TokenScope
from bounced.store.tokens import USE_NOTED_EVERY, digest_of, id_of

#: Seconds after which tokens are read anew: so long a revoked one may still work.
_FRESH: Final = 5.0
#: Seconds after which they are read anew for a token not known yet: so long a new one may not work, and no
#: stream of invented ones makes more queries.
_MISSED: Final = 1.0
_REALM: Final = 'Bearer realm="bounced"'


class Keyring:
    """The tokens in use, as they were some seconds ago at most."""

    def __init__(self, desk: Callable[[], Desk], threads: Threads, clock: Callable[[], float] = time.monotonic) -> None:
        self._desk, self._threads, self._clock = desk, threads, clock
        self._turn = threading.Lock()
        self._tokens: Mapping[str, Token] = {}
        self._read_at = float("-inf")

    async def find(self, secret: str) -> Token | None:
        """Return what is known of a token; None if it is none, or revoked. Raises StoreDown."""
        id_ = id_of(secret)
        if id_ is None:
            return None
        known = await self.known(id_)
        good = hmac.compare_digest(digest_of(secret), known.digest if known else "")
        return known if good else None

    async def known(self, id_: str) -> Token | None:
        """Return the token of this id; None if there is none in use. Raises StoreDown."""
        oldest = _FRESH if id_ in self._tokens else _MISSED
        if self._clock() - self._read_at > oldest:
            await self._threads.ask(lambda: self._read(oldest))
        return self._tokens.get(id_)

    def _read(self, oldest: float) -> None:
        """Read the tokens, unless another thread has just done so."""
        with self._turn:
            if self._clock() - self._read_at > oldest:
                began = self._clock()
                self._tokens = {token.id: token for token in self._desk().store.tokens()}
                self._read_at = began


class Gate:
    """Lets requests in: by token, scope, and how often their client failed."""

    def __init__(self, desk: Callable[[], Desk], threads: Threads, throttle: Throttle) -> None:
        self._desk, self._threads, self._throttle = desk, threads, throttle
        self._keys = Keyring(desk, threads)
        self._noted: dict[str, datetime] = {}

    async def admit(self, request: Request, scope: TokenScope) -> None:
        """Return if the request may go on, its token then in `request.state`. Raises Problem 401, 403, 429; StoreDown.

        Who holds a token is let in however often others at its address failed: many share one behind a proxy.
        """
        token = await self._keys.find(secret) if (secret := _secret(request)) else None
        if token is None:
            raise self._refused(request)
        request.state.token = token
        if not token.allows(scope):
            challenge = f'{_REALM}, error="insufficient_scope", scope="{scope.value}"'
            raise Problem(403, f"This token lacks the scope {scope.value}.", {"WWW-Authenticate": challenge})
        self._note(token)

    def _refused(self, request: Request) -> Problem:
        """Count the failure and return what is answered."""
        wait = self._throttle.failed(request.client.host if request.client else "")
        if wait:
            return Problem(429, "Too many requests without a valid token.", {"Retry-After": str(int(wait) + 1)})
        if "authorization" not in request.headers:
            return Problem(401, "This needs a token: Authorization: Bearer …", {"WWW-Authenticate": _REALM})
        challenge = f'{_REALM}, error="invalid_token"'
        return Problem(401, "The token is unknown or revoked.", {"WWW-Authenticate": challenge})

    def _note(self, token: Token) -> None:
        """Have the use of the token written down, now and then; the request does not wait for it."""
        now, store = datetime.now(UTC), self._desk().store
        last = self._noted.get(token.id) or token.last_used_at
        if last is not None and now - last < USE_NOTED_EVERY:
            return
        self._noted[token.id] = now

        def write() -> None:
            with suppress(BouncedError):  # the next use will be noted instead
                store.token_used(token.id, now)

        self._threads.note(write)


def _secret(request: Request) -> str | None:
    """Return what a request offers as its token."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None
