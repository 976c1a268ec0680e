"""The web page at `/`: rendered here with Jinja2, a token to log in, forms to change things, no script needed.

How to add a page. A module in this folder with a function `routers(frame) -> list[APIRouter]`, its name in `_PARTS`
below; if it has an entry in the navigation, that stands in `_PLACES` already, and shows as soon as the route exists.

    def routers(frame: Frame) -> list[APIRouter]:
        asked, told = frame.asked(), frame.told()

        @asked.get("/mails")
        async def mails(request: Request, category: Category | None = None, cursor: Cursor = None) -> Response:
            span = span_of(request, datetime.now(UTC))           # since, until in the viewer's zone (times.py)
            found = await frame.ask(lambda store: [*store.events(...)])
            return frame.show(request, "mails.html", span=span, found=found)

        @told.post("/suppressions/release")
        async def release(request: Request, address: Annotated[str, Form()]) -> Response:
            await frame.threads.ask(partial(frame.desk().commit, [Change(..., actor=actor(request))], now))
            return frame.after(request, link("/address", address=address), "Released.")   # 303, message shown there

        return [asked, told]

- `asked()` needs the scope read, `told()` write, and the right `csrf`, origin and size (`told(limit)` for uploads).
- Empty fields of a GET form count as not given. Raise `Problem(status, words)`: it becomes a page.
- The streaming answer of a download needs no more than `asked()`; pass `headers=HEADERS` of guard.py with it.

Templates extend `base.html`: blocks `title` (plain words), `content`, and `actions` (buttons beside the heading).
Macros are in `parts.html`: `{% import "parts.html" as parts with context %}`.

- Every `{{ value }}` is escaped, and what hides or turns text is written out. In a running line, a stranger's text is
  `{{ value|stranger }}`, isolated; in a block `<pre class="raw">{{ value }}</pre>`. Never link to what one wrote.
- Filters: `moment` (a time in the viewer's zone), `number`, `words` (mailbox_full), `span` (seconds), `rate` (a part
  of one), `segment` (of a path). Globals: `link(path, **query)`, `again(**changes)` (this view, other query),
  `ago(at, now)`, `marked(text, found)`, `csrf()` in each POST form, `static(name)`. Values: `session.can_write`,
  `query`, `now`, `zone`.
- A control that changes something is shown to `session.can_write` only.
- No inline style or script: the policy forbids them. Classes are in app.css; add to its last part, one block a page.
- One `<h1>`, made by base.html from `title`; parts of a page are `<section>` with `<h2>`. Tables: `<div class="scroll"
  tabindex="0" role="region" aria-label="…">` around `<table class="cards">` with `<caption>`, `<th scope>`,
  `class="num"` for numbers, and `data-label` on each cell, which names it where a phone shows rows as cards.
- The query of a view: since, until, category, reason, fault, campaign, list, tag, provider, address, rule, mailbox,
  cursor.
"""

from collections.abc import Callable
from functools import partial

from fastapi import APIRouter

from bounced.serve.desk import Desk, Threads
from bounced.serve.health import Health
from bounced.serve.pages import (
    address,
    bringing,
    deliveries,
    login,
    mailboxes,
    mails,
    overview,
    person,
    reports,
    review,
    rules,
    suppressions,
    undoing,
    waves,
)
from bounced.serve.pages.errors import dressed
from bounced.serve.pages.frame import Frame, Place, environment, marks
from bounced.serve.pages.session import Sessions
from bounced.serve.problems import Dress
from bounced.serve.throttle import Throttle

__all__ = ["Pages"]

_PARTS = (
    overview,
    reports,
    mails,
    address,
    person,
    suppressions,
    bringing,
    undoing,
    review,
    waves,
    deliveries,
    rules,
    mailboxes,
)
_PLACES = (
    Place("/", "Overview"),
    Place("/reports", "Reports"),
    Place("/mails", "Mails"),
    Place("/suppressions", "Suppressions"),
    Place("/review", "Review"),
    Place("/waves", "Waves and alarms"),
    Place("/deliveries", "Deliveries"),
    Place("/rules", "Rules"),
    Place("/health", "Health"),
)
#: Failed logins of one client within a minute.
_GUESSES = 10


class Pages:
    """The routes of the page. `desk` returns the configuration now in force, `health` what the loops see."""

    def __init__(self, desk: Callable[[], Desk], health: Health, throttle: Throttle | None = None) -> None:
        self._threads = Threads()
        sessions = Sessions(desk, self._threads)
        self.frame = Frame(desk, self._threads, sessions, health, [], environment(marks()))
        throttle = Throttle(_GUESSES) if throttle is None else throttle
        parts = [router for part in _PARTS for router in part.routers(self.frame)]
        self.routers: list[APIRouter] = [*login.routers(self.frame, throttle), *parts]
        paths = {getattr(route, "path", "") for router in self.routers for route in router.routes}
        self.frame.places.extend(place for place in _PLACES if place.path in paths)
        self.dress: Dress = partial(dressed, self.frame)

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.close()
