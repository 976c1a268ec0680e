"""One browser for the tests of the pages, ended with them: its event loop must not meet that of other tests."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
import yaml
from playwright.sync_api import Browser

from bounced.config import Database
from bounced.model import Event
from bounced.store import Store, TokenScope
from bounced.store.tokens import mint
from tests.pages import story
from tests.servers.browser import Visit, chromium, visit

READER, WRITER = (TokenScope.READ,), (TokenScope.READ, TokenScope.WRITE)
_SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cywgbG9uZyBlbm91Z2g="


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def visiting(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Return what opens a window on a site: `visiting(url, color_scheme="dark")`. Its faults fail the test."""
    with ExitStack() as stack:

        def opened(url: str, **options: Any) -> Visit:
            return stack.enter_context(visit(browser, url, **options))

        yield opened


@dataclass
class Site:
    """`bounced serve` as its operator runs it, on a ledger that tells a story: these events. `rules` is the operator's
    folder.
    """

    folder: Path
    store: Store
    events: Sequence[Event] = ()
    url: str = ""
    tokens: dict[tuple[TokenScope, ...], str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def rules(self) -> Path:
        return self.folder / "rules"

    def token(self, *scopes: TokenScope) -> str:
        secret, made = mint(f"mo{next(self._numbers)}", scopes, datetime.now(UTC), "the tests")
        assert self.store.add_token(made)
        return secret

    def ask(self, path: str, scopes: tuple[TokenScope, ...] = READER) -> Any:
        """Return what the HTTP interface answers."""
        return self.call(Request(self.url + path), scopes)

    def call(self, request: Request, scopes: tuple[TokenScope, ...] = READER) -> Any:
        """Return what the HTTP interface answers; a token is made once, since a new one is not known at once."""
        request.add_header("Authorization", f"Bearer {self.tokens[scopes]}")
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def configure(self) -> Path:
        hooks = [
            {"name": name, "url": f"https://{name}.example/hook/secret", "secret": _SECRET} for name in ("shop", "crm")
        ]
        path = self.folder / "config.yaml"
        settings = {
            "database": {"url": f"sqlite:///{self.folder}/bounced.db"},
            "rules": {"local": str(self.rules)},
            "webhooks": hooks,
            "http": {"port": 0},
            "limits": {"workers": 1},
            "log": {"format": "json"},
        }
        path.write_text(yaml.safe_dump(settings))
        return path


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a site at work. Tests share it: what one changes is its own part of the story."""
    folder = tmp_path_factory.mktemp("site")
    store = Store.open(Database(url=f"sqlite:///{folder}/bounced.db"), {"shop": ("*",), "crm": ("*",)})
    made = Site(folder, store)
    made.rules.mkdir()
    store.upgrade()
    made.tokens = {scopes: made.token(*scopes) for scopes in (READER, WRITER)}
    made.events = story.tell(store, datetime.now(UTC))
    with served(made.configure()) as made.url:
        yield made
    store.close()


@pytest.fixture
def inside(site: Site, visiting: Callable[..., Visit]) -> Callable[..., Visit]:
    """Return what opens a window and logs in: `inside()` may change things, `inside(*READER)` only looks."""

    def entered(*scopes: TokenScope, **options: Any) -> Visit:
        return log_in(visiting(site.url, **options), site.token(*(scopes or WRITER)))

    return entered


def log_in(window: Visit, token: str) -> Visit:
    """Log in by the form, and return the window."""
    page = window.go("/login")
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(window.url + "/")
    return window


@contextmanager
def served(config: Path) -> Iterator[str]:
    """Run `bounced serve` and return where it answers."""
    log = config.with_name("log")
    command = [sys.executable, "-m", "bounced", "serve", "--config", str(config)]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            yield address_of(log, process)
        finally:
            process.terminate()
            process.wait(30)


def address_of(log: Path, process: subprocess.Popen[bytes]) -> str:
    """Return where the site answers, as its log says."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        for line in log.read_text().splitlines():
            if line.startswith("{") and (said := json.loads(line)).get("event") == "ready":
                return str(said["http"])
        time.sleep(0.05)
    raise AssertionError(log.read_text())
