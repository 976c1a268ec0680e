"""A webhook endpoint that verifies what it gets with the library receivers use, and remembers it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from standardwebhooks import Webhook, WebhookVerificationError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Endpoint:
    """`got`: (webhook-id, body) of each POST that verified, in order; `refused`: how many did not.

    `answers`: status codes for the next POSTs; 204 when they are used up.
    """

    def __init__(self, answers: list[int] | None = None) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.refused = 0
        self.answers = list(answers or [])

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def types(self) -> list[str]:
        """Return the type of each notification received, in order."""
        return [body["type"] for _, body in self.got]

    def settings(self, **changes: object) -> dict[str, object]:
        """Return the section of config.yaml that posts here."""
        return {"name": "test", "url": self.url, "secret": SECRET, "allow_private_address": True} | changes


def _handler(endpoint: Endpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = endpoint.answers.pop(0) if endpoint.answers else 204
            try:
                Webhook(SECRET).verify(body, {k.lower(): v for k, v in self.headers.items()})
            except WebhookVerificationError:
                endpoint.refused += 1
                answer = 401
            else:
                endpoint.got.append((self.headers["webhook-id"], json.loads(body)))
            self.send_response(answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Keep the test's output clean."""

    return Handler
