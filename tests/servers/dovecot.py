"""A Dovecot of our own: free ports, own CA, Maildirs, OAuth 2.0 where a test names a token server.

    def test_something(dovecot: Dovecot) -> None:
        dovecot.deliver("bounces", b"From: ...", n=3)
        settings = dovecot.settings()                     # an ImapMailbox for user bounces
        assert dovecot.messages("bounces", "Processed") == []

Users bounces, fbl and bench have the password `secret`; every test gets them with empty mailboxes.
"""

import itertools
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from imapclient import IMAPClient

from bounced.config import ImapMailbox
from bounced.config import parse as parse_config
from tests.servers.certificates import Authority
from tests.servers.dovecot_conf import CONF, OAUTH
from tests.servers.postfix import free_port, wait_for

DOVECOT = Path("/usr/sbin/dovecot")
PASSWORD = "secret"


@dataclass
class Dovecot:
    """`certificate`: good, expired, stranger. `capability`: what IMAP offers after login, in place of all.

    `introspection`: URL of a token server's introspection; `fsync`: never, optimized, always;
    `extra`: further lines of dovecot.conf.
    """

    certificate: str = "good"
    capability: str | None = None
    introspection: str | None = None
    tls_first: bool = False
    fsync: str = "never"
    extra: str = ""
    users: dict[str, str] = field(default_factory=lambda: dict.fromkeys(("bounces", "fbl", "bench"), PASSWORD))
    host: str = "localhost"

    def __enter__(self) -> Self:
        self.base = Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.base.chmod(0o755)
        for name in ("run", "tls", "mail", "home"):
            (self.base / name).mkdir(mode=0o755)
        for name in ("mail", "home"):
            shutil.chown(self.base / name, "mail", "mail")
        self.authority = Authority(self.base / "tls")
        self.ca_file = self.authority.ca_file
        self.port_imap, self.port_imaps, self.port_lmtp = free_port(), free_port(), free_port()
        self._serial = itertools.count(1)
        self._write_users()
        self._configure()
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)

    def start(self) -> None:
        """Start, on the same ports as before."""
        with (self.base / "start.log").open("w") as said:  # a pipe would be held open by the daemon
            command = [DOVECOT, "-c", self.base / "dovecot.conf"]
            done = subprocess.run(command, stdout=said, stderr=said, timeout=30, check=False)
        if done.returncode:
            raise RuntimeError((self.base / "start.log").read_text())
        for port in (self.port_imap, self.port_lmtp):
            wait_for(port)
        _soon(lambda: self._pid() is not None)  # the ports may answer before it is written

    def stop(self) -> None:
        """Stop and break every connection; return when the master is gone. Stopping twice is no error."""
        pid = self._pid()
        if pid is None:
            return
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
            time.sleep(0.05)
            os.killpg(pid, signal.SIGKILL)  # master leads the group of all its children; waiting takes seconds
            (self.base / "run/master.pid").unlink()
        _soon(lambda: not self._listening())

    def add_user(self, name: str, password: str = PASSWORD) -> str:
        """Make a user, or give one another password; returns the name."""
        self.users[name] = password
        self._write_users()
        return name

    def settings(self, user: str = "bounces", **changes: object) -> ImapMailbox:
        """Return the settings of a mailbox on this server: TLS, our CA, and what `changes` says."""
        values: dict[str, Any] = {
            "name": user,
            "kind": "imap",
            "host": self.host,
            "port": self.port_imaps,
            "ca_file": str(self.ca_file),
            "user": user,
            "timeout": 10,
        }
        if "oauth" not in changes:
            values["password"] = PASSWORD
        if changes.get("security", "tls") != "tls":
            values["port"] = self.port_imap
        mailbox = parse_config({"mailboxes": [values | changes]}).mailboxes[0]
        assert isinstance(mailbox, ImapMailbox)
        return mailbox

    def maildir(self, user: str, folder: str = "INBOX") -> Path:
        """Return the Maildir of a folder, made if it is not there."""
        root = self.base / "mail" / user
        path = root if folder == "INBOX" else root / ("." + folder.replace("/", "."))
        for part in (root, path, *(p / sub for p in (root, path) for sub in ("tmp", "new", "cur"))):
            if not part.exists():
                part.mkdir(mode=0o700)
                shutil.chown(part, "mail", "mail")
        return path

    def deliver(self, user: str, content: bytes, folder: str = "INBOX", n: int = 1) -> None:
        """Write `n` copies straight into the Maildir, unread, as fast as the disk allows."""
        path = self.maildir(user, folder)
        crlf = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        for _ in range(n):
            self.deliver_as(path, crlf)

    def deliver_as(self, path: Path, content: bytes) -> Path:
        """Write exactly these octets as one unread message of the Maildir `path`; returns the file."""
        name = f"{time.time():.6f}.M{next(self._serial)}P{os.getpid()}.test,S={len(content)},W={len(content)}"
        (path / "tmp" / name).write_bytes(content)
        shutil.chown(path / "tmp" / name, "mail", "mail")
        return (path / "tmp" / name).rename(path / "new" / name)

    def deliver_by_lmtp(self, recipient: str, content: bytes, sender: str = "") -> None:
        """Hand over one message as an MTA does."""
        with smtplib.LMTP("127.0.0.1", self.port_lmtp) as client:
            client.sendmail(sender, [recipient], content)

    def client(self, user: str = "bounces") -> IMAPClient:
        """Return a logged-in client over plain text, for a test's own eyes."""
        client = IMAPClient("127.0.0.1", self.port_imap, ssl=False, timeout=20)
        client.login(user, self.users[user])
        return client

    def folders(self, user: str = "bounces") -> set[str]:
        """Return the names of all folders."""
        with self.client(user) as client:
            return {name for _, _, name in client.list_folders()}

    def messages(self, user: str = "bounces", folder: str = "INBOX") -> list[tuple[tuple[str, ...], bytes]]:
        """Return flags (without \\Recent) and content of each message, in order of UID; no folder, no messages."""
        with self.client(user) as client:
            if not client.folder_exists(folder):
                return []
            client.select_folder(folder, readonly=True)
            found = client.fetch(client.search(), ["FLAGS", "BODY.PEEK[]"])
        return [
            (tuple(sorted(f.decode() for f in m[b"FLAGS"] if f != b"\\Recent")), m[b"BODY[]"])
            for _, m in sorted(found.items())
        ]

    def change_uidvalidity(self, user: str, folder: str = "INBOX") -> None:
        """Make the server forget its UIDs, as after a restore from backup; the mails stay."""
        path = self.maildir(user, folder)
        for name in path.glob("dovecot*"):
            name.unlink()
        for name in self.maildir(user).glob("dovecot-uidvalidity*"):
            name.unlink()
        time.sleep(1.05)  # a new UIDVALIDITY is the time in seconds

    @contextmanager
    def frozen(self, user: str = "bounces") -> Iterator[None]:
        """Let the processes that serve a user hang, and kill them afterwards."""
        command = ["/usr/bin/doveadm", "-c", self.base / "dovecot.conf", "who", "-1", user]
        listed = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
        pids = [int(line.split()[2]) for line in listed.splitlines() if line.startswith(f"{user} ")]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def log(self) -> str:
        """Return what Dovecot wrote so far."""
        path = self.base / "dovecot.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def empty(self) -> None:
        """Throw away all mail and break all connections."""
        subprocess.run(
            ["/usr/bin/doveadm", "-c", self.base / "dovecot.conf", "kick", "*"], capture_output=True, timeout=30
        )
        for user in (self.base / "mail").iterdir():
            shutil.rmtree(user, ignore_errors=True)

    def _pid(self) -> int | None:
        path = self.base / "run/master.pid"
        return int(path.read_text().strip() or 0) or None if path.exists() else None

    def _listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port_imap)) == 0

    def _write_users(self) -> None:
        lines = "".join(f"{name}:{{PLAIN}}{password}::::::\n" for name, password in self.users.items())
        fresh = self.base / "users.new"
        fresh.write_text(lines)
        fresh.chmod(0o644)
        fresh.rename(self.base / "users")

    def _configure(self) -> None:
        cert, key = self.authority.issue(self.certificate)
        if self.introspection:
            (self.base / "oauth2.conf").write_text(
                f"introspection_mode = post\nintrospection_url = {self.introspection}\nforce_introspection = yes\n"
                "username_attribute = username\nactive_attribute = active\nactive_value = true\n"
            )
        text = CONF.format(
            base=self.base,
            port_imap=self.port_imap,
            port_imaps=self.port_imaps,
            port_lmtp=self.port_lmtp,
            fsync=self.fsync,
            mechanisms="plain login xoauth2 oauthbearer" if self.introspection else "plain login",
            tls_first="yes" if self.tls_first else "no",
            cert=cert,
            key=key,
            oauth=OAUTH.format(base=self.base) if self.introspection else "",
            capability=f"protocol imap {{\n  imap_capability = {self.capability}\n}}" if self.capability else "",
            extra=self.extra,
        )
        (self.base / "dovecot.conf").write_text(text)


def _soon(true: Callable[[], bool], seconds: float = 20) -> None:
    """Return when it is true. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("Dovecot did neither start nor stop in time")
        time.sleep(0.01)


def why_no_dovecot() -> str | None:
    """Return why Dovecot cannot be started here; None if it can."""
    if not DOVECOT.exists():
        return "Dovecot is not installed (make servers)"
    if os.geteuid() != 0:
        return "Dovecot's master process must be started as root"
    return None


@pytest.fixture(scope="session")
def needs_dovecot() -> None:
    """Skip where Dovecot cannot be started."""
    why = why_no_dovecot()
    if why:
        pytest.skip(why)


@pytest.fixture(scope="session")
def dovecot_for_all(needs_dovecot: None) -> Iterator[Dovecot]:
    """Start one server for the whole run."""
    with Dovecot() as server:
        yield server


@pytest.fixture
def dovecot(dovecot_for_all: Dovecot) -> Dovecot:
    """Return the running server with all mailboxes empty."""
    dovecot_for_all.empty()
    return dovecot_for_all
