"""An OAuth 2.0 authorization server of a few lines: it issues tokens as Google and Microsoft do, and tells Dovecot
of each whether it holds (RFC 6749, 7523, 7662).
"""

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs

from tests.servers.certificates import Authority


class TokenServer:
    """`user` is whom every issued token is for; `lifetime` is in seconds; `refuse` makes it refuse to issue."""

    def __init__(self, folder: Path, user: str = "bounces") -> None:
        self.user, self.lifetime, self.refuse = user, 3600, ""
        self.valid: dict[str, str] = {}
        self.asked: list[dict[str, str]] = []
        authority = Authority(folder)
        self.ca_file = authority.ca_file
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue("good"))
        self._plain = _listener(self)
        self._secure = _listener(self)
        self._secure.socket = context.wrap_socket(self._secure.socket, server_side=True)
        self.url = f"http://127.0.0.1:{self._plain.server_port}"
        self.secure_url = f"https://localhost:{self._secure.server_port}"

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=s.serve_forever, args=(0.02,)) for s in (self._plain, self._secure)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in (self._plain, self._secure):
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()

    def issue(self) -> str:
        """Make a token that holds until `revoke`."""
        token = f"token-{len(self.asked)}-{len(self.valid)}"
        self.valid[token] = self.user
        return token

    def revoke(self) -> None:
        """Let no token issued so far hold any longer."""
        self.valid.clear()

    def introspect(self, token: str) -> dict[str, object]:
        """Answer RFC 7662 section 2.2."""
        user = self.valid.get(token)
        return {"active": True, "username": user} if user else {"active": False}

    def grant(self, asked: dict[str, str]) -> tuple[int, dict[str, object]]:
        """Answer RFC 6749 section 5."""
        self.asked.append(asked)
        if self.refuse:
            return 401, {"error": "invalid_client", "error_description": self.refuse}
        return 200, {"access_token": self.issue(), "token_type": "Bearer", "expires_in": self.lifetime}


def _listener(server: TokenServer) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Name the endpoints, as OpenID Connect Discovery does."""
            base = f"{server.secure_url}/tenant"
            self._answer(
                200,
                {
                    "issuer": f"{base}/v2.0",
                    "token_endpoint": f"{base}/oauth2/v2.0/token",
                    "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                },
            )

        def do_POST(self) -> None:
            """Issue or look at a token."""
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked = {name: values[0] for name, values in parse_qs(text).items()}
            if self.path == "/introspect":
                self._answer(200, server.introspect(asked.get("token", "")))
            else:
                self._answer(*server.grant(asked))

        def _answer(self, status: int, content: dict[str, object]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)
