"""Socketmap and policy service at the socket: right answers to right questions, and no harm from wrong ones."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounced.config import Lookups, parse
from bounced.errors import ConfigError, StoreDown
from bounced.model import Suppression
from bounced.serve.lookups import Gate, Listeners, listening, refusal
from bounced.serve.lookups.gate import Found, whole_address
from bounced.serve.lookups.policy import Policy
from bounced.serve.lookups.socketmap import Socketmap, netstring
from bounced.serve.lookups.talk import Malformed

SINCE = datetime(2026, 11, 21, 10, tzinfo=UTC)


def entry(
    address: str, scope: str = "*", reason: str = "mailbox_unknown", until: datetime | None = None
) -> Suppression:
    return Suppression(address, scope, "hard", reason, SINCE, until, None, "")


class Table:
    """What would be in the database; `down` while it is not there."""

    def __init__(self) -> None:
        self.down = False
        self.counted: list[tuple[str, str]] = []
        self.entries = {("dead@x.example", "*"), ("left@x.example", "news")}

    def ask(self, address: str, scope: str) -> Suppression | None:
        if self.down:
            raise StoreDown("the disk is full")
        return next((entry(a, s) for a, s in self.entries if a == address and s in ("*", scope)), None)

    def count(self, service: str, found: Found) -> None:
        self.counted.append((service, found.value))


@pytest.fixture
def table() -> Table:
    return Table()


Open = Callable[..., Listeners]


@pytest.fixture
def listen(table: Table) -> Iterator[Open]:
    """Return what opens look-ups with these settings; all are closed at the end."""
    opened: list[Listeners] = []

    def open_(**settings: object) -> Listeners:
        opened.append(Listeners(parse({"lookups": settings}).lookups, table.ask, table.count))
        opened[-1].start()
        return opened[-1]

    yield open_
    for listeners in opened:
        listeners.stop()


def connect(listeners: Listeners, number: int = 0) -> socket.socket:
    kind, _, where = listeners.addresses[number].partition(":")
    if kind == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(where)
        return connection
    host, _, port = where.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), 5)


def asked(connection: socket.socket, request: str) -> str:
    """Send one request of the socketmap and return the reply."""
    connection.sendall(netstring(request))
    length = b""
    while (octet := connection.recv(1)) != b":":
        length += octet
    reply = connection.recv(int(length) + 1, socket.MSG_WAITALL)
    assert reply.endswith(b",")
    return reply[:-1].decode()


MAPS = [{"name": "suppressed"}, {"name": "newsletter", "scope": "news"}]
REFUSED = "OK REJECT 5.1.1 on the suppression list since 2026-11-21: mailbox_unknown"


@pytest.mark.parametrize("where", ["127.0.0.1:0", "[::1]:0", "unix:{}/lookup"])
def test_a_suppressed_address_is_refused_and_nothing_else(
    listen: Open, table: Table, tmp_path: Path, where: str
) -> None:
    """Postfix asks for parts of the address too; spellings of one address are one."""
    with closing(connect(listen(socketmap=[where.format(tmp_path)], maps=MAPS))) as connection:
        for key in ("dead@x.example", "DEAD@X.Example", "dead@x.example."):
            assert asked(connection, f"suppressed {key}") == REFUSED
        for key in (
            "well@x.example",
            "x.example",
            "example",
            "dead@",
            "@x.example",
            "",
            "left@x.example",
            "a b",
            "ü@x",
        ):
            assert asked(connection, f"suppressed {key}") == "NOTFOUND "
        assert asked(connection, "newsletter left@x.example") == REFUSED
        assert asked(connection, "newsletter dead@x.example") == REFUSED
    assert table.counted[:1] == [("socketmap", "suppressed")]


def test_a_map_that_is_not_configured_is_an_error(listen: Open) -> None:
    """Not "not found": a mistyped name must not let everybody pass."""
    with closing(connect(listen(socketmap=["127.0.0.1:0"]))) as connection:
        assert asked(connection, "supressed dead@x.example").startswith("PERM ")
        assert asked(connection, "suppressed").startswith("PERM ")


@pytest.mark.parametrize(("fail", "reply"), [("closed", "TEMP the suppression list"), ("open", "NOTFOUND ")])
def test_without_the_database_it_says_later_or_what_the_operator_chose(
    listen: Open, table: Table, fail: str, reply: str
) -> None:
    """And answers again when the database does."""
    with closing(connect(listen(socketmap=["127.0.0.1:0"], fail=fail))) as connection:
        table.down = True
        assert asked(connection, "suppressed dead@x.example").startswith(reply)
        assert asked(connection, "suppressed x.example") == "NOTFOUND "
        table.down = False
        assert asked(connection, "suppressed dead@x.example") == REFUSED


def delegated(connection: socket.socket, **attributes: str) -> str:
    """Send one request of the policy service and return the action."""
    words = {"request": "smtpd_access_policy", "protocol_state": "RCPT", **attributes}
    connection.sendall("".join(f"{k}={v}\n" for k, v in words.items()).encode() + b"\n")
    reply = b""
    while not reply.endswith(b"\n\n"):
        reply += connection.recv(4096)
    return reply.decode().strip().removeprefix("action=")


SENDERS = [
    {"sender": "news@shop.example", "scope": "news"},
    {"sender": "letters.example", "scope": "news"},
    {"sasl_username": "robot", "policy_context": "bulk", "scope": "news"},
]


@pytest.mark.parametrize(
    ("mail", "refused"),
    [
        ({"sender": "news@shop.example"}, True),
        ({"sender": "News+1k1.abc@shop.example"}, True),
        ({"sender": "orders@shop.example"}, False),
        ({"sender": "anyone@letters.example"}, True),
        ({"sender": "anyone@other.letters.example"}, False),
        ({"sasl_username": "robot", "policy_context": "bulk"}, True),
        ({"sasl_username": "robot"}, False),
        ({"sender": ""}, False),
    ],
)
def test_the_sender_decides_in_which_scope_is_asked(listen: Open, mail: dict[str, str], refused: bool) -> None:
    """What is suppressed everywhere is refused to all."""
    with closing(connect(listen(policy=["127.0.0.1:0"], senders=SENDERS))) as connection:
        answer = delegated(connection, recipient="left@x.example", **mail)
        assert answer == (REFUSED.removeprefix("OK ") if refused else "DUNNO")
        assert delegated(connection, recipient="dead@x.example", **mail).startswith("REJECT 5.1.1 ")
        assert delegated(connection, recipient="", **mail) == "DUNNO"


@pytest.mark.parametrize(("fail", "action"), [("closed", "DEFER_IF_PERMIT 4.3.0 "), ("open", "DUNNO")])
def test_the_policy_service_too_fails_as_chosen(listen: Open, table: Table, fail: str, action: str) -> None:
    table.down = True
    with closing(connect(listen(policy=["127.0.0.1:0"], fail=fail))) as connection:
        assert delegated(connection, recipient="dead@x.example").startswith(action)


HOSTILE = [b"x", b"99999999999:", b"10001:", b"01:a,", b"-1:", b":,", b"5:abcdefg", b"GET / HTTP/1.0\r\n\r\n"]


@pytest.mark.parametrize("octets", HOSTILE)
def test_what_is_no_netstring_ends_the_connection_and_nothing_else(listen: Open, octets: bytes) -> None:
    listeners = listen(socketmap=["127.0.0.1:0"])
    with closing(connect(listeners)) as bad, closing(connect(listeners)) as good:
        bad.sendall(octets)
        assert bad.recv(100) == b""
        assert asked(good, "suppressed dead@x.example") == REFUSED


@pytest.mark.parametrize("octets", [b"hello\n\n", b"a=b\n\n", b"request=smtpd_access_policy\n" + b"a=" + b"x" * 70_000])
def test_what_is_no_policy_request_ends_the_connection(listen: Open, octets: bytes) -> None:
    with closing(connect(listen(policy=["127.0.0.1:0"]))) as connection:
        connection.sendall(octets)
        with suppress(ConnectionResetError):  # closed with octets of ours unread
            assert connection.recv(100) == b""


def test_too_many_connections_are_closed_at_once(listen: Open) -> None:
    """And there is room again when one of them goes."""
    listeners = listen(socketmap=["127.0.0.1:0"], connections=2)
    with closing(connect(listeners)) as one, closing(connect(listeners)) as two:
        assert asked(one, "suppressed a@b.example") == asked(two, "suppressed a@b.example")
        with closing(connect(listeners)) as third:
            assert third.recv(10) == b""
    for _ in range(100):
        with closing(connect(listeners)) as later, suppress(ConnectionError):
            later.sendall(netstring("suppressed dead@x.example"))
            if later.recv(100):
                return
    pytest.fail("no room again")


def test_a_socket_left_behind_is_taken_over_and_one_in_use_is_not(listen: Open, tmp_path: Path) -> None:
    path = tmp_path / "lookup"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    listeners = listen(socketmap=[f"unix:{path}"])
    with closing(connect(listeners)) as connection:
        assert asked(connection, "suppressed dead@x.example") == REFUSED

    with pytest.raises(ConfigError, match=r"lookups\.socketmap: cannot listen on unix:"):
        listen(socketmap=[f"unix:{path}"])


@pytest.mark.parametrize(
    "where", ["0.0.0.0:10031", "192.0.2.1:10031", "mail.example:10031", "127.0.0.1", "127.0.0.1:x", "unix:relative"]
)
def test_only_this_machine_may_ask(where: str) -> None:
    with pytest.raises(ConfigError, match=r"lookups\.socketmap"):
        parse({"lookups": {"socketmap": [where]}})


@pytest.mark.parametrize(
    ("reason", "status"),
    [("mailbox_unknown", "5.1.1"), ("domain_missing", "5.1.2"), ("mailbox_full", "5.2.2"), ("abuse", "5.7.1")],
)
def test_the_status_says_what_the_table_knows(reason: str, status: str) -> None:
    assert refusal(entry("a@b.example", reason=reason)).startswith(f"{status} ")


@given(st.text(max_size=80))
def test_no_reason_breaks_out_of_the_answer(reason: str) -> None:
    """An import may bring any words; the answer stays one line of printable ASCII."""
    text = refusal(entry("a@b.example", reason=reason, until=SINCE))
    assert text.isascii()
    assert text.isprintable()
    assert "until 2026-11-21" in text


def test_an_unquoted_local_part_with_spaces_is_the_quoted_one() -> None:
    """Postfix asks in the internal form of RFC 5321."""
    assert whole_address(b"ann lee@x.example") == '"ann lee"@x.example'


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_no_octets_make_a_protocol_raise_anything_else(chunks: list[bytes]) -> None:
    table = Table()
    gate = Gate(table.ask)
    for talk in (
        Socketmap(gate, {b"m": "*"}, lambda found: table.count("socketmap", found)),
        Policy(gate, [], lambda found: table.count("policy", found)),
    ):
        try:
            for chunk in chunks:
                assert isinstance(talk.feed(chunk), bytes)
        except Malformed:
            pass


@given(st.lists(st.sampled_from(["dead@x.example", "well@x.example", "x.example", "ü@x"]), max_size=6), st.data())
def test_however_the_octets_are_cut_the_answers_are_the_same(keys: list[str], data: st.DataObject) -> None:
    """TCP knows no requests."""
    table = Table()
    stream = b"".join(netstring(f"m {key}") for key in keys)
    whole = Socketmap(Gate(table.ask), {b"m": "*"}, lambda _: None).feed(stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    talk = Socketmap(Gate(table.ask), {b"m": "*"}, lambda _: None)

    assert b"".join(talk.feed(stream[a:b]) for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)) == whole
    assert whole.count(b"OK REJECT") == keys.count("dead@x.example")


def test_by_default_nothing_listens(table: Table) -> None:
    assert Listeners(Lookups(), table.ask, table.count).addresses == []


@pytest.mark.parametrize("where", ["127.0.0.1:0", "unix:{folder}/lookups"])
def test_who_stays_silent_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """After its time; who asks meanwhile is answered."""
    monkeypatch.setattr(listening, "_IDLE", 1.0)
    settings = Lookups(socketmap=(where.format(folder=tmp_path),))
    listeners = Listeners(settings, lambda _address, _scope: None, lambda _service, _found: None)
    listeners.start()
    try:
        kind, _, place = listeners.addresses[0].partition(":")
        family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
        with closing(socket.socket(family)) as connection:
            connection.settimeout(10)
            host, _, port = place.rpartition(":")
            connection.connect(place if kind == "unix" else (host, int(port)))
            connection.sendall(b"20:suppressed a@b.examp,")
            assert connection.recv(100) == b"9:NOTFOUND ,"
            assert connection.recv(100) == b""
    finally:
        listeners.stop()
