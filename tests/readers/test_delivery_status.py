"""The fields of RFC 3464 in the forms that real systems give them."""

import pytest

from bounced.model import Action
from bounced.readers._addresses import bare, recipient, xtext
from bounced.readers._delivery_status import action_of, delivery_status, finding, host
from bounced.readers._replies import host_in, reply_code, reply_in, status_code

STANDARD = """Reporting-MTA: dns; a

Final-Recipient: rfc822; x@a.example
Action: failed

Final-Recipient: rfc822; y@a.example
Action: failed
"""
EXIM = """Reporting-MTA: dns; a


Action: failed
Final-Recipient: rfc822;x@a.example



Action: failed
Final-Recipient: rfc822;y@a.example
"""
GAPS_WITHIN = """Final-Recipient: rfc822; x@a.example

Action: failed

Original-Recipient: rfc822; y@a.example
Final-Recipient: rfc822; y@a.example
Action: failed"""
CUT_NAMES = """final-recipient : RFC822; <x@a.example>
action : failed
inal-Recipient: rfc822; y@a.example
ction: failed
"""


@pytest.mark.parametrize(
    "text",
    [STANDARD, STANDARD.replace("\n\n", "\n"), EXIM, GAPS_WITHIN, CUT_NAMES],
    ids=["standard", "no blank lines", "Exim's order, too many blank lines", "blank lines within", "spaces, cut names"],
)
def test_recipients_are_told_apart_by_their_fields(text: str) -> None:
    """Two recipients, both failed, whatever the blank lines do."""
    findings = [finding(group) for group in delivery_status(text).recipients]

    assert [(f.recipient, f.action) for f in findings] == [
        ("x@a.example", Action.FAILED),
        ("y@a.example", Action.FAILED),
    ]


def test_a_reply_left_unfolded_is_one_diagnostic() -> None:
    """Lines that are no field continue the diagnostic, also where one looks like a field."""
    text = "Final-Recipient: rfc822; x@a.example\nDiagnostic-Code: smtp; 550-5.1.1 no\n550 5.1.1 such\n"
    text += "Reason: gone\nStatus: 5.1.1\n"
    (group,) = delivery_status(text).recipients

    assert finding(group).diagnostic == "550-5.1.1 no 550 5.1.1 such Reason: gone"
    assert finding(group).status == "5.1.1"


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("rfc822; ann@example.net", "ann@example.net"),
        ("rfc822;ann+list@example.net", "ann+list@example.net"),
        ("rfc/822; <ann@example.net>", "ann@example.net"),
        ("ann@example.net", "ann@example.net"),
        ("rfc822; @relay.example:ann@example.net", "ann@example.net"),
        ('rfc822; "no such"@example.net', '"no such"@example.net'),
        ("rfc822;no such@example.net", '"no such"@example.net'),
        ("utf-8; anne-\\x{E9}lise@example.net", "anne-élise@example.net"),
        ("utf-8; ann\x0b-\\x{E9}lise@example.net", None),
        ("utf-8; anne -\\x{E9}lise@example.net", None),
        ("utf-8; a\xb4ne-\\x{E9}lise@example.net", None),
        ("rfc822; ann\x00lee@example.net", None),
        ("rfc822; \u00ce\u00b4\u00a0\u00ce\u00bf@example.net", None),
        ("utf-8; δοκιμή@example.net", "δοκιμή@example.net"),
        ("rfc822; ann+40example.net", "ann@example.net"),
        ("rfc822; a+2Bb@example.net", "a+2Bb@example.net"),
        ("unknown; undisclosed", None),
        ("", None),
    ],
)
def test_addresses_in_every_dress(value: str, address: str | None) -> None:
    """Type, brackets, routes, quotes and the encodings of RFC 3461 and RFC 6533."""
    assert recipient(value) == address


def test_xtext_is_decoded_once_and_leniently() -> None:
    """RFC 3461 section 4."""
    assert xtext("a+2Bb+3d+zz+") == "a+b=+zz+"
    assert xtext("+2B2B") == "+2B"


@pytest.mark.parametrize(
    ("action", "status", "meant"),
    [
        ("failed", "4.4.7", Action.FAILED),
        ("Failed (given up)", None, Action.FAILED),
        ("delayed", "4.0.0", Action.DELAYED),
        ("delayed", "5.1.1", Action.FAILED),
        ("expired", "", Action.FAILED),
        ("relayed", "2.1.9", Action.RELAYED),
        ("nonsense", "2.0.0", Action.DELIVERED),
        (None, None, Action.FAILED),
    ],
)
def test_actions_known_and_unknown(action: str | None, status: str | None, meant: Action) -> None:
    """RFC 3464 section 2.3.3 and what others write."""
    assert action_of(action, status or None) is meant


def test_hosts_without_their_dress() -> None:
    """`dns; name (comment)`, with a dot behind, or in brackets."""
    assert host("dns; MX.example.net. (203.0.113.5)") == "mx.example.net"
    assert host("dns;mx.example.net (TCP|192.0.2.9|4711|203.0.113.5|25)") == "mx.example.net"
    assert host("[203.0.113.5]") == "203.0.113.5"
    assert host(None) is None


@pytest.mark.parametrize(
    ("text", "code", "status"),
    [
        ("550 5.1.1 unknown", "550", "5.1.1"),
        ("550-5.1.1 unknown", "550", "5.1.1"),
        ("host mx said: 552 5.2.2 full", "552", "5.2.2"),
        ("sorry, no mailbox (#5.1.1)", None, "5.1.1"),
        ("connect to 192.0.2.1: refused by Exim 4.96", None, None),
        ("message of 550 bytes", None, None),
        ("see https://example.net/550", None, None),
    ],
)
def test_codes_in_running_text(text: str, code: str | None, status: str | None) -> None:
    """Addresses, versions, sizes and links are no codes."""
    assert (reply_code(text), status_code(text)) == (code, status)


def test_a_reply_of_several_lines_is_one() -> None:
    """What is introduced as the answer comes first; a blank line ends it."""
    text = "We said 250 ok once.\n<<< 550-5.1.1 no\n<<< 550 5.1.1 such user\n\n554 something else"

    assert reply_in(text) == "550-5.1.1 no 550 5.1.1 such user"
    assert host_in("... while talking to mx.example.net.:") == "mx.example.net"
    assert bare("Ann Lee <ann@example.net> (home)") == "ann@example.net"
