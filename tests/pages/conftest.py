"""One browser for the tests of the pages, ended with them: its event loop must not meet that of other tests."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.servers.browser import Visit, chromium, visit


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
