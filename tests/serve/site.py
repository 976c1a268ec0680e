"""The page of one installation, and a browser without a screen, style or script that keeps its cookies."""

import re
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection
from itertools import count
from typing import Any
from urllib.parse import urlencode

from bounced.config import Http
from bounced.serve.health import Health
from bounced.serve.pages import Pages
from bounced.serve.server import Server, application
from bounced.serve.throttle import Throttle
from bounced.store import TokenScope
from tests.serve.conftest import Said, Service

_numbers = count()


class Site:
    """The page of one installation, and a browser that keeps its cookies."""

    def __init__(self, service: Service, **http: Any) -> None:
        self.service = service
        self.desk = replace(service.desk, http=Http(**http))
        self.health = Health(service.store.ping, lambda: [])
        self.pages = Pages(lambda: self.desk, self.health, Throttle(failures=3))
        self.server = Server(application([*service.api.routers, *self.pages.routers], self.pages.dress), Http(port=0))
        self.server.start()
        self.cookies: dict[str, str] = {}

    def close(self) -> None:
        self.server.stop()
        self.pages.close()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def call(self, method: str, path: str, form: dict[str, str] | bytes | None = None, **headers: str) -> Said:
        """Ask as a browser would."""
        sent = {"Accept": "text/html", "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if form is not None:
            sent |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.origin}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(HTTPConnection("127.0.0.1", self.server.port, timeout=30)) as connection:
            connection.request(method, path, urlencode(form) if isinstance(form, dict) else form, sent)
            found = connection.getresponse()
            for name, value in found.getheaders():
                if name.lower() == "set-cookie":
                    key, _, rest = value.partition("=")
                    self.cookies[key] = rest.partition(";")[0].strip('"')
                    if "Max-Age=0" in value:
                        del self.cookies[key]
            return Said(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read())

    def log_in(self, *scopes: TokenScope) -> Said:
        return self.call("POST", "/login", {"token": self.token(*scopes), "next": "/health"})

    def token(self, *scopes: TokenScope) -> str:
        self.name = f"mo{next(_numbers)}"
        return self.service.token(self.name, *scopes)

    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="(\w+)"', self.call("GET", "/health").body.decode())
        assert found
        return found[1]
