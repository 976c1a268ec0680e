"""Debian's Chromium, driven by Playwright: visits that notice every fault a page shows only to its reader.

`chromium()` is one browser; each `visit` has a context of its own, with no cookie of another. What a page writes to
the console as an error, what its policy forbids, and every request that leaves the host fail the test at its end.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

CHROMIUM = shutil.which("chromium")
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
#: Milliseconds that a page of a local server may take; a busy machine is slow.
PATIENCE = 20_000

_SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking")
_FORBIDDEN = ("serious", "critical")
_WITHIN = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium without a screen; skip where Debian's is not installed. Nothing is fetched from anywhere."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed; `make servers` does it on Debian")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_SWITCHES), env=_environment())
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """One reader's window. `faults` is what went wrong in it; `forgive` names what is meant to."""

    url: str
    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)
    _forgiven: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        """Open a page of the site and return it."""
        self.page.goto(self.url + path)
        return self.page

    def forgive(self, pattern: str) -> None:
        """Count no fault that this pattern is found in."""
        self._forgiven.append(pattern)

    def unforgiven(self) -> list[str]:
        """Return what nobody meant."""
        return [fault for fault in self.faults if not any(re.search(each, fault) for each in self._forgiven)]

    def watch(self, page: Page) -> None:
        """Note the faults of a page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: script: {error}"))
        page.on("crash", lambda _: self.faults.append(f"{page.url}: the page crashed"))

    def request(self, request: Request) -> None:
        """Note a request that leaves the host."""
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != urlsplit(self.url).netloc:
            self.faults.append(f"{request.frame.url}: asks another host: {request.url[:200]}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"{message.page.url if message.page else '-'}: {message.type}: {message.text}")


@contextmanager
def visit(browser: Browser, url: str, **options: Any) -> Iterator[Visit]:
    """Open a window on the site at `url`; `options` are those of Playwright's `new_context`. Fails for its faults."""
    context = browser.new_context(**({"viewport": WIDE, "locale": "en-GB", "timezone_id": "UTC"} | options))
    context.set_default_timeout(PATIENCE)
    made = Visit(url, context, context.new_page())
    made.watch(made.page)
    context.on("page", made.watch)
    context.on("request", made.request)
    try:
        yield made
    finally:
        context.close()
    assert not made.unforgiven(), "\n".join(made.unforgiven())


def assert_accessible(page: Page) -> None:
    """Fail for serious faults of accessibility, in light and wide, in dark and on a phone; leave the page as it was."""
    before = page.viewport_size
    for scheme, size in (("light", WIDE), ("dark", PHONE)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size(size)
        faults = "\n".join(_faults(page))
        assert not faults, f"{page.url} in {scheme}, {size['width']} pixels wide:\n{faults}"
        assert page.evaluate(_WITHIN), f"{page.url} has to be scrolled sideways at {size['width']} pixels"
    page.emulate_media(color_scheme="null", reduced_motion="null")
    if before:
        page.set_viewport_size(before)


def picture(page: Page, folder: Path, name: str) -> None:
    """Write what the page looks like, whole: light, dark, and on a phone."""
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, scheme, size in (("light", "light", WIDE), ("dark", "dark", WIDE), ("phone", "light", PHONE)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size(size)
        page.screenshot(path=folder / f"{name}-{suffix}.png", full_page=True)


def _faults(page: Page) -> list[str]:
    """Return rule and place of each serious fault that axe finds."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{each['id']}: {each['help']}: {' '.join(node['target'])}: {node['html'][:200]}"
        for each in found
        if each["impact"] in _FORBIDDEN
        for node in each["nodes"][:5]
    ]


def _environment() -> dict[str, str | float | bool]:
    """Return what the browser inherits: no proxy, no desktop."""
    return {name: value for name, value in os.environ.items() if "proxy" not in name.lower() and name != "DISPLAY"}
