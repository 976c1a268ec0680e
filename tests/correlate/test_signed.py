"""Signed return paths: what is minted comes back, from every place, through gateways, over rotation and expiry."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounced import config
from bounced.correlate import Correlator, Flaw, Mail, Purpose, Records, References, Sent, decode, sign, stamp, verify
from bounced.correlate.carriers import carried
from bounced.errors import ConfigError
from bounced.model import Envelope, Finding, Kind, Original, Report, Tags, Trust

from .conftest import NOW
from .forge import (
    ANN,
    BOB,
    CORRELATOR,
    MAIL,
    SETTINGS,
    SIGNER,
    SIGNING,
    TAGS,
    bounce,
    complaint,
    identify,
    signer,
    verdict,
)

PATH = sign(SIGNER, MAIL, NOW)
STAMP = stamp(SIGNER, replace(MAIL, message_id=None), NOW, unsubscribe="https://shop.example/u/1")
LOCAL = st.from_regex(r"[a-z0-9]([a-z0-9._+-]{0,40}[a-z0-9])?", fullmatch=True).filter(lambda s: ".." not in s)


@settings(deadline=None)
@given(local=LOCAL, campaign=st.text(max_size=300), listed=st.text(max_size=60), days=st.integers(0, 30))
def test_what_is_signed_verifies_for_its_recipient_only(local: str, campaign: str, listed: str, days: int) -> None:
    """For 30 days, in any case, at most 64 octets, without the address in it; tags that fit come back."""
    address = f"{local}@example.com"
    path = sign(SIGNER, Mail(address, Tags(campaign, listed)), NOW)
    checked = verify(SIGNER, path.upper(), NOW + timedelta(days=days))

    assert checked is not None and checked.good
    assert checked.speaks_for(address)
    assert not checked.speaks_for("x" + address)
    assert len(path.rpartition("@")[0].encode()) <= 64
    assert path == path.lower() and "=" not in path
    assert path.isascii() and "example.com" not in path
    assert len(local) < 8 or local not in path


@settings(deadline=None)
@given(position=st.integers(0, 200), letter=st.sampled_from("abcdefghijklmnopqrstuvwxyz234567.-+1"))
def test_no_changed_character_verifies(position: int, letter: str) -> None:
    """Each one is covered; what is left of it is no token, or a forged one."""
    token = SIGNER.sign(MAIL, Purpose.BOUNCE, NOW)
    at = position % len(token)
    changed = token[:at] + letter + token[at + 1 :]
    checked = SIGNER.verify(changed, Purpose.BOUNCE, NOW)

    assert changed == token or checked is None or not checked.good


@settings(deadline=None)
@given(position=st.integers(0, 400), letter=st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_no_changed_character_unseals(position: int, letter: str) -> None:
    """Nor any spelling with loose bits at the end."""
    token = SIGNER.seal(MAIL, Purpose.FBL, NOW)
    at = position % len(token)
    changed = token[:at] + letter + token[at + 1 :]
    checked = SIGNER.verify(changed, Purpose.FBL, NOW)

    assert changed == token or checked is None or not checked.good


@pytest.mark.parametrize("local", ["a", "ab", "abc", "abcd", "abcde"])
def test_a_seal_has_one_spelling(local: str) -> None:
    """The bits that base32 leaves over at its end, for every length, are no way to spell it anew."""
    token = SIGNER.seal(Mail(f"{local}@x.example"), Purpose.BOUNCE, NOW)
    others = (token[:-1] + letter for letter in "abcdefghijklmnopqrstuvwxyz234567" if letter != token[-1])

    assert not any(checked and checked.good for checked in (SIGNER.verify(o, Purpose.BOUNCE, NOW) for o in others))


@pytest.mark.parametrize(("days", "good"), [(0, True), (29, True), (30, True), (31, False), (400, False)])
def test_a_token_is_good_to_the_end_of_its_last_day(days: int, good: bool) -> None:
    """30 days after the one it was made on, in UTC."""
    end_of_day = NOW.replace(hour=23, minute=59) + timedelta(days=days)
    checked = verify(SIGNER, PATH, end_of_day)

    assert checked is not None and checked.good is good
    assert checked.flaw is (None if good else Flaw.EXPIRED)


def test_no_more_than_twenty_tokens_are_looked_at() -> None:
    """However many a stranger writes."""
    forged = tuple(f"b+1k2.{letter * 20}.{other * 16}@x.example" for letter in "abcdefgh" for other in "abcdefgh")

    assert len(carried(bounce(ANN, to=forged), SIGNER, NOW)) == 20


@settings(deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
def test_no_text_is_a_token_by_chance(value: str) -> None:
    """Nor makes anything raise."""
    for text in (value, f"b+1k2.{value}.abcdefghijklmnop@bounces.shop.example"):
        checked = SIGNER.verify(text, Purpose.BOUNCE, NOW)
        assert checked is None or not checked.good
        decode(text, SIGNER, NOW)


@pytest.mark.parametrize(
    "report",
    [
        bounce(ANN, to=PATH),
        bounce(ANN, to=("postmaster@shop.example", PATH.upper())),
        bounce(ANN, to=f"<{PATH}>"),
        bounce(ANN, to=f"prvs=1234abcdef={PATH}"),
        bounce(ANN, to="SRS0=AbCd=TT=bounces.shop.example=" + PATH.partition("@")[0] + "@forwarder.example"),
        bounce(ANN, to=PATH.replace("+", "=2B")),
        bounce(ANN, original=(("Return-Path", f"<{PATH}>"),)),
        bounce(ANN, original=(("x-bounced-ref", STAMP.headers["X-Bounced-Ref"]),)),
        bounce(ANN, original=(("Message-ID", STAMP.headers["Message-ID"]),)),
        bounce(ANN, envid=STAMP.envid),
        bounce(ANN, to=("b+1k2.aaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaa@bounces.shop.example", PATH)),
        Report(Kind.BOUNCE, "x", (Finding(ANN),), envelope=Envelope(in_reply_to=(STAMP.headers["Message-ID"],))),
        complaint(None, ("To", ANN), mail_from=PATH),
        complaint(ANN, ("CFBL-Feedback-ID", STAMP.headers["CFBL-Feedback-ID"])),
        complaint(ANN, ("List-Unsubscribe", STAMP.headers["List-Unsubscribe"])),
        complaint(ANN, to=(STAMP.headers["CFBL-Address"].partition(";")[0],)),
        Report(
            Kind.UNSUBSCRIBE,
            "any",
            (Finding(None),),
            envelope=Envelope(from_=ANN, delivered_to=(sign(SIGNER, MAIL, NOW, Purpose.UNSUB),)),
        ),
    ],
)
def test_whichever_piece_survives_is_enough(report: Report) -> None:
    """Each place alone signs the report, with the tags, though no original names any."""
    identity = identify(report)

    assert (identity.trust, identity.recipient) == (Trust.SIGNED, ANN)
    assert (identity.tags.campaign, identity.tags.list) == ("spring", "news")
    assert "token in" in identity.source
    assert "key k2" in identity.why


def test_every_piece_of_a_mail_is_one_token_for_the_count_of_hard_verdicts() -> None:
    """Another piece of the same mail is the same evidence."""
    short = identify(bounce(ANN, to=STAMP.return_path))
    sealed = identify(bounce(ANN, original=(("X-Bounced-Ref", STAMP.headers["X-Bounced-Ref"]),)))
    other = identify(bounce(ANN, to=sign(SIGNER, replace(MAIL, message_id="2@shop.example"), NOW)))

    assert short.token == sealed.token != other.token


def test_a_sealed_reference_gives_back_whom_a_feedback_loop_hides() -> None:
    """Redacted everywhere, no record kept: the header alone names recipient and tags."""
    headers = (("To", "redacted@x.example"), ("X-Bounced-Ref", STAMP.headers["X-Bounced-Ref"]))
    identity = identify(complaint("redacted@x.example", *headers))

    assert (identity.recipient, identity.trust) == (ANN, Trust.SIGNED)
    assert identity.tags == TAGS


def test_a_failure_behind_a_forwarder_belongs_to_whom_the_token_names() -> None:
    """By To of the original, or by the seal; the address behind stays apart."""
    for original in ((("To", f"Ann <{ANN}>"),), (("X-Bounced-Ref", STAMP.headers["X-Bounced-Ref"]),)):
        identity = identify(bounce(BOB, to=PATH, original=original))
        assert (identity.recipient, identity.final_recipient, identity.trust) == (ANN, BOB, Trust.SIGNED)


def test_keys_rotate_without_loss() -> None:
    """The first key signs; one on its way out verifies until its day; one past it does not, and says so."""
    old = signer(keys=[{"id": "k1", "secret": "p" * 16 + "-old-secret"}])
    path = sign(old, MAIL, NOW)

    assert ".".join(PATH.split(".")[:1]).startswith("b+1k2")
    assert identify(bounce(ANN, to=path)).trust is Trust.SIGNED
    late = CORRELATOR.correlate(bounce(ANN, to=path), verdict(Finding(ANN)), NOW + timedelta(days=11))
    assert late.trust is Trust.CLAIMED
    assert str(Flaw.KEY_RETIRED) in late.why


def test_a_token_by_reference_needs_its_record() -> None:
    """The record names recipient and tags; without it the token proves nothing."""
    path = SIGNER.return_path(SIGNER.sign_reference("mfrggzdf", Purpose.BOUNCE, NOW))
    report = bounce(ANN, to=path, envid="order-7")

    assert CORRELATOR.references(report, NOW) == References(("mfrggzdf", "order-7"), recipients=(ANN,))
    unknown = identify(report)
    assert (unknown.trust, unknown.recipient) == (Trust.CLAIMED, ANN)
    assert "a record that is not known" in unknown.why
    records = Records({"mfrggzdf": Sent("mfrggzdf", ANN, None, TAGS)})
    known = CORRELATOR.correlate(report, verdict(report.findings[0]), NOW, records)
    assert (known.trust, known.recipient, known.tags) == (Trust.SIGNED, ANN, TAGS)
    stranger = CORRELATOR.correlate(bounce(BOB, "c@z.example", to=path), verdict(Finding(BOB)), NOW, records)
    assert (stranger.trust, stranger.recipient) == (Trust.CLAIMED, None)


@pytest.mark.parametrize(
    ("recipient", "sent", "trust"),
    [
        (ANN, (Sent("1", ANN, tags=TAGS),), Trust.MATCHED),
        ("redacted@x.example", (Sent("1", ANN, tags=TAGS),), Trust.MATCHED),
        (ANN, (Sent("1", BOB), Sent("2", ANN)), Trust.MATCHED),
        ("redacted@x.example", (Sent("1", BOB), Sent("2", ANN)), Trust.CLAIMED),
        (ANN, (), Trust.CLAIMED),
    ],
)
def test_a_known_message_id_with_its_recipient_is_a_match(recipient: str, sent: tuple[Sent, ...], trust: Trust) -> None:
    """From the operator's records, handed in; a redacted complaint is recovered by the lone recipient."""
    report = complaint(recipient, ("Message-ID", "<7@shop.example>"))
    records = Records(by_message_id={"7@shop.example": sent})
    identity = CORRELATOR.correlate(report, verdict(report.findings[0]), NOW, records)

    assert identity.trust is trust
    assert identity.recipient == (ANN if trust is Trust.MATCHED or recipient == ANN else None)


def test_tags_too_long_for_a_return_path_are_named_by_the_configuration() -> None:
    """The token bears a mark, `campaigns` its meaning; the sealed header bears them whole."""
    tags = Tags("A long name for the campaign of this spring", "All customers", ("offers", "shoes"), "marketing")
    campaign = {"campaign": tags.campaign, "list": tags.list, "categories": tags.categories, "stream": tags.stream}
    settings = SETTINGS.model_copy(
        update={"signing": config.Signing.model_validate({**SIGNING, "campaigns": [campaign]})}
    )
    knowing = Correlator(settings)
    mail = Mail(ANN, tags)

    assert identify(bounce(ANN, to=sign(SIGNER, mail, NOW)), correlator=knowing).tags == tags
    assert identify(bounce(ANN, to=sign(SIGNER, mail, NOW))).tags.campaign == "Transactional campaign"
    header = (("X-Bounced-Ref", SIGNER.seal(mail, Purpose.BOUNCE, NOW)),)
    assert identify(bounce(ANN, original=header)).tags == tags


def test_a_seal_stays_short_whatever_the_tags() -> None:
    """The longest recipient comes back; tags beyond the limit leave a mark, which the configuration may know."""
    recipient = "a" * 64 + "@" + ".".join(["d" * 60] * 3) + ".ex"
    tags = Tags("é" * 128, "ü" * 128, tuple(f"{i}" + "ö" * 100 for i in range(10)))
    sealed = SIGNER.seal(Mail(recipient, tags), Purpose.BOUNCE, NOW)
    identity = identify(bounce(recipient, original=(("X-Bounced-Ref", sealed),)))

    assert len(sealed) <= 700
    assert (identity.trust, identity.recipient) == (Trust.SIGNED, recipient)
    assert identity.tags.campaign == "Transactional campaign"


@pytest.mark.parametrize("blank", [" ", "\t", "\r\n "])
def test_a_reference_broken_by_a_gateway_still_counts(blank: str) -> None:
    """Folded in the middle of the word."""
    sealed = STAMP.headers["X-Bounced-Ref"]
    identity = identify(bounce(ANN, original=(("X-Bounced-Ref", sealed[:40] + blank + sealed[40:]),)))

    assert identity.trust is Trust.SIGNED


def test_a_signed_tag_outranks_a_header() -> None:
    """Headers fill only what the token does not say."""
    original = (("campaign_guid", "forged"), ("X-PM-Tag", "welcome"))
    identity = identify(bounce(ANN, to=PATH, original=original))

    assert identity.tags == Tags("spring", "news", ("welcome",))


def test_the_stamp_says_all_that_a_mail_carries() -> None:
    """Return path, ENVID within 100 characters, headers of one line within 998 octets, no readable address."""
    names = {"X-Bounced-Ref", "List-Unsubscribe", "CFBL-Address", "CFBL-Feedback-ID"}
    assert set(STAMP.headers) == names | {"List-Unsubscribe-Post", "Message-ID"}
    assert set(stamp(SIGNER, MAIL, NOW).headers) == names
    assert stamp(SIGNER, Mail(ANN), NOW).headers["Message-ID"] != stamp(SIGNER, Mail(ANN), NOW).headers["Message-ID"]
    assert len(STAMP.envid) <= 100
    for name, value in STAMP.headers.items():
        assert value.isprintable() and value.isascii() and len(name) + len(value) < 998
        assert "ann" not in value.replace("@", "").partition("2k2.")[0]
    assert STAMP.headers["List-Unsubscribe"].startswith("<https://shop.example/u/1>, <mailto:b+1k2.")
    with pytest.raises(ValueError, match="URL"):
        stamp(SIGNER, MAIL, NOW, unsubscribe="https://shop.example/>\r\nBcc: x")


@pytest.mark.parametrize("recipient", ["", "no address", "a@b@", "\r\n@x.example", "a" * 65 + "@x.example"])
def test_nobody_is_no_recipient(recipient: str) -> None:
    """Minting wants a mail address."""
    with pytest.raises(ValueError, match="address"):
        sign(SIGNER, Mail(recipient), NOW)


@pytest.mark.parametrize("record", ["", "UPPER234", "a=b", "mfrgg" * 8, "1890"])
def test_a_record_id_is_short_base32(record: str) -> None:
    """What could not come back the same is refused."""
    with pytest.raises(ValueError, match="record id"):
        SIGNER.sign_reference(record, Purpose.BOUNCE, NOW)


def test_without_a_valid_key_nothing_is_minted() -> None:
    """It says so, rather than sign with a key that is over."""
    retired = signer(keys=[{"id": "k0", "secret": "p" * 16, "not_after": "2026-01-01T00:00:00Z"}])
    with pytest.raises(ValueError, match="no signing key"):
        sign(retired, MAIL, NOW)


def test_a_short_secret_stops_the_start() -> None:
    """Naming the setting, not the secret."""
    with pytest.raises(ConfigError, match=r"keys\[0\]\.secret: want 16") as raised:
        signer(keys=[{"id": "a", "secret": "hunter2"}])
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"keys": [{"id": "a", "secret": "x"}, {"id": "a", "secret": "y"}]}, "keys"),
        ({"keys": [{"id": "a", "secret": "x"}], "domains": []}, "domains"),
        ({"keys": [{"id": "abcd", "secret": "x"}], "prefix": "bounces-long"}, "prefix"),
        ({"keys": [{"id": "A.", "secret": "x"}]}, "id"),
        ({"keys": [{"id": "a", "secret": "x", "not_after": "2026-01-01T00:00:00"}]}, "not_after"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(changes: dict[str, object], path: str) -> None:
    """Before anything is signed with it."""
    with pytest.raises(ConfigError, match=path):
        config.parse({"correlation": {"signing": {**SIGNING, **changes}}})


@pytest.mark.parametrize(("prefix", "key"), [("b", "k"), ("bounces", "k12"), ("b", "abcd"), ("bouncesback", "abcd")])
@pytest.mark.parametrize("campaign", ["", "spring", "é" * 9, "a very long campaign name that does not fit there"])
def test_64_octets_are_kept_with_every_prefix(prefix: str, key: str, campaign: str) -> None:
    """And a token of exactly 64 octets verifies."""
    made = signer(keys=[{"id": key, "secret": "s" * 16}], prefix=prefix)
    path = sign(made, Mail("a" * 64 + "@" + "d" * 60 + ".example", Tags(campaign), "m@x"), NOW)
    checked = verify(made, path, NOW)

    assert len(path.rpartition("@")[0]) <= 64
    assert checked is not None and checked.good


def test_backscatter_is_told_by_the_envelope_alone(now: datetime) -> None:
    """A joe-job bears no token, or a made-up one; our own mail does, also when it comes late."""
    made_up = "b+1k2.aaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaa@bounces.shop.example"
    assert SIGNER.is_backscatter(["b@bounces.shop.example"], now)
    assert SIGNER.is_backscatter([made_up], now)
    assert not SIGNER.is_backscatter([made_up, PATH], now)
    assert not SIGNER.is_backscatter([PATH], now + timedelta(days=90))
    assert not SIGNER.is_backscatter(["anyone@shop.example"], now)
    assert not SIGNER.is_backscatter([], now)


def test_decode_tells_ours_from_others() -> None:
    """With the purpose it was made for; a forged one is still seen as one of ours."""
    ours = decode(sign(SIGNER, MAIL, NOW, Purpose.UNSUB), SIGNER, NOW)
    forged = decode("b+1k2.aaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaa@bounces.shop.example", SIGNER, NOW)
    foreign = decode("list+ann=x.example@origin.example", SIGNER, NOW)

    assert ours.purpose is Purpose.UNSUB and ours.ours is not None and ours.ours.speaks_for(ANN)
    assert forged.purpose is None and forged.ours is not None and forged.ours.flaw is Flaw.FORGED
    assert foreign.ours is None and foreign.foreign is not None and foreign.foreign.recipient == ANN
    assert decode(PATH, None, NOW).foreign is None
    assert Original() == Original(())
