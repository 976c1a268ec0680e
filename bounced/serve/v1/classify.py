"""`/v1/classify`: what a mail says, or what a server meant that refused one in the dialogue. Nothing is stored."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError

from bounced.model import Action, Category, Fault, Kind, Reason, Trust
from bounced.serve.v1.doors import JSON, SMALL, Body, Doors, media_type
from bounced.serve.v1.shapes import ADDRESS, Given, Told
from bounced.store import TokenScope

MAIL: Final = "message/rfc822"


class Reply(Given):
    """What a server answered, the name of its host, and whom it was about."""

    reply: Annotated[str, Field(max_length=10_000, examples=["552 5.2.2 user is over quota"])]
    mta: Annotated[str, Field(max_length=255)] | None = None
    recipient: Annotated[str, Field(max_length=ADDRESS)] | None = None


class VerdictTold(Told):
    """What a failure was taken for, by which rule, and what spoke against it."""

    category: Category | None
    reason: Reason | None
    fault: Fault
    status: str | None
    reply_code: str | None
    rule: str
    provider: str | None
    matched: str | None
    basis: list[str]
    disagreed: list[str]


class RecipientTold(VerdictTold):
    """What a mail says of one recipient."""

    address: str | None
    final_recipient: str | None
    action: Action | None
    diagnostic: str | None
    remote_mta: str | None


class MailTags(Told):
    """What the sender said of the mail."""

    campaign: str | None
    list: str | None
    categories: Sequence[str]


class MailTold(Told):
    """What a mail is, and what it says of each recipient."""

    kind: Kind
    subtype: str | None
    reader: str
    recipients: list[RecipientTold]
    feedback_type: str | None
    message_id: str | None
    tags: MailTags
    trust: Trust


_BODY: Final[Mapping[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": Reply.model_json_schema()},
            MAIL: {"schema": {"type": "string", "format": "binary", "description": "A raw mail."}},
        },
    }
}


def routers(doors: Doors) -> list[APIRouter]:
    """Return the route."""
    check = doors.told(TokenScope.CHECK, "classify", accepts=(JSON, MAIL))

    @check.post("/classify", openapi_extra=dict(_BODY))
    async def classify(request: Request) -> VerdictTold | MailTold:
        """Say what a reply means (JSON), or what a raw mail is (message/rfc822): the same as `bounced classify`."""
        is_mail = media_type(request) == MAIL
        if isinstance(request, Body):
            request.limit = doors.desk().message_bytes if is_mail else SMALL
        if is_mail:
            content = await request.body()
            return MailTold.model_validate(await doors.threads.judge(partial(doors.desk().judge, content)))
        asked = _reply(await request.body())
        judged = await doors.threads.judge(
            partial(doors.desk().judge_reply, asked.reply, asked.mta or None, asked.recipient or None)
        )
        return VerdictTold.model_validate(judged)

    return [check]


def _reply(body: bytes) -> Reply:
    """Return the reply in a JSON body, or raise what any other route raises for a body of the wrong form."""
    try:
        return Reply.model_validate_json(body)
    except ValidationError as exc:
        raise RequestValidationError([{**error, "loc": ("body", *error["loc"])} for error in exc.errors()]) from exc
