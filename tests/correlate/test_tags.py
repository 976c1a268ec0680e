"""Tags: which header names what, for every sender that is known, and what a stranger cannot smuggle in."""

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounced.config import HeaderTag, SubjectTag, Tagging
from bounced.correlate import text
from bounced.correlate.tags import Tagger
from bounced.model import Kind, Original, Tags

BARE = Tagging(default_campaign=None, default_list=None)
TAGGER = Tagger(BARE)


def tags(*headers: tuple[str, str], kind: Kind = Kind.BOUNCE, tagger: Tagger = TAGGER) -> Tags:
    return tagger.tags(Original(headers), kind)


SENDERS = [
    ("sitecore-send", [("Campaign_GUID", "c1"), ("mailing_list_id", "l1")], Tags("c1", "l1")),
    (
        "sendgrid",
        [("X-SMTPAPI", json.dumps({"category": ["a", "b"], "unique_args": {"campaign": "c1", "list_id": 7}}))],
        Tags("c1", "7", ("a", "b")),
    ),
    ("sendgrid-one-category", [("X-SMTPAPI", '{"category": "a"}')], Tags(categories=("a",))),
    (
        "mailgun",
        [("X-Mailgun-Tag", "a"), ("X-Mailgun-Tag", "b"), ("X-Mailgun-Variables", '{"campaign_id": 12}')],
        Tags("12", None, ("a", "b")),
    ),
    (
        "postmark",
        [("X-PM-Tag", "welcome"), ("X-PM-Metadata-campaign", "c1"), ("X-PM-Message-Stream", "outbound")],
        Tags("c1", None, ("welcome",), "outbound"),
    ),
    (
        "ses",
        [("X-SES-MESSAGE-TAGS", "campaign=c1, list=l1"), ("X-SES-CONFIGURATION-SET", "bulk")],
        Tags("c1", "l1", (), "bulk"),
    ),
    ("mandrill", [("X-MC-Tags", "a, b"), ("X-MC-Metadata", '{"campaign": "c1"}')], Tags("c1", None, ("a", "b"))),
    (
        "brevo",
        [("X-Mailin-Tag", "a"), ("X-Mailin-custom", '{"campaign": "c1", "list": "l1"}')],
        Tags("c1", "l1", ("a",)),
    ),
    ("brevo-plain-custom", [("X-Mailin-custom", "custom_header_1:custom_value_1")], Tags()),
    ("sparkpost", [("X-MSYS-API", '{"campaign_id": "c1", "tags": ["a"]}')], Tags("c1", None, ("a",))),
    ("postal", [("X-Postal-MsgID", "AbCd"), ("X-Postal-Tag", "a")], Tags(categories=("a",))),
    (
        "listmonk",
        [("X-Listmonk-Campaign", "0f8c"), ("List-Id", "News <n.shop.example>")],
        Tags("0f8c", "n.shop.example"),
    ),
    ("mautic", [("X-EMAIL-ID", "12")], Tags("12")),
    ("phplist", [("X-MessageID", "42"), ("X-ListMember", "a@x.example")], Tags("42")),
    ("x-messageid-of-others", [("X-MessageID", "<1.2.3@app.example>")], Tags()),
    ("anymail", [("X-Tags", "a,b"), ("X-Metadata", '{"campaign": "c1"}')], Tags("c1", None, ("a", "b"))),
    ("feedback-id", [("Feedback-ID", "c1:cust:news:ShopInc")], Tags("c1")),
    ("feedback-id-of-ses", [("Feedback-ID", "1.eu-west-1.x=:1.eu-west-1.y=:AmazonSES")], Tags()),
    ("list-id-bare", [("List-ID", "n.shop.example")], Tags(None, "n.shop.example")),
]


@pytest.mark.parametrize(("headers", "expected"), [row[1:] for row in SENDERS], ids=[row[0] for row in SENDERS])
def test_the_headers_of_a_sender_name_its_tags(headers: list[tuple[str, str]], expected: Tags) -> None:
    """Each sender's own fields, in any case, without configuration."""
    assert tags(*headers) == expected


def test_the_order_of_the_map_decides_not_of_the_mail() -> None:
    """A sender's own field outranks the general one, wherever it stands."""
    assert tags(("Feedback-ID", "f:b:c:d"), ("campaign_guid", "c1")) == Tags("c1")
    assert tags(("campaign_guid", "c1"), ("campaign_guid", "c2")) == Tags("c1")
    assert tags(("campaign_guid", " "), ("X-Campaign", "c2")) == Tags("c2")


def test_the_configured_map_goes_first() -> None:
    """Text, JSON path and regular expression; the shipped map can be switched off."""
    own = (
        HeaderTag(header="X-Job", tag="campaign"),
        HeaderTag(header="X-Info", tag="list", kind="json", path="a.b"),
        HeaderTag(header="X-Info2", tag="stream", kind="regex", pattern="s=([a-z]+)"),
        HeaderTag(header="X-Kinds", tag="categories", split="|"),
    )
    tagger = Tagger(BARE.model_copy(update={"headers": own}))
    mail = (
        ("campaign_guid", "c1"),
        ("x-job", "j"),
        ("X-Info", '{"a": {"b": "l"}}'),
        ("X-Info2", "q;s=bulk"),
        ("X-Kinds", "a|b|a"),
    )

    assert tags(*mail, tagger=tagger) == Tags("j", "l", ("a", "b"), "bulk")
    alone = Tagger(BARE.model_copy(update={"headers": own[:1], "shipped_headers": False}))
    assert tags(("campaign_guid", "c1"), tagger=alone) == Tags()


def test_a_subject_ties_a_mail_without_headers_to_a_campaign() -> None:
    """Exact but for case and blanks, or by pattern; never against a header."""
    rows = (
        SubjectTag(exact="Your  invoice", campaign="Invoices", list="Customers"),
        SubjectTag(pattern=r"^reset your\b", campaign="Passwords", categories=("security",)),
    )
    tagger = Tagger(Tagging(subjects=rows))

    assert tags(("Subject", "YOUR invoice "), tagger=tagger) == Tags("Invoices", "Customers")
    assert tags(("Subject", "Reset your password"), tagger=tagger) == Tags("Passwords", None, ("security",))
    assert tags(("Subject", "Your invoice"), ("campaign_guid", "c1"), tagger=tagger) == Tags("c1")
    assert tags(("Subject", "Your invoice 12"), tagger=tagger).campaign == "Transactional campaign"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.BOUNCE, Tags("Transactional campaign", "Transactional campaign recipients")),
        (Kind.COMPLAINT, Tags("Transactional campaign", "Transactional campaign recipients")),
        (Kind.UNSUBSCRIBE, Tags()),
        (Kind.AUTO_REPLY, Tags()),
    ],
)
def test_what_remains_falls_to_the_default_campaign(kind: Kind, expected: Tags) -> None:
    """A failure does; a wish to leave must not be taken for one about a list that does not exist."""
    tagger = Tagger(Tagging())

    assert tags(kind=kind, tagger=tagger) == expected
    assert tagger.tags(None, kind) == expected
    assert tags(("List-ID", "<n.shop.example>"), kind=kind, tagger=tagger) == Tags(None, "n.shop.example")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  a \t b ", "a b"),
        ("a\r\nBcc: x@y.example", "a Bcc: x@y.example"),
        ("\u202egnp.exe\u2069", "gnp.exe"),
        ("a\x00\x1b[31mb", "a[31mb"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("Ete\u0301", "Et\u00e9"),
        ("x" * 500, "x" * 128),
        ("\u200b\x00", None),
        ("", None),
        ("\ud800a", "a"),
        ("\u200b" * 5000 + "a", None),
    ],
)
def test_a_tag_is_short_and_shows_what_it_is(value: str, expected: str | None) -> None:
    """No control, bidirectional or invisible character, no second line, no more than 128 characters."""
    assert text.tag(value) == expected


@settings(deadline=None)
@given(st.text(max_size=2000))
def test_no_text_makes_a_tag_out_of_bounds(value: str) -> None:
    """Whatever a stranger writes."""
    made = text.tag(value)

    assert made is None or (0 < len(made) <= 128 and all(unicodedata.category(c)[0] != "C" for c in made))


@pytest.mark.parametrize(
    "value",
    [
        f'{{"campaign_id": "c1", "pad": "{"x" * 20_000}"}}',
        "[" * 16_000,
        "{" * 5,
        '{"campaign_id": {"a": 1}}',
        '{"campaign_id": true}',
        "null",
        "1e999",
        '"' * 20_000,
    ],
)
def test_hostile_json_names_nothing(value: str) -> None:
    """Depth, size and odd types are no tag and no error."""
    assert tags(("X-MSYS-API", value)) == Tags()


def test_categories_are_bounded() -> None:
    """Ten at most, each once."""
    many = tags(*(("X-Mailgun-Tag", f"t{i % 50}") for i in range(500)))

    assert many.categories == tuple(f"t{i}" for i in range(10))
