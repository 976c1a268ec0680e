"""The pages of an import: a list is brought, what it comes to is shown, and a second click takes it in."""

import json
import re
import secrets
import time
import weakref
from contextlib import suppress
from functools import partial
from pathlib import Path
from shutil import copyfileobj, rmtree
from tempfile import mkdtemp
from typing import Annotated, BinaryIO, Final

from fastapi import APIRouter, Form, Request, Response, UploadFile

from bounced.model.names import PRINTABLE
from bounced.serve.importing import Importing, ListGiven, ListTold
from bounced.serve.pages.frame import Frame, actor, session_of
from bounced.serve.pages.text import link
from bounced.serve.problems import Problem

#: Octets of a list that a page takes; the command takes any.
_LARGEST: Final = 16_000_000
#: Lists that wait for a second click at once, and for how many seconds.
_WAITING, _PATIENCE = 8, 3_600.0
_ODD: Final = re.compile(r"[^\w .+@()-]")

Scope = Annotated[str, Form(max_length=64, pattern=PRINTABLE)]
Name = Annotated[str, Form(max_length=64)]


class Shelf:
    """Lists that were brought and wait to be taken in: files that only this process reads, for an hour."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    def put(self, content: BinaryIO) -> str:
        """Keep a file, and return the name by which it is found. Those that waited longest make room."""
        if self._folder is None:
            self._folder = Path(mkdtemp(prefix="bounced-lists-"))
            weakref.finalize(self, rmtree, self._folder, ignore_errors=True)  # at the end of the program, too
        files = sorted(self._folder.iterdir(), key=lambda each: each.stat().st_mtime)
        for each in files[: max(0, len(files) - _WAITING + 1)]:
            each.unlink(missing_ok=True)
        name = secrets.token_hex(16)
        with (self._folder / name).open("wb") as file:
            copyfileobj(content, file)
        return name

    def find(self, name: str) -> Path | None:
        """Return the file, if it is still there."""
        if self._folder is None:
            return None
        file = self._folder / name
        with suppress(OSError):
            return file if time.time() - file.stat().st_mtime < _PATIENCE else None
        return None


def routers(frame: Frame) -> list[APIRouter]:
    """Return the routes."""
    asked, told, shelf = frame.asked(), frame.told(_LARGEST), Shelf()

    @asked.get("/suppressions/import")
    async def before(request: Request) -> Response:
        """Ask for a list."""
        return _show(frame, request)

    @told.post("/suppressions/import")
    async def look(
        request: Request,
        file: UploadFile,
        form: Name = "",
        scope: Scope = "*",
        skip_bad: Annotated[bool, Form()] = False,
    ) -> Response:
        """Show what a list comes to."""
        form = form if form in _importing(frame).forms else ""
        name = _ODD.sub("_", Path(file.filename or "list").name)[-80:] or "list"
        kept = await frame.threads.ask(partial(shelf.put, file.file))
        given = {"file": kept, "name": name, "form": form, "scope": scope, "skip_bad": skip_bad}
        return await _look(frame, request, shelf, given)

    @told.post("/suppressions/import/take")
    async def take(request: Request, brought: Annotated[str, Form(max_length=2_000)]) -> Response:
        """Take a list in that was looked at before."""
        session = session_of(request)
        text = session.signed(brought) if session else None
        given = _given(shelf, json.loads(text)) if text else None
        if given is None:
            said = "Nothing was changed: the list waited too long. Bring it once more."
            return frame.after(request, "/suppressions/import", said, "fault")
        found = await frame.threads.ask(partial(_importing(frame).take, given, actor(request)))
        if not found.done:
            return _show(frame, request, found, given, status=422)
        given.file.unlink(missing_ok=True)
        said = f"{given.name}: {found.taken.changed:,} entries taken in. All of it can be taken back here."
        return frame.after(request, link("/suppressions/undo", actor=f"import {given.name} by {actor(request)}"), said)

    return [asked, told]


async def _look(frame: Frame, request: Request, shelf: Shelf, given: dict[str, object]) -> Response:
    brought = _given(shelf, given)
    assert brought is not None  # noqa: S101  it was just put there
    found = await frame.threads.ask(partial(_importing(frame).look, brought))
    session = session_of(request)
    takes = found.doubt is None and found.taken.changed and (brought.skip_bad or not found.refused)
    signed = session.sign(json.dumps(given)) if session and takes else ""
    return _show(frame, request, found, brought, signed, 200 if takes or not found.doubt else 422)


def _given(shelf: Shelf, told: dict[str, object]) -> ListGiven | None:
    """Return the list that was brought; None if it waits no more."""
    file = shelf.find(str(told["file"]))
    if file is None:
        return None
    return ListGiven(file, str(told["name"]), str(told["form"]) or None, str(told["scope"]), bool(told["skip_bad"]))


def _show(  # noqa: PLR0913  what the page is made of
    frame: Frame,
    request: Request,
    found: ListTold | None = None,
    given: ListGiven | None = None,
    brought: str = "",
    status: int = 200,
) -> Response:
    forms = _importing(frame).forms
    return frame.show(
        request, "import.html", status, forms=forms, found=found, given=given, brought=brought, largest=_LARGEST
    )


def _importing(frame: Frame) -> Importing:
    importing = frame.desk().importing
    if importing is None:
        raise Problem(404, "Lists are not taken in here.")
    return importing
