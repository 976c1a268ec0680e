"""A Postfix of our own: high port, own queue and configuration, nothing of /etc used but its table types.

It delivers the domain of the return paths by LMTP and every other domain to the receiver a test names.
"""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

POSTFIX = Path("/usr/sbin/postfix")

_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, seconds: float = 10) -> None:
    """Return when the port answers. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing answers on port {port}")


@dataclass
class Postfix:
    """`routes`: domain -> port of the SMTP server that takes its mail. `extra`: further lines of main.cf."""

    lmtp_port: int
    routes: Mapping[str, int] = field(default_factory=dict)
    return_domain: str = "lists.example.net"
    extra: Mapping[str, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self.base = Path(tempfile.mkdtemp(prefix="postfix-"))
        self.base.chmod(0o755)
        self.port = free_port()
        self.etc = self.base / "etc"
        for name in ("etc", "queue", "data"):
            (self.base / name).mkdir(mode=0o755)
        shutil.chown(self.base / "data", "postfix")
        for name in ("dynamicmaps.cf", "dynamicmaps.cf.d", "postfix-files", "postfix-files.d"):
            self._take(Path("/etc/postfix", name))
        (self.etc / "main.cf").write_text("".join(f"{k} = {v}\n" for k, v in self._main().items()))
        (self.etc / "master.cf").write_text(_MASTER.format(port=self.port))
        self._run("start")
        wait_for(self.port)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run("stop")
        shutil.rmtree(self.base, ignore_errors=True)

    def flush(self) -> None:
        """Try everything that waits in the queue now."""
        subprocess.run(["/usr/sbin/postqueue", "-c", str(self.etc), "-f"], check=True, capture_output=True)

    def log(self) -> str:
        """Return what Postfix wrote so far."""
        path = self.base / "mail.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _take(self, path: Path) -> None:
        if path.is_dir():
            shutil.copytree(path, self.etc / path.name)
        elif path.exists():
            shutil.copy(path, self.etc)

    def _run(self, verb: str) -> None:
        subprocess.run([POSTFIX, "-c", str(self.etc), verb], check=True, capture_output=True, timeout=30)

    def _main(self) -> dict[str, str]:
        routes = " ".join(f"{{{domain} = smtp:[127.0.0.1]:{port}}}" for domain, port in self.routes.items())
        return {
            "compatibility_level": "3.6",
            "config_directory": str(self.etc),
            "queue_directory": str(self.base / "queue"),
            "data_directory": str(self.base / "data"),
            "maillog_file": str(self.base / "mail.log"),
            "maillog_file_prefixes": str(self.base),
            "alternate_config_directories": "",
            "multi_instance_enable": "no",
            "myhostname": "mx1.example.net",
            "mydestination": "",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "mynetworks": "127.0.0.0/8",
            "smtpd_relay_restrictions": "permit_mynetworks, reject",
            "virtual_mailbox_domains": self.return_domain,
            "virtual_mailbox_maps": f"static:{self.return_domain}",
            "virtual_transport": f"lmtp:inet:127.0.0.1:{self.lmtp_port}",
            "recipient_delimiter": "+",
            "alias_maps": "",
            "alias_database": "",
            "local_recipient_maps": "",
            "transport_maps": f"inline:{{ {routes} }}" if routes else "",
            "queue_run_delay": "5s",
            "minimal_backoff_time": "5s",
            "maximal_backoff_time": "5s",
            "smtpd_tls_security_level": "none",
            **self.extra,
        }


@pytest.fixture
def needs_postfix() -> None:
    """Skip where Postfix is absent, or may not be started: its master insists on root."""
    if not POSTFIX.exists():
        pytest.skip("Postfix is not installed (make servers)")
    if subprocess.run(["id", "-u"], capture_output=True, text=True, check=True).stdout.strip() != "0":
        pytest.skip("Postfix's master process must be started as root")
