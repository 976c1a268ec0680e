"""The page on how the program is: mailboxes, database, loops, what waits."""

from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter, Request, Response

from bounced.model.canary import lost
from bounced.serve.health import MailboxState
from bounced.serve.pages.frame import Frame

#: So many are shown, the newest.
_CANARIES: Final = 5


def routers(frame: Frame) -> list[APIRouter]:
    """Return the routes."""
    asked = frame.asked()

    @asked.get("/health")
    async def health(request: Request) -> Response:
        """Show it."""
        counts = await frame.ask(lambda store: store.counts())
        positions = await frame.ask(lambda store: store.positions())
        canaries = await frame.ask(lambda store: store.recent_canaries())
        boxes = frame.health.mailboxes()
        polled = [{"name": name, "box": box, "state": state_of(box)} for name, box in boxes.items()]
        return frame.show(
            request,
            "health.html",
            mailboxes=polled,
            positions=[place for place in positions if place.mailbox in boxes] or positions,
            counts=counts,
            where=frame.desk().store.where.replace("+pysqlite", "").replace("+psycopg", ""),
            canaries=canaries[:_CANARIES],
            lost=lost(canaries, datetime.now(UTC)),
            stuck=list(frame.health.stuck()),
        )

    return [asked]


def state_of(box: MailboxState) -> str:
    """Return in a word how a mailbox is: ok, elsewhere, late, failing or waiting for its first poll."""
    now = datetime.now(UTC)
    if box.problem:
        return "failing"
    if box.elsewhere:
        return "elsewhere"
    if box.last_success is None:
        return "waiting"
    return "ok" if box.ready(now) else "late"
