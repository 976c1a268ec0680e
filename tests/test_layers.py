"""The house holds to its own plan: one direction, no stage that knows another, nothing done at import."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "bounced"
GROUND = {"model", "errors", "config", "address", "terminal", "spreadsheet", "keeping", "patterns", "counting"}
STAGES = {"exchange", "mailbox", "readers", "classify", "correlate", "policy", "store", "notify", "serve"}
MAY_ALSO = {"serve": {"store"}, "notify": {"store"}}
#: Libraries that one stage alone may import.
OWNERS = {
    "imapclient": {"mailbox"},
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "re2": {"patterns", "correlate", "config"},
    "ahocorasick_rs": {"patterns"},
    "flufl": {"readers"},
    "fastapi": {"serve"},
    "apscheduler": {"daemon"},
    "httpx2": {"notify", "client"},
    "typer": {"cli"},
}


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py"))


def place(path: Path) -> str:
    """Return the first name below the package: a stage or a module."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted name of everything a module imports, wherever it stands in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0 and node.module == "bounced":
                yield from (f"bounced.{alias.name}" for alias in node.names)
            elif node.level == 0:
                yield node.module or ""
            else:
                yield f"bounced.{place(path)}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_stage_knows_no_other_stage(path: Path) -> None:
    """Only pipeline, daemon and the commands join stages; the ground layer knows nobody above it."""
    here = place(path)
    used = {name.split(".")[1] for name in imports(path) if name.startswith("bounced.")} - {here, "__version__"}

    if here in GROUND:
        assert used <= GROUND
    elif here in STAGES:
        assert used <= GROUND | MAY_ALSO.get(here, set())
    elif here == "workers":
        assert used <= {"errors"}


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_library_is_imported_by_its_owner_only(path: Path) -> None:
    """What a library is used for can be changed in one place."""
    top = {name.split(".")[0] for name in imports(path)}

    for library, owners in OWNERS.items():
        if library in top:
            assert place(path) in owners


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_says_what_may_live_in_it(path: Path) -> None:
    """The first line of each module is its purpose."""
    assert (ast.get_docstring(ast.parse(path.read_text())) or "").strip()


def test_importing_everything_opens_nothing() -> None:
    """No connection, file of ours, engine or thread comes to be by an import."""
    names = [
        ".".join(("bounced", *p.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
        for p in modules()
        if p.name != "__main__.py" and "migrations" not in p.parts
    ]
    script = (
        "import importlib, sys, threading\n"
        "opened = []\n"
        "def watch(event, args):\n"
        "    if event == 'socket.connect' or event == 'sqlite3.connect':\n"
        "        opened.append((event, args))\n"
        "sys.addaudithook(watch)\n"
        f"for name in {names!r}:\n"
        "    importlib.import_module(name)\n"
        "assert not opened, opened\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
