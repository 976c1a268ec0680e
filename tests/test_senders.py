"""What docs/senders.md says to type works, with the real tools: the mail leaves with a return path that is signed."""

import json
import os
import re
import shutil
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.policy import default
from pathlib import Path

import pytest
import yaml

from bounced import ReturnPaths
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix
from tests.servers.program import bounced, configuration, daemon, eventually
from tests.servers.smtp import Receiver
from tests.test_campaigns import SIGNING, events
from tests.test_sent import bounce

PAGE = (Path(__file__).parents[1] / "docs" / "senders.md").read_text()
ERIKA = "erika@customer.example"


def block(language: str) -> str:
    """Return the one block of this language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)
    assert isinstance(found, str)
    return found


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump({"correlation": {"signing": SIGNING}}))
    return path


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver({}) as receiver:
        yield receiver


@pytest.fixture
def shell(tmp_path: Path, config: Path) -> dict[str, str]:
    """Return an environment in which the command `bounced` is this program, with that configuration."""
    program = tmp_path / "bin" / "bounced"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m bounced "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    here = str(Path(__file__).parents[1])
    return os.environ | {"PATH": path, "BOUNCED_CONFIG": str(config), "PYTHONPATH": here}


def taken(receiver: Receiver, config: Path) -> Message:
    """Return the one mail that was taken; demand that its return path is ours, and speaks for its recipient."""
    ((recipients, content),) = receiver.taken
    (sender,) = receiver.senders
    found = ReturnPaths.load(config).decode(sender).ours
    assert recipients == [ERIKA]
    assert found is not None
    assert found.good
    assert found.speaks_for(ERIKA)
    mail = message_from_bytes(content, policy=default)
    assert "shop@example.org" in mail["From"]
    return mail


def sealed_for(mail: Message, config: Path) -> tuple[str | None, str | None]:
    """Return recipient and campaign that the header names under seal."""
    found = ReturnPaths.load(config).decode(mail["X-Bounced-Ref"]).ours
    assert found is not None and found.content is not None
    return found.content.recipient, found.content.tags.campaign if found.content.tags else None


def run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_swaks(receiver: Receiver, config: Path, shell: dict[str, str]) -> None:
    if not shutil.which("swaks"):
        pytest.skip("swaks is not installed (make servers)")
    script = block("sh").replace("localhost --port 25", f"127.0.0.1 --port {receiver.port}")

    run(["sh", "-ec", script], shell)

    assert taken(receiver, config)["Subject"] == "Your order"


def test_smtplib(receiver: Receiver, config: Path) -> None:
    program = block("python").replace('"localhost", 25', f'"127.0.0.1", {receiver.port}')

    exec(program.replace("/etc/bounced/config.yaml", str(config)), {})

    assert sealed_for(taken(receiver, config), config) == (ERIKA, "autumn-2026")


def test_a_reference_that_smtplib_encoded_is_read_in_a_report(receiver: Receiver, config: Path) -> None:
    """Python writes a word of this length as encoded words (RFC 2047); the header alone is enough all the same."""
    program = block("python").replace('"localhost", 25', f'"127.0.0.1", {receiver.port}')
    exec(program.replace("/etc/bounced/config.yaml", str(config)), {})
    ((_, returned),) = receiver.taken
    head = returned.partition(b"\r\n\r\n")[0].replace(b"\r\n", b"\n").decode()
    report = bounce("somebody@elsewhere.example", ERIKA).decode()
    report = report.removesuffix("--=_b--\n") + f"--=_b\nContent-Type: text/rfc822-headers\n\n{head}\n\n--=_b--\n"
    path = config.with_name("report.eml")
    path.write_text(report)

    done = bounced(config, "classify", str(path), "--format", "jsonl")

    assert "=?utf-8?q?" in head
    told = json.loads(done.stdout)
    assert (told["trust"], told["tags"]["campaign"]) == ("signed", "autumn-2026")


def test_django(receiver: Receiver, config: Path, shell: dict[str, str]) -> None:
    """In a process of its own: Django is configured once."""
    pytest.importorskip("django")
    settings = (
        f"from django.conf import settings\nsettings.configure(EMAIL_HOST='127.0.0.1', EMAIL_PORT={receiver.port})\n"
    )
    program = settings + block("python django").replace("/etc/bounced/config.yaml", str(config))

    run([sys.executable, "-c", program], shell)

    assert sealed_for(taken(receiver, config), config) == (ERIKA, "autumn-2026")


def test_phpmailer(receiver: Receiver, config: Path, shell: dict[str, str], tmp_path: Path) -> None:
    library = Path("/usr/share/php/libphp-phpmailer/src")
    if not shutil.which("php") or not library.is_dir():
        pytest.skip("PHP or PHPMailer is not installed (make servers)")
    loaded = "".join(f"require '{library}/{name}.php';\n" for name in ("Exception", "PHPMailer", "SMTP"))
    script = block("php").replace("'localhost'", "'127.0.0.1'").replace("Port = 25", f"Port = {receiver.port}")
    program = tmp_path / "mail.php"
    program.write_text(script.replace("\n$to =", f"\n{loaded}$to =", 1))

    run(["php", "-d", "display_errors=stderr", str(program)], shell)

    mail = taken(receiver, config)
    assert sealed_for(mail, config) == (ERIKA, "autumn-2026")
    assert len(mail.get_all("Message-ID", [])) == 1
    assert "mailto:bounces+1k1." in mail["List-Unsubscribe"].replace("\n", "")


@pytest.mark.usefixtures("needs_postfix")
def test_postfix_asks_for_verp_and_names_a_campaign(tmp_path: Path, dovecot: Dovecot, database_url: str) -> None:
    """Unsigned, and so only a claim, but the recipient and the campaign are there."""
    campaigns, verp = re.findall(r"^/\^.*$", PAGE, re.M)
    config = configuration(tmp_path, dovecot, database_url)
    assert bounced(config, "db", "upgrade").returncode == 0
    with Receiver({"gone@remote.example": "550 5.1.1 User unknown"}) as receiver:
        tables = tmp_path / "campaigns", tmp_path / "verp"
        tables[0].write_text(campaigns + "\n")
        tables[1].write_text(verp.replace(r"example\.org", r"lists\.example\.net") + "\n")
        for table in tables:
            table.chmod(0o644)
        for folder in [tmp_path, *tmp_path.parents][:3]:
            folder.chmod(0o755)
        extra = {
            "smtpd_authorized_verp_clients": "127.0.0.1",
            "header_checks": f"regexp:{tables[0]}",
            "smtpd_command_filter": f"regexp:{tables[1]}",
        }
        with (
            Postfix(dovecot.port_lmtp, {"remote.example": receiver.port}, extra=extra) as postfix,
            daemon(config, tmp_path / "log"),
            smtplib.SMTP("127.0.0.1", postfix.port) as client,
        ):
            mail = b"From: shop@lists.example.net\r\nSubject: Invoice 7\r\n\r\nPlease pay.\r\n"
            client.sendmail("bounces@lists.example.net", ["gone@remote.example"], mail)
            done = eventually(lambda: len(dovecot.messages("bounces", "Processed")) == 1, 40)
            log = postfix.log()
        assert done, (tmp_path / "log").read_text() + log
    assert receiver.senders == ["bounces+gone=remote.example@lists.example.net"]
    event = events(config)["gone@remote.example"]
    tags = event["tags"]
    assert isinstance(tags, dict)
    assert tags["campaign"] == "invoices"
    assert event["category"] == "hard"
