"""An IMAP server of a few lines, for what no real server can be made to do."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from bounced.config import ImapMailbox, parse

Talk = Callable[[socket.socket], None]

_OPENED = b"* 0 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 1] x\r\n* FLAGS (\\Seen)\r\n"


@contextmanager
def listening(talk: Talk) -> Iterator[int]:
    """Listen on a port and let `talk` have each connection, one after the other."""
    over = threading.Event()

    def serve(listener: socket.socket) -> None:
        while not over.is_set():
            with suppress(OSError), listener.accept()[0] as connection:
                connection.settimeout(10)
                talk(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            thread.join()


def settings(port: int, **changes: object) -> ImapMailbox:
    """Return the settings for such a server: no TLS, and a second for everything."""
    values = {"name": "tiny", "kind": "imap", "host": "127.0.0.1", "port": port, "security": "plain", "user": "u"}
    mailbox = parse({"mailboxes": [{**values, "password": "p", "timeout": 1, **changes}]}).mailboxes[0]
    assert isinstance(mailbox, ImapMailbox)
    return mailbox


class Imap:
    """One empty folder. `idle` says what comes after IDLE; `heard` is every line that came in."""

    def __init__(self, idle: Talk | None = None, capability: bytes = b"IMAP4rev1 IDLE AUTH=PLAIN") -> None:
        self._idle, self._capability = idle, capability
        self.heard: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        """Serve one connection."""
        connection.sendall(b"* OK [CAPABILITY " + self._capability + b"] ready\r\n")
        lines = connection.makefile("rb")
        for line in lines:
            self.heard.append(line)
            tag, command, *_ = *line.upper().split(), b""
            if command == b"IDLE" and self._idle:
                connection.sendall(b"+ idling\r\n")
                self._idle(connection)
                return
            if command == b"AUTHENTICATE":
                connection.sendall(b"+ \r\n")
                self.heard.append(lines.readline())
            connection.sendall(self._untagged(command) + tag + b" OK done\r\n")

    def _untagged(self, command: bytes) -> bytes:
        return {
            b"SELECT": _OPENED,
            b"EXAMINE": _OPENED,
            b"CAPABILITY": b"* CAPABILITY " + self._capability + b"\r\n",
            b"UID": b"* SEARCH\r\n",
        }.get(command, b"")
