"""The first page: how mail fared of late, what is wrong now, and where to look."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from bounced.serve.pages.frame import Frame
from bounced.serve.pages.mailboxes import state_of
from bounced.serve.pages.times import span_of


def routers(frame: Frame) -> list[APIRouter]:
    """Return the routes."""
    asked = frame.asked()

    @asked.get("/")
    async def overview(request: Request) -> Response:
        """Show it."""
        span = span_of(request, datetime.now(UTC))
        waves = await frame.ask(lambda store: store.all_waves(unsettled=True))
        alarms = await frame.ask(lambda store: store.all_alarms(standing=True))
        counts = await frame.ask(lambda store: store.counts())
        boxes = {name: state_of(box) for name, box in frame.health.mailboxes().items()}
        return frame.show(
            request, "overview.html", span=span, waves=waves, alarms=alarms, counts=counts, mailboxes=boxes
        )

    return [asked]
