"""The page behind a real nginx with TLS, by the lines of docs/page.md."""

import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest

from bounced.store import TokenScope
from tests.serve.conftest import Service
from tests.serve.site import Site
from tests.servers.certificates import Authority
from tests.servers.postfix import free_port

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
DOCUMENT = (Path(__file__).parents[2] / "docs" / "page.md").read_text()
NAME = "bounces.example.com"


class Proxy:
    """nginx, made by the lines of the document; only ports and the place of the certificate are others."""

    def __init__(self, folder: Path, to: int) -> None:
        self.port = free_port()
        authority = Authority(folder)
        certificate, key = authority.issue("good")
        (lines,) = re.findall(r"```nginx\n(.*?)```", DOCUMENT, re.S)
        live = f"/etc/letsencrypt/live/{NAME}"
        for old, new in (
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
            ("    listen [::]:443 ssl;\n", ""),
            (f"{live}/fullchain.pem", str(certificate)),
            (f"{live}/privkey.pem", str(key)),
            ("127.0.0.1:8025", f"127.0.0.1:{to}"),
        ):
            assert old in lines
            lines = lines.replace(old, new)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
        conf = folder / "nginx.conf"
        conf.write_text(
            f"pid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{temporary}{lines}}}\n"
        )
        self.command = [NGINX or "", "-p", str(folder), "-c", str(conf), "-g", "daemon off; master_process off;"]
        subprocess.run([*self.command[:5], "-t"], check=True, capture_output=True)
        self.process = subprocess.Popen(self.command)
        self.trust = ssl.create_default_context(cafile=str(authority.ca_file))

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)

    def call(self, method: str, path: str, form: dict[str, str] | None = None, **headers: str) -> tuple[int, str, str]:
        """Return status, body and cookie."""
        sent = {"Host": f"{NAME}:{self.port}", "Accept": "text/html"} | headers
        if form is not None:
            sent |= {"Origin": f"https://{NAME}:{self.port}", "Content-Type": "application/x-www-form-urlencoded"}
        with closing(HTTPSConnection("127.0.0.1", self.port, timeout=20, context=self.trust)) as connection:
            connection.request(method, path, urlencode(form) if form else None, sent)
            found = connection.getresponse()
            assert found.headers["Strict-Transport-Security"]
            return found.status, found.read().decode(), found.headers.get("Set-Cookie", "")

    def wait(self) -> None:
        """Return once it listens."""
        for _ in range(100):
            try:
                self.call("GET", "/login")
            except ConnectionRefusedError:
                time.sleep(0.05)
            else:
                return
        pytest.fail("nginx does not listen")


@pytest.fixture
def site(shared: Service) -> Iterator[Site]:
    with closing(Site(shared, names=[NAME])) as made:
        yield made


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed; `make servers` does it on Debian")
def test_one_logs_in_through_nginx_and_the_cookie_is_for_tls_alone(site: Site, tmp_path: Path) -> None:
    with closing(Proxy(tmp_path, site.server.port)) as proxy:
        proxy.wait()

        status, _, cookie = proxy.call("POST", "/login", {"token": site.token(TokenScope.READ)})
        assert status == 303
        assert cookie.startswith("__Host-bounced=") and "Secure" in cookie

        kept = {"Cookie": cookie.partition(";")[0]}
        status, page, _ = proxy.call("GET", "/health", **kept)
        assert status == 200
        csrf = re.findall(r'name="csrf" value="(\w+)"', page)[0]
        assert proxy.call("POST", "/logout", {"csrf": csrf}, **kept)[0] == 303
        assert proxy.call("GET", "/health", **kept)[0] == 303


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed; `make servers` does it on Debian")
def test_each_client_behind_it_is_told_apart_by_its_own_address(site: Site, tmp_path: Path) -> None:
    """What a client says of itself is overwritten: nobody has failures counted for others, or for nobody."""
    with closing(Proxy(tmp_path, site.server.port)) as proxy:
        proxy.wait()
        guesses = [
            proxy.call("POST", "/login", {"token": "x"}, **{"X-Forwarded-For": f"192.0.2.{n}"}) for n in range(4)
        ]
        assert [status for status, _, _ in guesses] == [401, 401, 401, 429]
