"""A server that is unknown, refuses, hangs, lies or breaks off: a clear message each time, and never a traceback."""

import socket
import ssl
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from bounced.config import ImapMailbox
from bounced.errors import ConfigError, MailboxDown
from bounced.mailbox import Source, open_mailbox
from bounced.mailbox.session import tls_context
from tests.mailbox import tiny
from tests.mailbox.conftest import LETTER, REPORT, Desk
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import free_port


def down(settings: ImapMailbox, desk: Desk) -> str:
    """Return what a poll says that must fail, and make sure that `probe` says the same."""
    with closing(open_mailbox(settings)) as source:
        with pytest.raises(MailboxDown) as caught:
            desk.work_off(source)
        (found,) = source.probe()
    assert (found.ok, found.text) == (False, str(caught.value))
    return str(caught.value)


def test_wrong_password(dovecot: Dovecot, desk: Desk) -> None:
    """It may be repaired: MailboxDown, and neither password stands in the message."""
    text = down(dovecot.settings(password="Tr0ub4dor"), desk)

    assert "login as bounces (wrong password?)" in text and "AUTHENTICATIONFAILED" in text
    assert "Tr0ub4dor" not in text


def test_repaired_password_is_read_anew(dovecot: Dovecot, desk: Desk, tmp_path: Path) -> None:
    """The file is read at each login: the next poll of the same source goes well."""
    file = tmp_path / "password"
    file.write_text("old\n")
    dovecot.deliver("bounces", REPORT)
    with closing(open_mailbox(dovecot.settings(password={"file": str(file)}))) as source:
        with pytest.raises(MailboxDown, match="wrong password"):
            desk.work_off(source)
        file.unlink()
        with pytest.raises(MailboxDown, match="cannot read the secret"):
            desk.work_off(source)
        file.write_text("secret\n")
        assert len(desk.work_off(source)) == 1


def test_unknown_host(dovecot: Dovecot, desk: Desk) -> None:
    """Told apart from a server that is down."""
    text = down(dovecot.settings(host="no-such-host.invalid"), desk)
    assert "no-such-host.invalid: no such host" in text or "name service gave no answer" in text


def test_nothing_listens(dovecot: Dovecot, desk: Desk) -> None:
    """Host and port are named."""
    port = free_port()
    assert f"localhost port {port}: connection refused" in down(dovecot.settings(port=port), desk)


@pytest.mark.parametrize(
    ("certificate", "says"), [("expired", "its certificate has expired"), ("stranger", "is for another host name")]
)
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_bad_certificates(needs_dovecot: None, desk: Desk, certificate: str, says: str, security: str) -> None:
    """Neither an expired certificate nor that of another host is accepted, and no password is sent to it."""
    with Dovecot(certificate=certificate) as server:
        assert says in down(server.settings(security=security), desk)
        assert "user=<bounces>" not in server.log()


def test_unknown_authority(dovecot: Dovecot, desk: Desk) -> None:
    """Without `ca_file` a CA of one's own is not trusted; the message names the setting."""
    assert "name that authority in ca_file" in down(dovecot.settings(ca_file=None), desk)


def test_starttls_works(dovecot: Dovecot, desk: Desk) -> None:
    """Verified like implicit TLS, on the other port."""
    dovecot.deliver("bounces", REPORT)
    with closing(open_mailbox(dovecot.settings(security="starttls"))) as source:
        assert len(desk.work_off(source)) == 1
        assert "with STARTTLS" in source.probe()[0].text


def test_tls_on_a_plain_port_says_what_to_do(dovecot: Dovecot, desk: Desk) -> None:
    """The common mistake of port 143 with implicit TLS."""
    assert "set security: starttls" in down(dovecot.settings(port=dovecot.port_imap), desk)


def test_plain_on_a_tls_port_says_what_to_do(dovecot: Dovecot, desk: Desk) -> None:
    """The common mistake of port 993 without TLS: the server waits for the handshake, we for the greeting."""
    settings = dovecot.settings(security="plain", port=dovecot.port_imaps, timeout=0.5)
    assert "set security: tls" in down(settings, desk)


def test_no_password_where_the_server_takes_none(desk: Desk) -> None:
    """LOGINDISABLED: nothing of the password goes over the wire, and the message says what to set."""
    server = tiny.Imap(capability=b"IMAP4rev1 LOGINDISABLED")
    with tiny.listening(server) as port:
        assert "set security: tls or starttls" in down(tiny.settings(port), desk)
    assert not [line for line in server.heard if b"LOGIN" in line.upper() or b"AUTH" in line.upper()]


def test_no_password_where_starttls_is_missing(desk: Desk) -> None:
    """A stripped STARTTLS is not taken for permission to go on in the clear."""
    server = tiny.Imap()
    with tiny.listening(server) as port:
        assert "does not offer STARTTLS" in down(tiny.settings(port, security="starttls"), desk)
    assert not [line for line in server.heard if b"AUTH" in line.upper()]


def test_login_without_sasl_is_quoted(desk: Desk) -> None:
    """Where only LOGIN is offered, nothing in a name or password can end the command."""
    server = tiny.Imap(capability=b"IMAP4rev1")
    with tiny.listening(server) as port:
        with closing(open_mailbox(tiny.settings(port, user='a"b c', password='x\\y"'))) as source:
            desk.work_off(source)
        assert b' LOGIN "a\\"b c" "x\\\\y\\""\r\n' in b"".join(server.heard)
        for changes in ({"password": "p\r\nx LOGOUT"}, {"password": "pä"}, {"user": "ü"}):
            assert "ASCII only" in down(tiny.settings(port, **changes), desk)


@pytest.mark.parametrize("greeting", [b"", b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n"])
def test_a_server_that_hangs_costs_its_time_out(desk: Desk, greeting: bytes) -> None:
    """Before the greeting or in the middle: MailboxDown after `timeout`, and `close` does not wait again."""

    def silent(connection: socket.socket) -> None:
        connection.sendall(greeting)
        while connection.recv(1000):
            pass

    with tiny.listening(silent) as port:
        source = open_mailbox(tiny.settings(port))
        began = time.monotonic()
        with pytest.raises(MailboxDown, match="no answer within 1 seconds"):
            desk.work_off(source)
        source.close()
        assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "speech",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"220 mx.example.net ESMTP\r\n",
        b"* BYE too many connections\r\n",
        b"* OK hi\r\n* garbage {99999\r\n",
        b"\xff" * 5000 + b"\r\n",
        b"x" * 1_200_000 + b"\r\n",
    ],
    ids=["http", "smtp", "bye", "garbage", "octets", "endless"],
)
def test_a_server_that_speaks_otherwise(desk: Desk, speech: bytes) -> None:
    """Whatever comes, it is MailboxDown, in one line without control characters."""

    def speak(connection: socket.socket) -> None:
        connection.sendall(speech)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1000):
                pass

    with tiny.listening(speak) as port:
        text = down(tiny.settings(port), desk)
    assert text.isprintable() and len(text) < 500


def idle_source(port: int, desk: Desk) -> Source:
    """Return a source that has polled once."""
    source = open_mailbox(tiny.settings(port))
    assert desk.work_off(source) == []
    return source


def test_an_idle_line_in_two_segments_is_survived(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """imapclient gives up on it; we reconnect and poll, and after some such breaks wait by the clock."""
    monkeypatch.setattr("bounced.mailbox.idle._PAUSE", 0.05)
    began = threading.Event()

    def halves(connection: socket.socket) -> None:
        connection.sendall(b"* 1 EX")
        began.set()
        time.sleep(0.7)
        with suppress(OSError):
            connection.sendall(b"ISTS\r\n")

    with tiny.listening(tiny.Imap(halves)) as port:
        source = idle_source(port, desk)
        for _ in range(3):
            started = time.monotonic()
            assert source.wait(20, threading.Event())
            assert time.monotonic() - started < 5
            assert desk.work_off(source) == []
        started = time.monotonic()
        assert not source.wait(0.3, threading.Event())  # IDLE is given up
        assert time.monotonic() - started >= 0.3
        source.close()
    assert began.is_set()


def test_mail_wakes_the_wait(dovecot: Dovecot, desk: Desk) -> None:
    """By LMTP, as an MTA delivers; well before the next poll is due."""
    with closing(open_mailbox(dovecot.settings())) as source:
        desk.work_off(source)
        threading.Timer(0.5, dovecot.deliver_by_lmtp, ["bounces+x@example.net", REPORT]).start()
        began = time.monotonic()
        assert source.wait(30, threading.Event())
        assert time.monotonic() - began < 5
        assert len(desk.work_off(source)) == 1


def test_mail_between_poll_and_wait_is_not_overlooked(dovecot: Dovecot, desk: Desk) -> None:
    """IDLE announces only what comes after it began."""
    with closing(open_mailbox(dovecot.settings())) as source:
        desk.work_off(source)
        dovecot.deliver("bounces", LETTER)
        began = time.monotonic()
        assert source.wait(30, threading.Event())
        assert time.monotonic() - began < 1
        desk.work_off(source)
        assert not source.wait(0.6, threading.Event())  # the letter is still there, and no news


def test_wait_ends_with_the_daemon(dovecot: Dovecot, desk: Desk) -> None:
    """Within a second, also in the middle of IDLE."""
    stop = threading.Event()
    with closing(open_mailbox(dovecot.settings())) as source:
        desk.work_off(source)
        threading.Timer(0.3, stop.set).start()
        began = time.monotonic()
        assert not source.wait(30, stop)
        assert time.monotonic() - began < 1.3


def test_idle_is_renewed(dovecot: Dovecot, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the half hour after which servers hang up (RFC 2177); the wait goes on."""
    monkeypatch.setattr("bounced.mailbox.idle.RENEW", 0.6)
    with closing(open_mailbox(dovecot.settings())) as source:
        desk.work_off(source)
        threading.Timer(2, dovecot.deliver, ["bounces", REPORT]).start()
        assert source.wait(30, threading.Event())
        assert len(desk.work_off(source)) == 1


def test_context_refuses_old_tls(dovecot: Dovecot) -> None:
    """TLS 1.2 at least, host name and chain checked."""
    context = tls_context(dovecot.settings())
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)


def test_ca_file_that_is_none(dovecot: Dovecot, tmp_path: Path) -> None:
    """Told when the mailbox is opened: no retry could help."""
    for content in (None, "no certificate"):
        file = tmp_path / f"ca-{content is None}.pem"
        if content:
            file.write_text(content)
        with pytest.raises(ConfigError, match=r"mailboxes\.bounces\.ca_file"):
            open_mailbox(dovecot.settings(ca_file=str(file)))
