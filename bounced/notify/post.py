"""One signed POST to one endpoint, within its time, and what came of it. Nothing raises: a failure is an answer too."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import httpx2

from bounced import __version__
from bounced.model import Notification
from bounced.notify.compose import moment
from bounced.notify.endpoint import Endpoint
from bounced.notify.plain import plain, plain_or_none
from bounced.notify.signing import headers
from bounced.notify.target import Refused, addresses_of
from bounced.notify.trouble import words

#: What is read of an answer; the connection is closed behind it.
_ANSWER_BYTES = 4096
_CONNECT_SECONDS = 5.0
#: How many characters of one text are told.
_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a POST: a status code and the beginning of the body, or what went wrong before there was one."""

    status_code: int | None = None
    error: str | None = None
    response: str | None = None
    retry_after: str | None = None
    duration_ms: int = 0

    @property
    def taken(self) -> bool:
        """True if the receiver has it."""
        return self.status_code is not None and 200 <= self.status_code < 300

    @property
    def enough(self) -> bool:
        """True if more of the same would be in vain for now: nobody answers, or the receiver asks for a pause."""
        return self.status_code in (None, 429) or (self.status_code == 503 and self.retry_after is not None)


@dataclass(frozen=True, slots=True)
class Line:
    """A way to one endpoint: its client, and the threads that ask the resolver."""

    endpoint: Endpoint
    client: httpx2.AsyncClient
    resolver: Executor


@asynccontextmanager
async def line_to(endpoint: Endpoint, resolver: Executor) -> AsyncIterator[Line]:
    """Open a way to an endpoint: certificates are verified, redirects and proxies of the environment are not used."""
    timeout = httpx2.Timeout(endpoint.timeout, connect=min(endpoint.timeout, _CONNECT_SECONDS))
    async with httpx2.AsyncClient(verify=endpoint.context, timeout=timeout, trust_env=False) as client:
        yield Line(endpoint, client, resolver)


def body_of(notification: Notification) -> str:
    """Return the body of a webhook as it is signed and sent: the same text at every attempt.

    No text in it is longer than 1,000 characters, or has control characters, whoever made the notification.
    """
    whole = {"type": notification.type, "timestamp": moment(notification.at), "data": _safe(notification.data)}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _safe(value: object) -> object:
    if isinstance(value, str):
        return plain(value, _TEXT)
    if isinstance(value, Mapping):
        return {str(key): _safe(inner) for key, inner in value.items()}
    return [_safe(inner) for inner in value] if isinstance(value, list | tuple) else value


async def post(line: Line, notification: Notification, at: datetime) -> Answer:
    """Send one notification, signed for the moment `at`. Takes no longer than the endpoint's time, in all."""
    begun = time.monotonic()
    answer = await _post(line, notification, at)
    return Answer(
        status_code=answer.status_code,
        error=plain_or_none(answer.error),
        response=answer.response,
        retry_after=answer.retry_after,
        duration_ms=round(1000 * (time.monotonic() - begun)),
    )


async def _post(line: Line, notification: Notification, at: datetime) -> Answer:
    endpoint = line.endpoint
    try:
        async with asyncio.timeout(endpoint.timeout):
            addresses = await addresses_of(endpoint.host, endpoint.port, endpoint.private, line.resolver)
            return await _to_first(line, addresses, notification, at)
    except TimeoutError:
        return Answer(error=f"no complete answer within {endpoint.timeout:g} s")
    except Refused as exc:
        return Answer(error=str(exc))
    except httpx2.HTTPError as exc:
        return Answer(error=f"{endpoint.host}: {words(exc)}")


async def _to_first(line: Line, addresses: list[str], notification: Notification, at: datetime) -> Answer:
    """Send to the first address that takes a connection."""
    for address in addresses[:-1]:
        try:
            return await _send(line, address, notification, at)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            continue
    return await _send(line, addresses[-1], notification, at)


async def _send(line: Line, address: str, notification: Notification, at: datetime) -> Answer:
    """Send to exactly this address; name and certificate stay those of the endpoint's host."""
    endpoint, body = line.endpoint, body_of(notification)
    signed = headers(endpoint.secrets, notification.id, at, body)
    request = line.client.build_request(
        "POST",
        endpoint.url.copy_with(host=address),
        content=body.encode(),
        headers=signed
        | {
            "host": endpoint.url.netloc.decode("ascii"),
            "content-type": "application/json",
            "accept-encoding": "identity",
            "user-agent": f"bounced/{__version__}",
        },
        extensions={"sni_hostname": endpoint.host},
    )
    response = await _sent(line.client, request)
    try:
        return _answer(response, await _beginning(response))
    finally:
        await response.aclose()


async def _sent(client: httpx2.AsyncClient, request: httpx2.Request) -> httpx2.Response:
    """Send; once more on a new connection where an old one had been closed by the receiver meanwhile."""
    fresh = False

    async def trace(event: str, _info: object) -> None:
        nonlocal fresh
        fresh = fresh or event == "connection.connect_tcp.started"

    request.extensions["trace"] = trace
    try:
        return await client.send(request, stream=True)
    except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
        if fresh:
            raise
        return await client.send(request, stream=True)


async def _beginning(response: httpx2.Response) -> bytes:
    """Return the first octets of the body, as they were sent."""
    read = b""
    async for chunk in response.aiter_raw():
        read += chunk[:_ANSWER_BYTES]
        if len(read) >= _ANSWER_BYTES:
            break
    return read[:_ANSWER_BYTES]


def _answer(response: httpx2.Response, beginning: bytes) -> Answer:
    error = None
    if response.has_redirect_location:
        where = plain(response.headers["location"], 200)
        error = f"answered {response.status_code}: redirects to {where}, which is not followed; write that into url"
    elif not response.is_success:
        error = f"answered {response.status_code} {plain(response.reason_phrase, 100)}".strip()
    text = plain(beginning.decode("utf-8", "replace")) or None
    return Answer(response.status_code, error, text, response.headers.get("retry-after"))
