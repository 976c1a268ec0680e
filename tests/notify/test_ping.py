"""What a person is told who tests an endpoint."""

import socket
from datetime import datetime
from pathlib import Path

import pytest

from bounced.config import Webhook
from bounced.notify import ping
from tests.notify.receiver import OTHER, SECRET, Behaviour, Receiver, answer, free_port, hang
from tests.servers.certificates import Authority


def test_an_endpoint_that_takes_it(now: datetime) -> None:
    with Receiver() as receiver:
        result = ping(receiver.webhook(), now)
    (got,) = receiver.got
    assert result.ok
    assert result.says.startswith("test: took the test, answered 204 after ")
    assert (got.verified, got.id) == (True, result.webhook_id)
    assert got.json["type"] == "webhook.test"
    assert got.json["data"]["endpoint"] == "test"


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (
            answer(401, b"no signature matches"),
            'test: answered 401 Unauthorized, saying "no signature matches"; does it verify with the same secret?',
        ),
        (answer(500), "test: answered 500 Internal Server Error"),
        (
            answer(307, Location="/else"),
            "test: answered 307: redirects to /else, which is not followed; write that into url",
        ),
        (hang, "test: no complete answer within 0.5 s"),
    ],
    ids=["401", "500", "redirect", "hang"],
)
def test_an_endpoint_that_does_not(behaviour: Behaviour, words: str, now: datetime) -> None:
    with Receiver(behaviour) as receiver:
        result = ping(receiver.webhook(timeout=0.5), now)
    assert (result.ok, result.says) == (False, words)
    assert len(receiver.got) == 1


def test_a_host_that_does_not_listen_is_named(now: datetime) -> None:
    url = f"http://localhost:{free_port()}/"
    hook = Webhook.model_validate({"name": "a", "url": url, "secret": SECRET, "allow_private_address": True})
    result = ping(hook, now)
    assert (result.ok, result.says) == (
        False,
        "a: localhost: the connection was refused; does it listen on that port?",
    )


def test_an_expired_certificate_is_named(now: datetime, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with Receiver().tls(authority.issue("expired")) as receiver:
        result = ping(receiver.webhook(ca_file=authority.ca_file), now)
    assert result.says == "test: localhost: the certificate is not accepted: certificate has expired"


def test_a_port_that_speaks_no_tls_is_named(now: datetime) -> None:
    with Receiver() as receiver:
        result = ping(receiver.webhook(url=f"https://localhost:{receiver.port}/"), now)
    assert result.says == "test: localhost: no TLS with it: WRONG_VERSION_NUMBER"


def test_a_setting_that_cannot_be_used_is_named(now: datetime) -> None:
    hook = Webhook.model_validate({"name": "a", "url": "https://a.example/", "secret": "whsec_x"})
    result = ping(hook, now)
    assert (result.ok, result.says) == (False, "webhook a: secret: what follows whsec_ is not base64")


def test_a_receiver_with_another_secret_does_not_verify(now: datetime) -> None:
    """The counter-proof: verifying in these tests is not for nothing."""
    with Receiver(secret=OTHER) as receiver:
        ping(receiver.webhook(), now)
    assert [got.verified for got in receiver.got] == [False]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"])
def test_no_spelling_of_loopback_gets_through(host: str, now: datetime, tmp_path: Path) -> None:
    with Receiver().tls(Authority(tmp_path).issue("good")) as receiver:
        url = f"https://{host}:{receiver.port}/"
        result = ping(receiver.webhook(url=url, allow_private_address=False), now)
    assert "which is not on the public internet" in result.says
    assert receiver.got == []


def test_a_name_is_resolved_once_and_its_answer_is_kept(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads elsewhere when asked again is not asked again; the receiver still sees the name."""
    asked: list[object] = []

    def resolver(host: object, port: int, *_args: object, **_named: object) -> list[object]:
        asked.append(host)
        assert asked.count("flip.example") == 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    with Receiver() as receiver:
        result = ping(receiver.webhook(url=f"http://flip.example:{receiver.port}/hook"), now)
    assert result.ok
    assert receiver.got[0].headers["host"] == f"flip.example:{receiver.port}"
    assert asked.count("flip.example") == 1


def test_the_next_address_is_tried_where_the_first_does_not_answer(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolver(_host: object, port: int, *_args: object, **_named: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ("127.99.0.1", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    with Receiver() as receiver:
        assert ping(receiver.webhook(url=f"http://two.example:{receiver.port}/hook"), now).ok
