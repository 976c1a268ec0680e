"""The canary on real servers: it flies by Postfix, bounces, comes home to Dovecot; and is missed where it does not.

the daemon -> Postfix -> remote MX (scripted)      Postfix -> LMTP -> Dovecot -> the daemon -> webhook
"""

import json
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import yaml

from bounced.canary import Cage, Rhythm, claim, dismiss, watch
from bounced.cli.canary import state_of
from bounced.config import Database, Submission, load, parse
from bounced.daemon.canary import CanarySender, probe, submit
from bounced.errors import ConfigError, ReceiverDown
from bounced.model import Canary
from bounced.notify.canary import of_canary
from bounced.store import Store
from tests.cli.conftest import call
from tests.servers.certificates import Authority
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.postfix import Postfix, free_port
from tests.servers.program import bounced, configuration, daemon, eventually
from tests.servers.smtp import Receiver
from tests.servers.webhook import Endpoint

DEAD = "nobody-here@remote.example"
UNKNOWN = {DEAD: "550 5.1.1 User unknown"}
SIGNING = {
    "keys": [{"id": "k1", "secret": "correct horse battery staple"}],
    "domains": ["lists.example.net"],
    "prefix": "bounces",
}
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def with_canary(config: Path, port: int, **changes: object) -> Path:
    """Give a configuration a key and a canary that is missed after some seconds."""
    document = yaml.safe_load(config.read_text())
    document["correlation"] = {"signing": SIGNING}
    document["canary"] = {
        "recipient": DEAD,
        "sender": "postmaster@lists.example.net",
        "wait_hours": 12 / 3600,
        "smtp": {"host": "127.0.0.1", "port": port, "security": "plain", **changes},
    }
    config.write_text(yaml.safe_dump(document))
    return config


def state(store: Store) -> list[str]:
    """Return how the canaries fare, newest first."""
    return [state_of(each, datetime.now(UTC)) for each in store.recent_canaries()]


def send(config: Path, store: Store) -> None:
    settings = load(config)
    assert settings.canary
    assert CanarySender(settings.canary, settings, store).send()


def http(log: Path) -> str:
    """Return where the daemon answers."""
    return str(next(found["http"] for found in map(json.loads, log.read_text().splitlines()) if found.get("http")))


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("needs_postfix")
def test_it_comes_home_and_where_it_does_not_one_is_told(
    tmp_path: Path, dovecot: Dovecot, database_url: str, store: Store
) -> None:
    """It is nobody's bounce; the alarm is raised once, and cleared by the next that comes home."""
    with (
        Endpoint() as endpoint,
        Receiver(UNKNOWN) as receiver,
        Postfix(dovecot.port_lmtp, {"remote.example": receiver.port}) as postfix,
    ):
        config = with_canary(configuration(tmp_path, dovecot, database_url, endpoint), postfix.port)
        log = tmp_path / "log"
        with daemon(config, log):
            assert eventually(lambda: state(store) == ["back"], 90), log.read_text()
            done = call("canary", "status", "--format", "jsonl", "--config", str(config))
            assert (done.returncode, json.loads(done.stdout)["said"]) == (0, "hard mailbox_unknown")
            assert receiver.senders[0].startswith("bounces+1k1.")

            receiver.replies.clear()
            assert bounced(config, "canary", "send").returncode == 0
            assert eventually(lambda: endpoint.types() == ["alarm.raised"], 90), log.read_text()
            assert b"\r\nX-Bounced-Ref: 2k1." in receiver.taken[0][1]
            assert "alarm since" in call("doctor", "--config", str(config)).stdout
            assert "canary_lost" in call("alarms", "--config", str(config)).stdout
            url = http(log)
            with urllib.request.urlopen(f"{url}/metrics") as answer:
                assert "bounced_canary_missed 1.0" in answer.read().decode()
            assert urllib.request.urlopen(f"{url}/readyz").status == 200

            receiver.replies.update(UNKNOWN)
            send(config, store)
            assert eventually(lambda: endpoint.types()[-1] == "alarm.cleared", 90), log.read_text()

    assert state(store) == ["back", "missed", "back"]
    assert endpoint.types() == ["alarm.raised", "webhook.test", "alarm.cleared"]
    assert endpoint.refused == 0
    assert {body["data"].get("reason") for _, body in endpoint.got} == {"canary_lost", None}
    assert (list(store.events()), list(store.suppressions())) == ([], [])
    assert [json.loads(line)["why"] for line in log.read_text().splitlines() if '"message"' in line] == ["canary"] * 2


def test_a_forged_bounce_of_it_is_no_canary_and_nobodys_bounce(tmp_path: Path, dovecot: Dovecot) -> None:
    """Who knows its address cannot make it come home, nor fill the reports with it."""
    config = with_canary(configuration(tmp_path, dovecot, f"sqlite:///{tmp_path}/bounced.db"), free_port())
    assert bounced(config, "db", "upgrade").returncode == 0
    assert bounced(config, "canary", "send").returncode == 75
    dovecot.deliver("bounces", forged())
    assert bounced(config, "poll").returncode == 0

    done = bounced(config, "canary", "status", "--format", "jsonl")
    assert (done.returncode, json.loads(done.stdout)["state"]) == (1, "not sent")
    assert bounced(config, "events", "--format", "jsonl").stdout == ""
    assert dovecot.messages("bounces", "Processed") != []


def forged() -> bytes:
    return f"""From: MAILER-DAEMON@remote.example
Subject: Undeliverable
Message-ID: <forged@remote.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.remote.example

Final-Recipient: rfc822; {DEAD}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--b--
""".replace("\n", "\r\n").encode()


@pytest.mark.usefixtures("needs_postfix")
def test_submission_is_verified_and_logged_in_to(tmp_path: Path) -> None:
    """STARTTLS by a certificate that is trusted, with a login; without trust, or with a wrong password, nothing."""
    auth, certificate, key = free_port(), *Authority(tmp_path).issue("good")
    listener = f"service auth {{\n inet_listener {{\n address = 127.0.0.1\n port = {auth}\n }}\n}}\n"
    tls = {
        "smtpd_tls_security_level": "may",
        "smtpd_tls_cert_file": str(certificate),
        "smtpd_tls_key_file": str(key),
        "smtpd_tls_auth_only": "yes",
        "smtpd_sasl_auth_enable": "yes",
        "smtpd_sasl_type": "dovecot",
        "smtpd_sasl_path": f"inet:127.0.0.1:{auth}",
        "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
    }
    mail = EmailMessage()
    mail.set_content("canary")
    with (
        Dovecot(extra=listener) as dovecot,
        Receiver({}) as receiver,
        Postfix(dovecot.port_lmtp, {"remote.example": receiver.port}, extra=tls) as postfix,
    ):
        right: dict[str, Any] = {
            "host": "localhost",
            "port": postfix.port,
            "ca_file": tmp_path / "ca.pem",
            "user": "bounces",
            "password": PASSWORD,
        }
        assert probe(Submission(**right)) == f"localhost:{postfix.port} takes the login (starttls)"
        submit(Submission(**right), mail, "bounces@lists.example.net", DEAD)
        assert eventually(lambda: [who for who, _ in receiver.taken] == [[DEAD]])
        for wrong, words in (
            ({"ca_file": None}, "certificate is not trusted"),
            ({"password": "guessed"}, "535"),
            ({"password": "gückguessed"}, "beyond ASCII"),
            ({"user": None, "password": None}, "refused the address itself"),
            ({"security": "tls"}, "localhost"),
        ):
            with pytest.raises(ReceiverDown, match=words) as caught:
                submit(Submission(**right | wrong), mail, "bounces@lists.example.net", DEAD)
            assert "guessed" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"smtp": {"host": "smtp.example.org", "security": "plain"}}, "allow_plaintext_to_remote_host"),
        ({"smtp": {"host": "smtp.example.org", "user": "u"}}, "both, or neither"),
        ({"recipient": "nobody"}, "want a mail address"),
    ],
)
def test_what_cannot_work_is_refused(change: dict[str, object], words: str) -> None:
    canary = {"recipient": DEAD, "sender": "a@example.org", "smtp": {"host": "h"}} | change

    with pytest.raises(ConfigError, match=words):
        parse({"canary": canary, "correlation": {"signing": SIGNING}}, {})


def test_without_a_key_there_is_no_canary() -> None:
    """Anybody could say that it came home."""
    with pytest.raises(ConfigError, match=r"correlation\.signing\.keys"):
        parse({"canary": {"recipient": DEAD, "sender": "a@example.org", "smtp": {"host": "h"}}}, {})


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = Store.open(Database(url=database_url), {"all": ("*",)})
    opened.upgrade()
    yield opened
    opened.close()


DAILY = Rhythm(timedelta(days=1), timedelta(hours=4))
CAGE = Cage(DEAD, of_canary)


def canary(token: str, at: datetime = NOW) -> Canary:
    return Canary(token, DEAD, at, at + DAILY.wait)


def land(store: Store, token: str, at: datetime) -> None:
    with store.begin() as tx:
        tx.land({token: "hard mailbox_unknown"}, at)


def test_of_many_daemons_one_sends_and_one_raises(store: Store) -> None:
    """Ten at the same moment, each with a token of its own."""
    with ThreadPoolExecutor(10) as pool:
        sent = list(pool.map(lambda n: claim(store.begin, canary(f"t{n}"), DAILY), range(10)))
        later = NOW + timedelta(hours=4)
        raised = list(pool.map(lambda _: watch(store.begin, CAGE, later), range(10)))

    assert (sent.count(True), len(store.recent_canaries())) == (1, 1)
    assert sum(each is not None for each in raised) == 1
    assert store.counts().open_deliveries == 1


def test_one_that_was_not_taken_is_tried_again_soon(store: Store) -> None:
    """And its absence tells that it could not be sent, unless a later one comes home."""
    soon, due = NOW + timedelta(minutes=10), NOW + timedelta(hours=4)
    assert claim(store.begin, canary("a"), DAILY)
    store.handed_over("a", "smtp.example.org: Connection refused")
    assert not claim(store.begin, canary("b", NOW + timedelta(minutes=9)), DAILY)
    assert claim(store.begin, canary("c", soon), DAILY)
    store.handed_over("c", None)
    assert not claim(store.begin, canary("d", soon + timedelta(hours=23)), DAILY)

    raised = watch(store.begin, CAGE, due)
    assert raised
    assert "Connection refused" in raised.why
    land(store, "c", due)
    assert watch(store.begin, CAGE, due) is None
    assert store.standing_canary_alarm() is None
    assert [bool(each.cleared_at) for each in store.canary_alarms()] == [True]


def test_late_is_better_than_never(store: Store) -> None:
    """One that comes home after its time clears the alarm that it raised, and counts once."""
    assert claim(store.begin, canary("a"), DAILY)
    store.handed_over("a", None)
    assert watch(store.begin, CAGE, NOW + timedelta(hours=3)) is None
    raised = watch(store.begin, CAGE, NOW + timedelta(hours=5))
    assert raised
    assert "within 4 h" in raised.why
    land(store, "a", NOW + timedelta(hours=6))
    land(store, "a", NOW + timedelta(hours=7))
    watch(store.begin, CAGE, NOW + timedelta(hours=7))

    assert store.standing_canary_alarm() is None
    assert store.recent_canaries()[0].took == timedelta(hours=6)


def test_however_many_are_on_their_way_one_is_told(store: Store) -> None:
    """Where the bounce may take long, many more are tried before the first of them is due."""
    slow, wait = Rhythm(timedelta(days=1), timedelta(hours=12)), timedelta(hours=12)
    times = [NOW + n * timedelta(minutes=10) for n in range(73)]
    for n, at in enumerate(times):
        assert claim(store.begin, Canary(f"t{n}", DEAD, at, at + wait), slow)
        store.handed_over(f"t{n}", "Connection refused")

    raised = watch(store.begin, CAGE, times[-1])
    assert raised
    assert "Connection refused" in raised.why
    land(store, "t1", times[-1])
    watch(store.begin, CAGE, times[-1])
    assert store.standing_canary_alarm() is None


def test_without_a_canary_no_alarm_stands(store: Store) -> None:
    """Who takes it out of the configuration is not told of it for ever."""
    assert claim(store.begin, canary("a"), DAILY)
    assert watch(store.begin, CAGE, NOW + timedelta(hours=5))
    dismiss(store.begin, of_canary, NOW + timedelta(hours=6))
    dismiss(store.begin, of_canary, NOW + timedelta(hours=7))

    assert store.standing_canary_alarm() is None
    assert store.counts().open_deliveries == 2
