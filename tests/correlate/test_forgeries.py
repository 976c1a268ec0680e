"""What a stranger can send to a return path: with a key configured none of it is believed, and each says why.

A forger here knows all that is public, and has a genuine token of another mail, Eve's own.
"""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from bounced.correlate import Mail, Purpose, cap, sign, stamp
from bounced.model import Category, Finding, Kind, Original, Report, Tags, Trust

from .conftest import NOW
from .forge import ANN, BOB, EVIL_SECRET, MAIL, SIGNER, TAGS, bounce, complaint, identify, signer, verdict

EVE = "eve@evil.example"
GOOD = sign(SIGNER, MAIL, NOW)
EVES = sign(SIGNER, Mail(EVE, TAGS, "2@shop.example"), NOW)
EVES_STAMP = stamp(SIGNER, Mail(EVE, TAGS), NOW)
STAMP = stamp(SIGNER, MAIL, NOW)
UNSUB = sign(SIGNER, MAIL, NOW, Purpose.UNSUB)
FBL = sign(SIGNER, MAIL, NOW, Purpose.FBL)
OLD = sign(SIGNER, MAIL, NOW - timedelta(days=31))
EVIL = sign(signer(keys=[{"id": "k2", "secret": EVIL_SECRET}]), MAIL, NOW)
UNKNOWN = sign(signer(keys=[{"id": "k9", "secret": EVIL_SECRET}]), MAIL, NOW)
BRAND = sign(signer(domains=["b.brand.example", "bounces.shop.example"]), MAIL, NOW)
RETIRED = sign(signer(keys=[{"id": "k0", "secret": "p" * 16 + "-old-secret"}]), MAIL, NOW)
YAHOO = "mx.shop.example; dkim=pass header.d=arf.mail.yahoo.com"
_EVES_HEAD = EVES.partition("+")[2].partition("@")[0].rpartition(".")[0]
_TOKEN = GOOD.partition("+")[2].partition("@")[0]
_HEAD, _, _MAC = _TOKEN.rpartition(".")


def at(local: str) -> str:
    return f"{local}@bounces.shop.example"


@dataclass(frozen=True)
class Forgery:
    """A report, and a piece of the reason that it must be shown with."""

    story: str
    report: Report
    why: str


FORGERIES = [
    # No token at all.
    Forgery("plain", bounce(ANN), "no token of ours"),
    Forgery(
        "our domain in the Message-ID", bounce(ANN, original=(("Message-ID", "<1@shop.example>"),)), "no token of ours"
    ),
    Forgery(
        "our return path in the original", bounce(ANN, original=(("Return-Path", "<b@shop.example>"),)), "no token"
    ),
    Forgery(
        "Message-ID of a mail we sent, no record",
        bounce(ANN, original=(("Message-ID", f"<{MAIL.message_id}>"),)),
        "no token",
    ),
    Forgery("unsigned VERP", bounce(ANN, to="list+ann=x.example@bounces.shop.example"), "no token of ours"),
    Forgery("an ENVID of ours, guessed", bounce(ANN, envid="order-7"), "no token of ours"),
    # Wrong keys and broken signatures.
    Forgery("wrong key under a known id", bounce(ANN, to=EVIL), "signature is wrong"),
    Forgery("unknown key id", bounce(ANN, to=UNKNOWN), "key is not known"),
    Forgery("retired key", bounce(ANN, to=RETIRED), "no longer valid"),
    Forgery("made-up signature", bounce(ANN, to=at(f"b+{_HEAD}.{'a' * 16}")), "signature is wrong"),
    Forgery(
        "signature of another token",
        bounce(ANN, to=at(f"b+{_HEAD}.{EVES.partition('@')[0][-16:]}")),
        "signature is wrong",
    ),
    Forgery(
        "content of another token",
        bounce(ANN, to=at(f"b+{_EVES_HEAD}.{_MAC}")),
        "signature is wrong",
    ),
    Forgery(
        "last character changed",
        bounce(ANN, to=at(f"b+{_HEAD}.{_MAC[:-1]}{'a' if _MAC[-1] != 'a' else 'b'}")),
        "signature is wrong",
    ),
    Forgery("signature cut", bounce(ANN, to=at(f"b+{_TOKEN[:-1]}")), "no token of ours"),
    Forgery("signature lengthened", bounce(ANN, to=at(f"b+{_TOKEN}a")), "no token of ours"),
    Forgery("no signature", bounce(ANN, to=at(f"b+{_HEAD}")), "no token of ours"),
    Forgery("key id swapped", bounce(ANN, to=at(f"b+{_TOKEN.replace('1k2.', '1k1.')}")), "signature is wrong"),
    Forgery("version swapped", bounce(ANN, to=at(f"b+3{_TOKEN[1:]}")), "no token of ours"),
    Forgery(
        "signed text sent as sealed",
        bounce(ANN, original=(("X-Bounced-Ref", f"2k2.{'a' * 60}"),)),
        "signature is wrong",
    ),
    Forgery(
        "seal cut",
        bounce(ANN, original=(("X-Bounced-Ref", STAMP.headers["X-Bounced-Ref"][:-2]),)),
        "signature is wrong",
    ),
    # Time.
    Forgery("expired", bounce(ANN, to=OLD), "expired"),
    Forgery("expired, beside a forged fresh one", bounce(ANN, to=(OLD, EVIL)), "expired"),
    Forgery("expiry rewritten", bounce(ANN, to=at("b+1k2.d" + _TOKEN[5:])), "signature is wrong"),
    # A genuine token of somebody else.
    Forgery("another recipient's token", bounce(ANN, to=EVES), "another recipient"),
    Forgery(
        "another's token, victim in Original-Recipient",
        bounce(Finding(ANN, original_recipient=ANN), to=EVES),
        "another recipient",
    ),
    Forgery(
        "another's token in the original",
        bounce(ANN, original=(("Return-Path", EVES), ("To", ANN))),
        "another recipient",
    ),
    Forgery(
        "another's seal, two findings",
        bounce(ANN, BOB, original=(("X-Bounced-Ref", EVES_STAMP.headers["X-Bounced-Ref"]),)),
        "another recipient",
    ),
    Forgery(
        "another's Message-ID token",
        bounce(ANN, original=(("Message-ID", EVES_STAMP.headers["Message-ID"]),)),
        "another recipient",
    ),
    Forgery("another's ENVID", bounce(ANN, envid=EVES_STAMP.envid), "another recipient"),
    Forgery("many recipients, one token", bounce(ANN, BOB, "c@z.example", to=EVES), "another recipient"),
    Forgery("look-alike of the recipient", bounce("аnn@x.example", to=GOOD), "another recipient"),
    Forgery("full-width look-alike of the domain", bounce("ann@x.exаmple", to=GOOD), "another recipient"),
    Forgery("plus address of the recipient", bounce("ann+1@x.example", to=GOOD), "another recipient"),
    Forgery("dotted recipient", bounce("a.nn@x.example", to=GOOD), "another recipient"),
    Forgery("right person, other domain", bounce("ann@x.example.evil.example", to=GOOD), "another recipient"),
    # Purpose and domain.
    Forgery("unsubscribe token as return path", bounce(ANN, to=UNSUB), "another purpose"),
    Forgery("feedback token as return path", bounce(ANN, to=FBL), "another purpose"),
    Forgery(
        "unsubscribe token in the original",
        bounce(ANN, original=(("List-Unsubscribe", f"<mailto:{UNSUB}>"),)),
        "proves nothing here",
    ),
    Forgery(
        "feedback seal in a bounce",
        bounce(ANN, original=(("CFBL-Feedback-ID", STAMP.headers["CFBL-Feedback-ID"]),)),
        "proves nothing here",
    ),
    Forgery(
        "feedback seal as reference",
        bounce(ANN, original=(("X-Bounced-Ref", STAMP.headers["CFBL-Feedback-ID"]),)),
        "another purpose",
    ),
    Forgery(
        "unsubscribe wish by return path",
        Report(Kind.UNSUBSCRIBE, "x", (Finding(ANN),), envelope=bounce(ANN, to=GOOD).envelope),
        "another purpose",
    ),
    Forgery(
        "unsubscribe wish by an original's return path",
        Report(Kind.UNSUBSCRIBE, "x", (Finding(ANN),), Original((("Return-Path", GOOD),))),
        "proves nothing here",
    ),
    Forgery("token of our other domain", bounce(ANN, to=at(BRAND.partition("@")[0])), "another domain"),
    # Spelling.
    Forgery("Kelvin sign for k", bounce(ANN, to=GOOD.replace("k2", "\u212a2")), "no token of ours"),
    Forgery("full-width digits", bounce(ANN, to=GOOD.replace("1k2", "１k2")), "no token of ours"),
    Forgery("Cyrillic in the content", bounce(ANN, to=at(f"b+{_HEAD[:-1]}а.{_MAC}")), "no token of ours"),
    Forgery("zero-width space inside", bounce(ANN, to=GOOD.replace("1k2.", "1k2.\u200b")), "no token of ours"),
    Forgery("padding added", bounce(ANN, to=at(f"b+{_HEAD}=.{_MAC}")), "no token of ours"),
    Forgery("line break inside", bounce(ANN, to=GOOD.replace("1k2.", "1k2.\r\n")), "no token of ours"),
    Forgery("NUL inside", bounce(ANN, to=GOOD.replace("1k2.", "1k2.\x00")), "no token of ours"),
    Forgery("upper-case forgery", bounce(ANN, to=EVIL.upper()), "signature is wrong"),
    Forgery("64 octets of noise", bounce(ANN, to=at("b+1k2." + "a" * 41 + "." + "b" * 16)), "signature is wrong"),
    Forgery("65 octets and more", bounce(ANN, to=at("b+1k2." + "a" * 80 + "." + "b" * 16)), "signature is wrong"),
    Forgery("a megabyte of noise", bounce(ANN, to=at("1k2." * 250_000)), "no token of ours"),
    Forgery("ten thousand forged tokens", bounce(ANN, to=(EVIL,) * 10_000), "signature is wrong"),
    Forgery(
        "header injected into the address",
        bounce(ANN, to=f"x@evil.example\r\nReturn-Path: <{EVIL}>"),
        "signature is wrong",
    ),
    # Feedback reports.
    Forgery("complaint, no results", complaint(ANN), "verified no DKIM signature"),
    Forgery(
        "results of another server",
        complaint(ANN, results=("mx.evil.example; dkim=pass header.d=arf.mail.yahoo.com",)),
        "verified no DKIM",
    ),
    Forgery(
        "forged results below another server's",
        complaint(ANN, results=("mx.evil.example; spf=pass", YAHOO)),
        "verified no DKIM",
    ),
    Forgery(
        "forged results below ours", complaint(ANN, results=("mx.shop.example; dkim=none", YAHOO)), "verified no DKIM"
    ),
    Forgery(
        "our server's name as a prefix",
        complaint(ANN, results=(YAHOO.replace("mx.shop", "evil.mx.shop"),)),
        "verified no DKIM",
    ),
    Forgery(
        "our server's name with a suffix",
        complaint(ANN, results=(YAHOO.replace("example;", "example.evil;"),)),
        "verified no DKIM",
    ),
    Forgery(
        "our server's name in a comment",
        complaint(ANN, results=("evil.example (mx.shop.example); dkim=pass header.d=arf.mail.yahoo.com",)),
        "verified no DKIM",
    ),
    Forgery("signature that failed", complaint(ANN, results=(YAHOO.replace("pass", "fail"),)), "verified no DKIM"),
    Forgery(
        "pass in a comment",
        complaint(ANN, results=("mx.shop.example; dkim=fail (dkim=pass) header.d=arf.mail.yahoo.com",)),
        "verified no DKIM",
    ),
    Forgery(
        "pass in a quoted reason",
        complaint(ANN, results=('mx.shop.example; dkim=fail reason="x; dkim=pass header.d=arf.mail.yahoo.com"',)),
        "verified no DKIM",
    ),
    Forgery(
        "domain in a quoted value",
        complaint(
            ANN, results=('mx.shop.example; dkim=pass reason="header.d=arf.mail.yahoo.com" header.d=evil.example',)
        ),
        "verified no DKIM",
    ),
    Forgery(
        "comment opened in a quoted value",
        complaint(
            ANN, results=('mx.shop.example; spf=pass smtp.mailfrom="(" ; dkim=fail header.d=arf.mail.yahoo.com ")"',)
        ),
        "verified no DKIM",
    ),
    Forgery(
        "signed by another domain",
        complaint(ANN, results=("mx.shop.example; dkim=pass header.d=evil.example",)),
        "verified no DKIM",
    ),
    Forgery(
        "signed by itself",
        complaint(ANN, from_=EVE, results=("mx.shop.example; dkim=pass header.d=evil.example",)),
        "no known reporter",
    ),
    Forgery(
        "known reporter in the display name",
        complaint(
            ANN,
            from_='"feedback@arf.mail.yahoo.com" <eve@evil.example>',
            results=("mx.shop.example; dkim=pass header.d=evil.example",),
        ),
        "no known reporter",
    ),
    Forgery(
        "two From addresses",
        complaint(ANN, from_=f"feedback@arf.mail.yahoo.com, {EVE}", results=(YAHOO,)),
        "no single From",
    ),
    Forgery(
        "a user at a provider that reports",
        complaint(ANN, from_="eve@hotmail.com", results=("mx.shop.example; dkim=pass header.d=hotmail.com",)),
        "no known reporter",
    ),
    Forgery(
        "a neighbour at the victim's own provider",
        complaint(ANN, from_="eve@x.example", results=("mx.shop.example; dkim=pass header.d=x.example",)),
        "no known reporter",
    ),
    Forgery(
        "comments nested without end",
        bounce(Finding("(" * 5000 + ANN), to=EVIL, original=(("To", "(" * 9000), ("From", "g:" * 4000))),
        "signature is wrong",
    ),
    Forgery(
        "look-alike of a reporter",
        complaint(ANN, from_="feedback@arf.mаil.yahoo.com", results=(YAHOO,)),
        "verified no DKIM",
    ),
    Forgery(
        "only SPF passed",
        complaint(ANN, results=("mx.shop.example; spf=pass smtp.mailfrom=arf.mail.yahoo.com",)),
        "verified no DKIM",
    ),
    Forgery("complaint by another's token", complaint(ANN, mail_from=EVES), "another recipient"),
    Forgery("complaint with an expired return path", complaint(ANN, mail_from=OLD), "expired"),
    Forgery("complaint to a bounce address", complaint(ANN, to=(GOOD,)), "another purpose"),
    Forgery("CFBL without DKIM", complaint(ANN, cfbl=STAMP.headers["CFBL-Feedback-ID"]), "RFC 9477"),
]


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda f: f.story)
def test_a_forgery_is_claimed_and_says_why(forgery: Forgery) -> None:
    """For every finding of it; none is attributed to the victim by a signature."""
    for at_, _ in enumerate(forgery.report.findings):
        identity = identify(forgery.report, at_)
        assert identity.trust is Trust.CLAIMED
        assert forgery.why in identity.why
        assert identity.token is None


def test_there_are_many() -> None:
    """Each story is told once."""
    assert len({forgery.story for forgery in FORGERIES}) == len(FORGERIES) >= 40


def test_a_token_of_ann_says_nothing_hard_of_bob_nor_bob_of_ann() -> None:
    """A DSN that names Bob behind Ann's token is about Ann, and soft: her mailbox answered."""
    report = bounce(BOB, to=GOOD, original=(("To", ANN),))
    identity = identify(report)
    verdict_ = cap(verdict(report.findings[0]), identity)

    assert (identity.recipient, identity.final_recipient) == (ANN, BOB)
    assert verdict_.category is Category.SOFT


def test_who_else_stands_in_a_report_is_not_signed_with_it() -> None:
    """Ann's token in a report of three: Ann is signed, the others are not, whatever To says."""
    report = bounce(BOB, ANN, EVE, to=GOOD, original=(("To", f"{BOB}, {EVE}"),))
    found = [identify(report, at) for at in range(3)]

    assert [one.trust for one in found] == [Trust.CLAIMED, Trust.SIGNED, Trust.CLAIMED]
    assert found[1].recipient == ANN


def test_whom_a_token_excludes_is_not_taken_for_whom_we_mailed() -> None:
    """A third person's private address is shown, never filed under."""
    identity = identify(bounce(BOB, to=GOOD))

    assert (identity.recipient, identity.final_recipient) == (None, BOB)


def test_a_true_report_beside_forged_tokens_is_signed() -> None:
    """Noise does not hide the good one."""
    assert identify(bounce(ANN, to=(EVIL, OLD, UNKNOWN, GOOD))).trust is Trust.SIGNED


def test_a_complaint_about_somebody_else_is_filed_under_whose_token_it_bears() -> None:
    """Eve may complain of the mail she got, also by a report that names Ann."""
    results = ("mx.shop.example; dkim=pass header.d=evil.example",)
    identity = identify(complaint(ANN, cfbl=EVES_STAMP.headers["CFBL-Feedback-ID"], from_=EVE, results=results))

    assert (identity.recipient, identity.trust) == (EVE, Trust.SIGNED)


def test_strangers_tags_stay_in_bounds() -> None:
    """Header injection and bidirectional text end as a short printable line."""
    hostile = (("campaign_guid", "a\r\nBcc: x\u202e" + "y" * 500), ("List-ID", "<\x1b]0;x\x07>"))
    tags = identify(bounce(ANN, original=hostile)).tags

    assert isinstance(tags, Tags) and tags.campaign is not None and tags.list is not None
    assert tags.campaign.isprintable() and len(tags.campaign) <= 128
    assert tags.list == "]0;x"
