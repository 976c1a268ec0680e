"""The loop, closed, on real servers: mail, bounce, suppression, refusal at the next send, release, accepted again.

application -> Postfix (asks the daemon) -> remote MX (scripted)      Postfix -> LMTP -> Dovecot -> the daemon
"""

import smtplib
from pathlib import Path

import pytest
import yaml

from bounced import Suppressions
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix, free_port, wait_for
from tests.servers.program import bounced, configuration, daemon, eventually
from tests.servers.smtp import Receiver
from tests.test_loop import newsletter

GONE, FINE = "gone@remote.example", "fine@remote.example"
REPLIES = {GONE: f"550 5.1.1 <{GONE}>: Recipient address rejected: User unknown"}


def send(postfix: Postfix, *recipients: str) -> dict[str, tuple[int, bytes]]:
    """Send one mail to all of them and return who was refused in the dialogue; raises nothing if all were."""
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=30) as client:
        try:
            return client.send_message(newsletter(recipients[0]), "bounces@lists.example.net", list(recipients))
        except smtplib.SMTPRecipientsRefused as exc:
            return exc.recipients


@pytest.mark.usefixtures("needs_postfix")
def test_the_second_mail_to_a_dead_address_is_refused_until_it_is_released(
    tmp_path: Path, dovecot: Dovecot, database_url: str
) -> None:
    """Everybody else is mailed all the time."""
    port = free_port()
    config = configuration(tmp_path, dovecot, database_url)
    document = yaml.safe_load(config.read_text()) | {"lookups": {"socketmap": [f"127.0.0.1:{port}"]}}
    config.write_text(yaml.safe_dump(document))
    asks = f"check_recipient_access socketmap:inet:127.0.0.1:{port}:suppressed, permit_mynetworks, reject"
    assert bounced(config, "db", "upgrade").returncode == 0
    with (
        Receiver(REPLIES) as receiver,
        Postfix(
            dovecot.port_lmtp, {"remote.example": receiver.port}, extra={"smtpd_recipient_restrictions": asks}
        ) as postfix,
        daemon(config, tmp_path / "log"),
        Suppressions(database_url) as table,
    ):
        wait_for(port, 30)
        assert send(postfix, GONE, FINE) == {}
        suppressed = eventually(lambda: table.check(GONE) is not None)
        assert suppressed, (tmp_path / "log").read_text() + postfix.log()

        code, text = send(postfix, GONE, FINE)[GONE]
        assert code == 554
        assert text.decode().startswith(f"5.1.1 <{GONE}>: Recipient address rejected: on the suppression list since 20")
        assert text.decode().endswith(": mailbox_unknown")
        assert set(send(postfix, GONE)) == {GONE}

        receiver.replies.clear()  # the mailbox is there again
        assert bounced(config, "suppressions", "release", GONE, "--why", "they called us").returncode == 0
        assert send(postfix, GONE) == {}
        taken = eventually(lambda: [r for r, _ in receiver.taken].count([GONE]) == 1)
        assert taken, postfix.log()

        assert [r for r, _ in receiver.taken].count([FINE]) == 2
        assert table.check(GONE) is None
