"""Django's e-mail through the backend: who is suppressed is left out and named, everybody else is mailed."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.test.utils import override_settings

from bounced.config import Database
from bounced.errors import StoreDown
from bounced.model import Change, Move
from bounced.store import Store

BACKEND = "bounced.django.SuppressingBackend"
LOCMEM = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture(scope="module", autouse=True)
def configured() -> None:
    """Django wants to be told once, before anything else."""
    if not settings.configured:
        settings.configure(EMAIL_BACKEND=BACKEND, USE_TZ=True, DEFAULT_CHARSET="utf-8")
        django.setup()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[list[Any]]:
    url = f"sqlite:///{tmp_path}/bounced.db"
    store = Store.open(Database(url=url))
    store.upgrade()
    with store.begin() as tx:
        for name in ("dead", "gone"):
            tx.journal(
                [Change(f"{name}@x.example", "*", Move.SUPPRESS, datetime.now(UTC), "hard", "mailbox_unknown", "")]
            )
    store.close()
    with override_settings(EMAIL_BACKEND=BACKEND, BOUNCED={"URL": url, "BACKEND": LOCMEM}):
        mail.outbox = []
        yield mail.outbox


def test_everywhere_a_recipient_may_stand(outbox: list[Any], caplog: pytest.LogCaptureFixture) -> None:
    """The rest is mailed, the header names only them, and the message tells who was left out."""
    message = EmailMultiAlternatives(
        "Hello", "text", "shop@s.example",
        to=["Dead <DEAD@x.example>", "Ann <ann@x.example>"],
        cc=["bob@x.example", "gone@x.example"],
        bcc=["dead@x.example", "eve@x.example"],
    )  # fmt: skip
    with caplog.at_level(logging.WARNING, "bounced.django"):
        assert message.send() == 1

    (sent,) = outbox
    assert sent.recipients() == ["Ann <ann@x.example>", "bob@x.example", "eve@x.example"]
    assert sent.message()["To"] == "Ann <ann@x.example>"
    assert sent.message()["Cc"] == "bob@x.example"
    assert message.suppressed_recipients == ["Dead <DEAD@x.example>", "gone@x.example", "dead@x.example"]  # type: ignore[attr-defined]
    assert "3 suppressed recipient(s) left out of a mail to 6" in caplog.text
    assert "x.example" not in caplog.text


def test_a_mail_with_nobody_left_is_not_sent_and_the_others_are(outbox: list[Any]) -> None:
    messages = [EmailMessage("Hello", "", "s@s.example", [to]) for to in ("dead@x.example", "ann@x.example")]

    with mail.get_connection() as connection:
        assert connection.send_messages(messages) == 1

    assert [m.recipients() for m in outbox] == [["ann@x.example"]]
    assert [m.suppressed_recipients for m in messages] == [["dead@x.example"], []]  # type: ignore[attr-defined]
    assert mail.send_mail("Hello", "", "s@s.example", ["gone@x.example"]) == 0


def test_while_nobody_can_be_asked_nothing_is_sent_unless_told_so(outbox: list[Any], tmp_path: Path) -> None:
    down = {"URL": f"sqlite:///{tmp_path}/nowhere.db", "BACKEND": LOCMEM}
    with override_settings(BOUNCED=down):
        with pytest.raises(StoreDown):
            mail.send_mail("Hello", "", "s@s.example", ["dead@x.example"])
        assert mail.send_mail("Hello", "", "s@s.example", ["dead@x.example"], fail_silently=True) == 0
        assert outbox == []
    with override_settings(BOUNCED=down | {"FAIL_OPEN": True}):
        assert mail.send_mail("Hello", "", "s@s.example", ["dead@x.example"]) == 1
