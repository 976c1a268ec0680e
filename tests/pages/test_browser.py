"""The browser of these tests sees what it is there to see."""

from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Browser

from tests.servers.browser import Visit, assert_accessible, visit

PAGE = """<!doctype html><html lang="en"><head><title>t</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width"></head><body><main><h1>Head</h1>{}</main></body></html>"""
GOOD = PAGE.format("<p>Words.</p>")
BAD = {
    "another host": '<img src="http://192.0.2.1/x.png" alt="">',
    "Content Security Policy": "<script>document.title = 'changed'</script>",
    "script: boom": '<script src="/boom.js"></script>',
    "status of 404": '<img src="/none.png" alt="">',
}


class _Site(BaseHTTPRequestHandler):
    body = ""

    def do_GET(self) -> None:
        """Answer with the page, or the script that fails."""
        content = {"/": self.body, "/boom.js": "throw new Error('boom')"}.get(self.path)
        self.send_response(200 if content is not None else 404)
        self.send_header("Content-Type", "text/javascript" if self.path.endswith(".js") else "text/html")
        self.send_header("Content-Security-Policy", "script-src 'self'; img-src * data:")
        self.end_headers()
        self.wfile.write((content or "").encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[Callable[[str], str]]:
    servers: list[ThreadingHTTPServer] = []

    def serve(body: str) -> str:
        handler = type("Site", (_Site,), {"body": body})
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        Thread(target=partial(servers[-1].serve_forever, 0.02), daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_good_page_has_no_fault(site: Callable[[str], str], visiting: Callable[..., Visit]) -> None:
    window = visiting(site(GOOD))
    assert_accessible(window.go("/"))


@pytest.mark.parametrize("fault", BAD)
def test_faults_fail_the_test(fault: str, site: Callable[[str], str], browser: Browser) -> None:
    """A request that leaves the host, a script that the policy forbids, one that raises, something missing."""
    with pytest.raises(AssertionError, match=fault), visit(browser, site(PAGE.format(BAD[fault]))) as window:
        window.go("/")


@pytest.mark.parametrize(
    "body",
    [
        "<input>",
        '<p style="color: #aaa; background: #fff">Hard to read.</p>',
        "<style>@media (prefers-color-scheme: dark) { p { color: #777; background: #666 } }</style><p>In the dark.</p>",
        '<div style="width: 600px">Too wide.</div>',
    ],
    ids=["no label", "contrast", "contrast in the dark", "wide"],
)
def test_barriers_fail_the_test(body: str, site: Callable[[str], str], visiting: Callable[..., Visit]) -> None:
    window = visiting(site(PAGE.format(body)))
    with pytest.raises(AssertionError):
        assert_accessible(window.go("/"))
