"""The main job on real servers: a mail goes out, its bounce comes back, one address is suppressed, one is told.

application -> Postfix -> remote MX (scripted)      Postfix -> LMTP -> Dovecot -> the daemon -> webhook
"""

import json
import smtplib
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix
from tests.servers.program import bounced, configuration, daemon, eventually
from tests.servers.smtp import Receiver
from tests.servers.webhook import Endpoint

REPLIES = {
    "gone@remote.example": "550 5.1.1 <gone@remote.example>: Recipient address rejected: User unknown",
    "full@remote.example": "552 5.2.2 <full@remote.example>: Mailbox full, quota exceeded",
    "blocked@remote.example": "550 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example.org",
}
PERSON = (
    b"From: Ann <ann@example.org>\r\nTo: bounces@lists.example.net\r\nSubject: Lunch?\r\n\r\nAt noon, as always?\r\n"
)


def newsletter(recipient: str) -> EmailMessage:
    """Return a mail as an application sends it."""
    mail = EmailMessage()
    mail["From"] = "Shop <shop@lists.example.net>"
    mail["To"] = recipient
    mail["Subject"] = "Your order"
    mail["Message-ID"] = f"<order.{recipient.partition('@')[0]}@lists.example.net>"
    mail["campaign_guid"] = "spring-2026"
    mail.set_content("It is on its way.\n")
    return mail


@pytest.mark.usefixtures("needs_postfix")
def test_a_dead_address_is_suppressed_and_told_and_nobody_else_is(
    tmp_path: Path, dovecot: Dovecot, database_url: str
) -> None:
    """One dead, one full, one blocked, one delivered, and a person's mail in the same mailbox."""
    dovecot.deliver("bounces", PERSON)
    with (
        Endpoint() as endpoint,
        Receiver(REPLIES) as receiver,
        Postfix(dovecot.port_lmtp, {"remote.example": receiver.port}) as postfix,
    ):
        config = configuration(tmp_path, dovecot, database_url, endpoint)
        assert bounced(config, "db", "upgrade").returncode == 0
        with daemon(config, tmp_path / "log"):
            for recipient in (*REPLIES, "fine@remote.example"):
                with smtplib.SMTP("127.0.0.1", postfix.port) as client:
                    client.send_message(newsletter(recipient), "bounces@lists.example.net", [recipient])
            done = eventually(lambda: len(endpoint.got) >= 4 and len(dovecot.messages("bounces", "Processed")) == 3)
        assert done, (tmp_path / "log").read_text() + postfix.log()

    events = {
        e["address"]: e for e in map(json.loads, bounced(config, "events", "--format", "jsonl").stdout.splitlines())
    }
    assert {a: (e["category"], e["reason"], e["fault"]) for a, e in events.items()} == {
        "gone@remote.example": ("hard", "mailbox_unknown", "recipient"),
        "full@remote.example": ("soft", "mailbox_full", "recipient"),
        "blocked@remote.example": ("soft", "reputation_block", "sender"),
    }
    assert [bounced(config, "check", a).returncode for a in (*REPLIES, "fine@remote.example")] == [0, 1, 1, 1]
    assert "mailbox_unknown" in bounced(config, "check", "gone@remote.example").stdout
    assert sorted(endpoint.types()) == ["bounce.hard", "bounce.soft", "bounce.soft", "suppression.created"]
    assert endpoint.refused == 0
    assert data_of(endpoint, "suppression.created")["address"] == "gone@remote.example"
    assert [recipients for recipients, _ in receiver.taken] == [["fine@remote.example"]]
    assert dovecot.messages("bounces") == [((), PERSON)]


def data_of(endpoint: Endpoint, kind: str) -> dict[str, Any]:
    """Return the data of the one notification of this type."""
    (data,) = [body["data"] for _, body in endpoint.got if body["type"] == kind]
    assert isinstance(data, dict)
    return data
