"""A test notification by hand: does the endpoint take what we sign, and if not, why, in plain words."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from bounced.config import Webhook
from bounced.errors import ConfigError
from bounced.model import Notification
from bounced.notify.endpoint import Endpoint
from bounced.notify.post import Answer, line_to, post


@dataclass(frozen=True, slots=True)
class Ping:
    """Whether the endpoint took the test, and what to tell the person who asked."""

    ok: bool
    says: str
    webhook_id: str | None = None
    status_code: int | None = None
    duration_ms: int = 0


def ping(webhook: Webhook, now: datetime) -> Ping:
    """Send a signed notification of type `webhook.test` and return what came of it; never raises, tries once."""
    try:
        endpoint = Endpoint.of(webhook)
    except ConfigError as exc:
        return Ping(False, "; ".join(exc.problems))
    data = {"endpoint": webhook.name, "message": "A test of this endpoint, asked for by a person."}
    test = Notification(f"msg_{secrets.token_hex(16)}", "webhook.test", now, data)
    answer = asyncio.run(_send(endpoint, test, now))
    return Ping(answer.taken, _words(webhook, answer), test.id, answer.status_code, answer.duration_ms)


async def _send(endpoint: Endpoint, test: Notification, now: datetime) -> Answer:
    resolver = ThreadPoolExecutor(1, "resolve")
    try:
        async with line_to(endpoint, resolver) as line:
            return await post(line, test, now)
    finally:
        resolver.shutdown(wait=False)


def _words(webhook: Webhook, answer: Answer) -> str:
    if answer.taken:
        return f"{webhook.name}: took the test, answered {answer.status_code} after {answer.duration_ms} ms"
    said = f', saying "{answer.response}"' if answer.response else ""
    hint = "; does it verify with the same secret?" if answer.status_code in (400, 401, 403) else ""
    return f"{webhook.name}: {answer.error}{said}{hint}"
