"""A receiver of webhooks that verifies as receivers do, and can behave as badly as some of them."""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from bounced.config import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

Behaviour = Callable[[BaseHTTPRequestHandler], None]


def answer(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Answer like this; underscores in the names of headers stand for hyphens."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def hang(handler: BaseHTTPRequestHandler) -> None:
    """Take the request and say nothing, until the other side goes away."""
    handler.connection.settimeout(20)
    handler.connection.recv(1)


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Send one octet of a header every 0.1 s, so that no single read takes long."""
    for _ in range(200):
        handler.wfile.write(b"x")
        time.sleep(0.1)


def pause(handler: BaseHTTPRequestHandler) -> None:
    """Answer 204 after half a second."""
    time.sleep(0.5)
    answer(204)(handler)


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Cut the connection with a reset."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True


def unannounced_close(handler: BaseHTTPRequestHandler) -> None:
    """Answer 204 and close, as if the connection would stay."""
    answer(204)(handler)
    handler.close_connection = True


def huge(handler: BaseHTTPRequestHandler) -> None:
    """Answer 200 with 10 MB."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(10_000_000))
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b"x" * 10_000)


@dataclass(frozen=True)
class Got:
    """One POST: its headers and what it said, `verified` with the library that receivers use."""

    headers: Mapping[str, str]
    body: str
    json: Any
    verified: bool

    @property
    def id(self) -> str:
        """The webhook-id."""
        return self.headers["webhook-id"]


class Receiver:
    """Behaves as told for one POST after the other, and answers 204 when nothing more is told."""

    def __init__(self, *behaviours: Behaviour, always: Behaviour | None = None, secret: str = SECRET) -> None:
        self.got: list[Got] = []
        self.behaviours = list(behaviours)
        self.always = always or answer(204)
        self.verifier = Verifier(secret)
        self.lock = threading.Lock()
        self.sent = 0

    def tls(self, files: tuple[Path, Path]) -> Self:
        """Speak TLS with this certificate and key."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        self.context: ssl.SSLContext | None = context
        return self

    def __enter__(self) -> Self:
        self.server = _Server(("127.0.0.1", 0), _handler(self))
        context = getattr(self, "context", None)
        if context is not None:
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self.server.server_address[1]
        self.url = f"{'https' if context else 'http'}://localhost:{self.port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def webhook(self, **fields: object) -> Webhook:
        """Return the settings of an endpoint that posts here."""
        values = {"name": "test", "url": self.url, "secret": SECRET, "allow_private_address": True, "timeout": 5}
        return Webhook.model_validate(values | fields)

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        """Remember a POST and behave."""
        body = handler.rfile.read(int(handler.headers["content-length"])).decode()
        headers = {name.lower(): value for name, value in handler.headers.items()}
        try:
            json, verified = self.verifier.verify(body, headers), True
        except WebhookVerificationError:
            json, verified = None, False
        with self.lock:
            self.got.append(Got(headers, body, json, verified))
            behave = self.behaviours.pop(0) if self.behaviours else self.always
        behave(handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what many of these tests are about."""


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            receiver.take(self)

        def log_message(self, *args: object) -> None:
            """Keep the test's output clean."""

    return Handler


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
