"""Signed return paths on real servers: two campaigns go out, and each failure comes back under its own.

sender -> Postfix -> remote MX (scripted)      Postfix -> LMTP -> Dovecot -> the daemon
"""

import json
import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest
import yaml

from bounced import Mail, ReturnPaths, Tags
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix
from tests.servers.program import bounced, configuration, daemon, eventually
from tests.servers.smtp import Receiver

SIGNING = {
    "keys": [{"id": "k1", "secret": "correct horse battery staple"}],
    "domains": ["lists.example.net"],
    "prefix": "bounces",
    "campaigns": [
        {"campaign": "spring", "list": "readers", "categories": ["news", "books"]},
        {"campaign": "autumn", "list": "buyers", "categories": ["promo"]},
    ],
}
SPRING = Tags("spring", "readers", ("news", "books"))
AUTUMN = Tags("autumn", "buyers", ("promo",))
LONG = Tags("the great autumn sale of all shoes", "people who bought shoes", ("promo", "shoes", "leather"))
UNKNOWN = "550 5.1.1 User unknown"


def sign_with_key(config: Path, **more: object) -> ReturnPaths:
    """Give the configuration a signing key, and return what signs with it."""
    document = yaml.safe_load(config.read_text())
    document["correlation"] = {"signing": SIGNING | more}
    config.write_text(yaml.safe_dump(document))
    return ReturnPaths.load(config)


def newsletter(recipient: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Shop <shop@lists.example.net>"
    mail["To"] = recipient
    mail["Subject"] = "What is new"
    mail.set_content("A lot.\n")
    return mail


def silent_report(recipient: str) -> bytes:
    """Return what a remote server reports that returns nothing of the mail."""
    return f"""From: MAILER-DAEMON@mx.silent.example
Subject: Undeliverable
Message-ID: <report.{recipient}>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"

--=_b
Content-Type: text/plain

It could not be delivered.

--=_b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.silent.example

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; {UNKNOWN}

--=_b--
""".encode()


def events(config: Path) -> dict[str, dict[str, object]]:
    """Return the events by address."""
    lines = bounced(config, "events", "--format", "jsonl").stdout.splitlines()
    return {event["address"]: event for event in map(json.loads, lines)}


def told(event: dict[str, object]) -> tuple[object, object, object]:
    tags = event["tags"]
    assert isinstance(tags, dict)
    return tags["campaign"], tags["list"], tuple(tags["categories"])


@pytest.mark.usefixtures("needs_postfix")
def test_each_failure_carries_its_campaign(tmp_path: Path, dovecot: Dovecot, database_url: str) -> None:
    """Also where the report returns nothing of the mail: then the return path alone says so."""
    sent = {
        "ann@remote.example": SPRING,
        "bob@remote.example": AUTUMN,
        "carl@silent.example": SPRING,
        "dora@silent.example": AUTUMN,
        "eve@silent.example": LONG,
    }
    replies = {recipient: UNKNOWN for recipient in sent if recipient.endswith("@remote.example")}
    config = configuration(tmp_path, dovecot, database_url)
    paths = sign_with_key(config, require=True)
    assert bounced(config, "db", "upgrade").returncode == 0
    recorded = bounced(
        config, "verp", "sign", "eve@silent.example", "--campaign", LONG.campaign or "", "--list", LONG.list or "",
        *(word for category in LONG.categories for word in ("--category", category)), "--record",
    ).stdout.strip()  # fmt: skip
    with (
        Receiver(replies) as receiver,
        Postfix(
            dovecot.port_lmtp,
            {"remote.example": receiver.port, "silent.example": receiver.port},
        ) as postfix,
        daemon(config, tmp_path / "log"),
        smtplib.SMTP("127.0.0.1", postfix.port) as client,
    ):
        for recipient, tags in sent.items():
            mail, made = newsletter(recipient), Mail(recipient, tags)
            path = recorded if tags is LONG else paths.sign(made)
            if recipient in replies:
                path = paths.set_on(mail, made).return_path
            client.sendmail(path, [recipient], mail.as_bytes())
            if recipient not in replies:
                client.sendmail("", [path], silent_report(recipient))
        done = eventually(lambda: len(dovecot.messages("bounces", "Processed")) == len(sent), 60)
        log = postfix.log()
    assert done, (tmp_path / "log").read_text() + log

    found = events(config)
    assert {recipient: told(found[recipient]) for recipient in sent} == {
        recipient: (tags.campaign, tags.list, tags.categories) for recipient, tags in sent.items()
    }
    assert {event["trust"] for event in found.values()} == {"signed"}
    assert {event["category"] for event in found.values()} == {"hard"}
    assert [bounced(config, "check", recipient).returncode for recipient in sent] == [0] * len(sent)
