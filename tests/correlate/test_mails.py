"""Whole mails through all pure stages: signed return paths of two campaigns, as others report on them."""

from functools import partial

import pytest

from bounced.classify import Rules
from bounced.config import Limits
from bounced.correlate import Mail, Purpose, sign, stamp
from bounced.model import Category, Identity, Kind, Place, RawMessage, Tags, Trust, Verdict
from bounced.pipeline import Reading
from bounced.readers import read

from .conftest import NOW
from .forge import ANN, CORRELATOR, SIGNER

SPRING, AUTUMN = Tags("spring", "n1"), Tags("autumn", None, ("shoes",))


@pytest.fixture(scope="module")
def reading() -> Reading:
    return Reading(partial(read, limits=Limits()), Rules.load().classify, CORRELATOR.correlate)


def judge(reading: Reading, text: str) -> tuple[Kind, Verdict, Identity]:
    raw = text.replace("\n", "\r\n").encode()
    judged = reading.judge(RawMessage(Place("m", "INBOX", 1, 1), raw, len(raw), NOW))
    ((verdict, identity),) = judged.verdicts
    return judged.report.kind, verdict, identity


def dsn(to: str, fields: str = f"Final-Recipient: rfc822; {ANN}", original: str = "") -> str:
    returned = f"--b\nContent-Type: text/rfc822-headers\n\n{original}\n" if original else ""
    return f"""Return-Path: <>
Delivered-To: {to}
From: MAILER-DAEMON@mx.shop.example (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: <dsn1@mx.shop.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.shop.example

{fields}
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.x.example
Diagnostic-Code: smtp; 550 5.1.1 <{ANN}>: Recipient address rejected: User unknown

{returned}--b--
"""


@pytest.mark.parametrize("tags", [SPRING, AUTUMN], ids=["spring", "autumn"])
def test_a_report_without_an_original_carries_the_campaign(reading: Reading, tags: Tags) -> None:
    """The address it came to says recipient, campaign, list and categories."""
    kind, verdict, identity = judge(reading, dsn(sign(SIGNER, Mail(ANN, tags, "1@shop.example"), NOW)))

    assert (kind, verdict.category) == (Kind.BOUNCE, Category.HARD)
    assert (identity.trust, identity.recipient, identity.tags) == (Trust.SIGNED, ANN, tags)


@pytest.mark.parametrize("piece", ["X-Bounced-Ref", "Message-ID"])
def test_the_header_alone_is_enough(reading: Reading, piece: str) -> None:
    """Folded, and in headers that the MTA returned."""
    value = stamp(SIGNER, Mail(ANN, SPRING), NOW).headers[piece]
    folded = f"{piece}:\n {value}\nFrom: shop@shop.example\nSubject: x\n"
    _, _, identity = judge(reading, dsn("b@bounces.shop.example", original=folded))

    assert (identity.trust, identity.tags) == (Trust.SIGNED, SPRING)


def test_the_envelope_id_alone_is_enough(reading: Reading) -> None:
    """RFC 3464 section 2.2.1, as an MTA gives it back."""
    token = stamp(SIGNER, Mail(ANN, SPRING), NOW).envid
    mail = dsn("b@bounces.shop.example").replace("Reporting-MTA", f"Original-Envelope-Id: {token}\nReporting-MTA")

    assert judge(reading, mail)[2].trust is Trust.SIGNED


def test_plain_prose_to_a_signed_return_path(reading: Reading) -> None:
    """qmail names the recipient in prose, the address it wrote to says the rest."""
    mail = f"""Return-Path: <>
Delivered-To: {sign(SIGNER, Mail(ANN, SPRING), NOW)}
From: MAILER-DAEMON@mx.x.example
To: b@bounces.shop.example
Subject: failure notice

Hi. This is the qmail-send program at mx.x.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{ANN}>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

"""
    _, _, identity = judge(reading, mail)

    assert (identity.trust, identity.recipient, identity.tags) == (Trust.SIGNED, ANN, SPRING)


def test_behind_a_forwarder_the_address_we_mailed_stays_good(reading: Reading) -> None:
    """ORCPT kept by the forwarder: the finding is Ann's, soft, and says who failed."""
    fields = f"Original-Recipient: rfc822; {ANN}\nFinal-Recipient: rfc822; other@gone.example"
    _, verdict, identity = judge(reading, dsn(sign(SIGNER, Mail(ANN), NOW), fields))

    assert (identity.recipient, identity.final_recipient) == (ANN, "other@gone.example")
    assert verdict.category is Category.SOFT
    assert "via_forwarder" in verdict.basis


def test_tags_of_an_encoded_header(reading: Reading) -> None:
    """RFC 2047 words are decoded before they become a tag."""
    original = "campaign_guid: =?utf-8?q?Fr=C3=BChling?=\nmailing_list_id: =?utf-8?b?S3VuZGVu?=\nTo: ann@x.example\n"

    assert judge(reading, dsn("b@bounces.shop.example", original=original))[2].tags == Tags("Frühling", "Kunden")


@pytest.mark.parametrize("hidden", ["redacted@x.example", "undisclosed-recipients:;"])
def test_a_redacted_complaint(reading: Reading, hidden: str) -> None:
    """The provider hides the person, our sealed header names him."""
    made = stamp(SIGNER, Mail(ANN, SPRING), NOW)
    mail = f"""Return-Path: <>
From: feedback@provider.example
To: fbl@shop.example
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: text/plain

A complaint.

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Loop/1
Version: 1

--b
Content-Type: message/rfc822

From: shop@shop.example
To: {hidden}
Subject: offers
X-Bounced-Ref: {made.headers["X-Bounced-Ref"]}

text
--b--
"""
    kind, verdict, identity = judge(reading, mail)

    assert (kind, verdict.category) == (Kind.COMPLAINT, Category.COMPLAINT)
    assert (identity.trust, identity.recipient, identity.tags) == (Trust.SIGNED, ANN, SPRING)


def test_a_wish_to_leave_by_its_token(reading: Reading) -> None:
    """The mailto of List-Unsubscribe names who may leave; the same wish to a return path proves nothing."""
    for purpose, trust in ((Purpose.UNSUB, Trust.SIGNED), (Purpose.BOUNCE, Trust.CLAIMED)):
        address = sign(SIGNER, Mail(ANN, SPRING), NOW, purpose)
        head = f"Return-Path: <{ANN}>\nDelivered-To: {address}\nFrom: Ann <{ANN}>\nTo: {address}\n"
        mail = f"{head}Subject: unsubscribe\n\nunsubscribe\n"
        kind, _, identity = judge(reading, mail)
        assert (kind, identity.trust) == (Kind.UNSUBSCRIBE, trust)
