"""Reports without a token are set aside unread where one is due; people's mail and our own answers never are."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bounced import Mail, Purpose, ReturnPaths
from bounced.config import Config, Signing, parse
from bounced.daemon import wiring
from bounced.daemon.judging import Judges, Notes
from bounced.model import Disposition, Place, RawMessage
from bounced.pipeline import handle
from bounced.screening import Screening
from tests.test_sent import ANN, SIGNING, bounce

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FORGED = "b+1k1.aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb@returns.example.net"
BARE = "bounces@returns.example.net"


def raw(content: bytes, uid: int = 1) -> RawMessage:
    return RawMessage(Place("returns", "INBOX", 1, uid), content, len(content), NOW)


def screening(**more: object) -> Screening:
    return Screening(Signing.model_validate(SIGNING | {"require": True} | more))


def path(purpose: Purpose = Purpose.BOUNCE, ago: int = 0) -> str:
    return ReturnPaths(Signing.model_validate(SIGNING), lambda: NOW - timedelta(days=ago)).sign(Mail(ANN), purpose)


@pytest.mark.parametrize("to", [FORGED, BARE, FORGED.upper(), f"<{BARE}>"])
def test_no_token_of_ours_is_set_aside(to: str) -> None:
    assert screening().why_aside(raw(bounce(to, ANN)), NOW) == "it bears no token of ours, and one is required"


@pytest.mark.parametrize("to", [path(), path().upper(), path(ago=90), path(Purpose.FBL), "ann@elsewhere.example"])
def test_what_we_made_and_what_came_elsewhere_is_read(to: str) -> None:
    """Also an expired token, and one for another purpose: reading says what that is worth, and shows it."""
    assert screening().why_aside(raw(bounce(to, ANN)), NOW) is None


def test_a_persons_mail_is_never_set_aside() -> None:
    mail = f"From: Ann <{ANN}>\nTo: {BARE}\nDelivered-To: {BARE}\nSubject: Lunch?\n\nAt noon?\n".encode()

    assert screening().why_aside(raw(mail), NOW) is None


def test_a_folded_recipient_is_read() -> None:
    content = bounce(path(), ANN).replace(b"Delivered-To: ", b"Delivered-To:\r\n ").replace(b"\nTo: ", b"\nX-To: ")

    assert screening().why_aside(raw(content), NOW) is None


@pytest.mark.parametrize("noise", [b"", b"\0" * 50_000, b"to:" * 30_000, b"\n\n", b"From: \xff@[", b"To: <" * 9_000])
def test_any_octets_are_borne(noise: bytes) -> None:
    screen = screening()
    for content in (noise, b"Return-Path: <>\n" + noise):
        assert screen.why_aside(raw(content), NOW) is None


def test_of_one_source_only_so_many_are_read() -> None:
    """Where not all mail is signed: the host that connected counts, and its hour ends."""
    screen = screening(require=False, unsigned_per_source=3)

    def asides(host: str, at: datetime, amount: int = 5) -> int:
        mail = raw(b"Received: from mx.example (mx.example [%s])\n\tby us\n" % host.encode() + bounce(BARE, ANN))
        return sum(screen.why_aside(mail, at) is not None for _ in range(amount))

    assert asides("192.0.2.1", NOW) == 2
    assert asides("2001:db8::1", NOW) == 2
    assert asides("192.0.2.1", NOW) == 5
    assert asides("192.0.2.1", NOW + timedelta(minutes=61)) == 2
    assert screening(require=False, unsigned_per_source=None).why_aside(raw(bounce(BARE, ANN)), NOW) is None


def test_signed_mail_is_urgent() -> None:
    screen = screening()

    assert screen.urgent([path().upper()], NOW)
    assert not screen.urgent([FORGED, BARE], NOW)
    assert not screen.urgent([ANN], NOW)
    assert not screen.urgent([], NOW)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    signing = SIGNING | {"require": True}
    settings = {"database": {"url": f"sqlite:///{tmp_path}/b.db"}, "correlation": {"signing": signing}}
    return parse(settings | {"limits": {"workers": 1}}, {})


def test_a_batch_is_told_apart_in_order(config: Config) -> None:
    """Only the signed report is in the ledger of events; the forged ones are counted with their reason."""
    with closing(wiring.store(config)) as store, closing(Judges(config)) as judges:
        store.upgrade()
        stages = Notes(judges, wiring.stages(config, store)).stages
        to = [FORGED, path(), BARE, FORGED]
        outcomes = handle([raw(bounce(one, ANN), n) for n, one in enumerate(to, 1)], stages, NOW)
        events = list(store.events())

    ended = {o.place.uid: o.disposition for o in outcomes}
    assert ended == {1: Disposition.BACKSCATTER, 2: Disposition.PROCESSED, 3: Disposition.BACKSCATTER,
                     4: Disposition.BACKSCATTER}  # fmt: skip
    assert {o.detail for o in outcomes if o.place.uid != 2} == {"it bears no token of ours, and one is required"}
    assert [(e.address, e.trust) for e in events] == [(ANN, "signed")]
