"""Errors for people: the problem document of a request turned into a page of the same frame."""

import json
from contextlib import suppress
from typing import Final

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from bounced.errors import BouncedError
from bounced.serve.pages.frame import Frame, session_of
from bounced.serve.pages.guard import HEADERS
from bounced.serve.problems import Problem

#: What programs ask: never answered by a page.
_PROGRAMS: Final = ("/v1/", "/healthz", "/readyz", "/metrics", "/openapi.json")
_TITLES: Final = {
    403: "Not allowed",
    404: "Nothing here",
    405: "Not this way",
    413: "Too large",
    415: "Not a form",
    421: "Not under this name",
    422: "This cannot be asked",
    429: "Wait a little",
    500: "The program failed",
    503: "Not now",
}


async def dressed(frame: Frame, request: Request, problem: JSONResponse) -> Response:
    """Return the page for a problem where a browser asked; the problem itself where a program did."""
    if request.url.path.startswith(_PROGRAMS) or "text/html" not in request.headers.get("accept", ""):
        return problem
    if problem.status_code in (404, 405) and session_of(request) is None:
        with suppress(BouncedError, Problem):  # then the page does without its navigation
            await frame.recognise(request)
    told = json.loads(bytes(problem.body))
    page = frame.show(
        request,
        "error.html",
        problem.status_code,
        number=problem.status_code,
        title=_TITLES.get(problem.status_code, told["title"]),
        detail=told["detail"],
        faults=told["faults"],
    )
    kept = ("retry-after", "allow")
    page.headers.update({name: problem.headers[name] for name in kept if name in problem.headers} | HEADERS)
    return page
