"""Pictures of each page, light, dark and on a phone, of the demo's ninety days: `make screenshots`.

Not a test; it drives the same browser. The daemon is a real one; its endpoints are turned to a port where nobody is.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
import yaml
from playwright.sync_api import Page

from bounced.config import Database
from bounced.store import Store, TokenScope
from bounced.store.tokens import mint
from tests.pages.conftest import address_of
from tests.servers.browser import chromium, picture, visit

_ZONE = "Europe/Berlin"
#: What is shown: a name, where it is, and the link on it that leads a step further, if any.
_PAGES = (
    ("overview", "/", None),
    ("reports", "/reports?by=campaign&compare=true", None),
    ("mails", "/mails?category=failed", None),
    ("mail", "/mails?category=hard", "tbody td a, tbody th a"),
    ("address", "/mails?category=hard", "tbody a[href^='/address']"),
    ("suppressions", "/suppressions", None),
    ("review", "/review", None),
    ("wording", "/review", "a.wording"),
    ("waves", "/waves?everything=true", None),
    ("wave", "/waves?everything=true", "main a[href^='/waves/']"),
    ("deliveries", "/deliveries", None),
    ("rules", "/rules", None),
    ("health", "/health", None),
)


def main(folder: Annotated[Path, typer.Argument()] = Path("docs/screenshots")) -> None:
    """Write the pictures into a folder."""
    with tempfile.TemporaryDirectory() as made:
        token = _history(Path(made))
        with _daemon(Path(made)) as url, chromium() as browser, visit(browser, url, timezone_id=_ZONE) as window:
            window.forgive("")
            page = window.go("/login")
            page.get_by_label("Token").fill(token)
            page.get_by_role("button", name="Log in").click()
            page.wait_for_url(url + "/")
            for name, path, further in _PAGES:
                _take(window.go(path), folder, name, further)
            window.context.clear_cookies()
            picture(window.go("/login"), folder, "login")


def _history(folder: Path) -> str:
    """Let the demo make its history, and return a token."""
    command = [sys.executable, "-m", "bounced", "demo", "--history-only", "--folder", str(folder)]
    subprocess.run(command, check=True)
    path = folder / "config.yaml"
    config = yaml.safe_load(path.read_text())
    for hook in config["webhooks"]:
        hook |= {"url": "https://127.0.0.1:9/hook", "allow_private_address": True}
    path.write_text(yaml.safe_dump(config))
    secret, token = mint("ann", [TokenScope.READ, TokenScope.WRITE], datetime.now(UTC), "screenshots")
    with closing(Store.open(Database(**config["database"]))) as store:
        store.add_token(token)
    return secret


@contextmanager
def _daemon(folder: Path) -> Iterator[str]:
    """Run the daemon on it and lend its address."""
    log = folder / "log"
    command = [sys.executable, "-m", "bounced", "run", "--config", str(folder / "config.yaml")]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            yield address_of(log, process)
        finally:
            process.terminate()
            process.wait(60)


def _take(page: Page, folder: Path, name: str, further: str | None) -> None:
    if further is not None:
        found = page.locator(further)
        if not found.count():
            typer.echo(f"{name}: there is none in this history", err=True)
            return
        found.first.click()
        page.wait_for_load_state()
    picture(page, folder, name)
    typer.echo(f"{name}: {page.url}")


if __name__ == "__main__":
    typer.run(main)
