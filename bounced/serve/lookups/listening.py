"""Sockets and threads: one thread a connection, as each waits for the database; mail servers keep few of them open."""

import os
import socket
import stat
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from bounced.config import Lookups
from bounced.errors import ConfigError
from bounced.serve.lookups.gate import Ask, Found, Gate
from bounced.serve.lookups.policy import Policy
from bounced.serve.lookups.socketmap import Socketmap
from bounced.serve.lookups.talk import Malformed, Talk

log = structlog.get_logger("bounced.lookups")

#: Seconds that a client may say nothing; Postfix lets go of an idle policy connection after 300.
_IDLE: Final = 1_200.0
#: Seconds for the answers under way when the listeners are closed.
_GRACE: Final = 3.0

#: Told of each answer: which service gave it, and which it was.
Count = Callable[[str, Found], None]


class Listeners:
    """Every place where look-ups are answered. `addresses` are those listened on, also where the port was 0."""

    def __init__(self, settings: Lookups, ask: Ask, count: Count) -> None:
        """Open the sockets; nobody is answered before `start`. Raises ConfigError."""
        gate = Gate(ask, settings.fail == "open")
        scopes = {each.name.encode(): each.scope for each in settings.maps}
        kinds: list[tuple[str, tuple[str, ...], Callable[[], Talk]]] = [
            ("socketmap", settings.socketmap, partial(Socketmap, gate, scopes, partial(count, "socketmap"))),
            ("policy", settings.policy, partial(Policy, gate, settings.senders, partial(count, "policy"))),
        ]
        self._room = threading.BoundedSemaphore(settings.connections)
        self._listeners: list[_Listener] = []
        try:
            for kind, listens, talk in kinds:
                self._listeners += (_Listener(f"lookups.{kind}", where, talk, self._room) for where in listens)
        except ConfigError:
            self.stop()
            raise

    @property
    def addresses(self) -> list[str]:
        """Return them as Postfix names them: `inet:127.0.0.1:10031`, `unix:/path`; first the socketmaps."""
        return [listener.address for listener in self._listeners]

    def start(self) -> None:
        """Begin to answer; who connected before waits since."""
        for listener in self._listeners:
            listener.start()

    def stop(self) -> None:
        """Close the sockets, and the connections once the answers under way are out."""
        for listener in self._listeners:
            listener.close()
        for listener in self._listeners:
            listener.join()


class _Listener:
    """One listening socket, the thread that accepts, and those that talk."""

    def __init__(self, setting: str, where: str, talk: Callable[[], Talk], room: threading.BoundedSemaphore) -> None:
        self._talk, self._room = talk, room
        self._path = Path(where.removeprefix("unix:")) if where.startswith("unix:") else None
        self._socket = _listen(setting, where, self._path)
        self.address = f"unix:{self._path}" if self._path else _inet(self._socket)
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._closing = False
        self._thread = threading.Thread(target=self._accept, name=f"{setting} {where}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Accept nobody more, and wake everybody who waits for a question."""
        self._closing = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        if self._path:
            self._path.unlink(missing_ok=True)
        with self._lock:
            talking = list(self._open)
        for connection in talking:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)

    def join(self) -> None:
        """Wait for the threads, for a few seconds at most."""
        with self._lock:
            threads = [self._thread, *self._open.values()]
        for thread in threads:
            if thread.is_alive():
                thread.join(_GRACE)

    def _accept(self) -> None:
        while not self._closing:
            try:
                connection, _ = self._socket.accept()
            except OSError as exc:
                if not self._closing:
                    log.warning("a connection could not be accepted", at=self.address, why=exc.strerror)
                    threading.Event().wait(0.1)  # out of file descriptors, say: others will be given back
                continue
            self._welcome(connection)

    def _welcome(self, connection: socket.socket) -> None:
        """Give the connection a thread; close it where there are too many, which a mail server takes for "later"."""
        if not self._room.acquire(blocking=False):
            log.warning("too many connections", at=self.address, see="lookups.connections")
            connection.close()
            return
        thread = threading.Thread(target=self._hold, args=[connection], name="lookup", daemon=True)
        with self._lock:
            self._open[connection] = thread
        try:
            thread.start()
        except RuntimeError as exc:  # the system gives this process no more threads
            log.warning("too many connections", at=self.address, why=str(exc))
            self._leave(connection)

    def _hold(self, connection: socket.socket) -> None:
        talk = self._talk()
        try:
            _limit_silence(connection)
            if connection.family != socket.AF_UNIX:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while octets := connection.recv(16_384):
                if replies := talk.feed(octets):
                    connection.sendall(replies)
        except Malformed as exc:
            log.warning("closed a connection that speaks something else", at=self.address, why=str(exc))
        except OSError:
            pass  # gone, or silent for too long: nothing is owed
        finally:
            self._leave(connection)

    def _leave(self, connection: socket.socket) -> None:
        connection.close()
        with self._lock:
            del self._open[connection]
        self._room.release()


def _limit_silence(connection: socket.socket) -> None:
    """Let the system end what waits too long: Python's own timeouts ask it twice for each question."""
    connection.settimeout(None)
    limit = struct.pack("@ll", int(_IDLE), 0)  # struct timeval
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        connection.setsockopt(socket.SOL_SOCKET, option, limit)


def _inet(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"inet:[{host}]:{port}" if ":" in host else f"inet:{host}:{port}"


def _listen(setting: str, where: str, path: Path | None) -> socket.socket:
    """Return the listening socket. Raises ConfigError."""
    try:
        if path:
            return _listen_at(path)
        host, _, port = where.rpartition(":")
        host = host.strip("[]")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, int(port)), family=family, backlog=128)
    except OSError as exc:
        raise ConfigError([f"{setting}: cannot listen on {where}: {exc.strerror or exc}"]) from exc


def _listen_at(path: Path) -> socket.socket:
    """Return a socket at the path, in the place of one that its owner left behind; every local user may connect."""
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        with socket.socket(socket.AF_UNIX) as probe, suppress(ConnectionRefusedError, FileNotFoundError):
            probe.connect(str(path))
            raise FileExistsError(0, "somebody else answers there")
        path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    try:
        listening.bind(str(path))
        os.chmod(path, 0o666)  # noqa: PTH101, S103  as open as a port of this machine; its folder may be narrower
        listening.listen(128)
    except OSError:
        listening.close()
        raise
    return listening
