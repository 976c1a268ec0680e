"""An SMTP receiver that answers each recipient as a test says; RFC 5321, as much as Postfix needs of it."""

import socketserver
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self


class Receiver:
    """`replies`: recipient -> reply to RCPT TO. Everybody else is accepted; `taken` lists (recipients, message).

    `senders` lists whatever was given as MAIL FROM.
    """

    def __init__(self, replies: Mapping[str, str]) -> None:
        self.replies = {address.lower(): reply for address, reply in replies.items()}
        self.taken: list[tuple[list[str], bytes]] = []
        self.senders: list[str] = []

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _Session)
        self._server.receiver = self
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    receiver: Receiver


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self._say("220 mx.remote.example ESMTP")
        accepted: list[str] = []
        while line := self.rfile.readline(4096).decode("latin-1").strip():
            verb = line[:4].upper()
            if verb == "QUIT":
                return self._say("221 2.0.0 Bye")
            if verb == "RCPT":
                self._recipient(line, accepted)
            elif verb == "DATA":
                self._data(accepted)
                accepted = []
            elif verb == "MAIL":
                self.server.receiver.senders.append(line.partition("<")[2].partition(">")[0])
                self._say("250 2.1.0 Ok")
            else:
                self._say("250 mx.remote.example" if verb in ("EHLO", "HELO") else "250 2.0.0 Ok")
        return None

    def _recipient(self, line: str, accepted: list[str]) -> None:
        address = line.partition(":")[2].strip().partition(">")[0].lstrip("<").lower()
        reply = self.server.receiver.replies.get(address, "250 2.1.5 Ok")
        if reply.startswith("250"):
            accepted.append(address)
        self._say(reply)

    def _data(self, accepted: list[str]) -> None:
        if not accepted:
            return self._say("554 5.5.1 No valid recipients")
        self._say("354 End data with <CR><LF>.<CR><LF>")
        lines: list[bytes] = []
        while (line := self.rfile.readline(65536)) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        self.server.receiver.taken.append((accepted, b"".join(lines)))
        return self._say("250 2.0.0 Ok: queued")

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")
