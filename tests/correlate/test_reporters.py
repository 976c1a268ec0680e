"""Who may complain of whom: DKIM as our own server verified it, known reporters, a postmaster for his own people."""

import pytest

from bounced.correlate.authentication import verified_domains
from bounced.model import Trust

from .conftest import NOW
from .forge import ANN, CORRELATOR, complaint, identify, verdict

OURS = "mx.shop.example"


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (["mx.shop.example; dkim=pass header.d=a.example"], {"a.example"}),
        (["MX.Shop.Example 1; DKIM=Pass Header.D=A.Example"], {"a.example"}),
        (["mx.shop.example; dkim=pass header.i=@a.example header.b=abc"], {"a.example"}),
        (["mx.shop.example; dkim=pass header.i=x@a.example"], {"a.example"}),
        (["mx.shop.example; dkim=pass (2048-bit key; unprotected) header.d=a.example"], {"a.example"}),
        (["mx.shop.example; dkim=pass (a (nested\\) one) here) header.d=a.example"], {"a.example"}),
        (['"mx.shop.example"; dkim=pass header.d="a.example"'], {"a.example"}),
        (["mx.shop.example; dkim/1=pass header.d=a.example"], {"a.example"}),
        (["mx.shop.example; dkim=pass header.d=a.example; dkim=fail header.d=b.example"], {"a.example"}),
        (["mx.shop.example; dkim=pass header.d=a.example; dkim=pass header.d=b.example"], {"a.example", "b.example"}),
        (
            ["mx.shop.example; dmarc=pass header.from=c.example", "mx.shop.example; dkim=pass header.d=a.example"],
            {"a.example"},
        ),
        (["mx.shop.example; dkim=none", "mx.shop.example; dkim=pass header.d=a.example"], set()),
        (["other.example; spf=pass", "mx.shop.example; dkim=pass header.d=a.example"], set()),
        (["mx.shop.example; dkim=pass header.d=a.example header.d=b.example"], set()),
        (["mx.shop.example; dkim=pass"], set()),
        (["mx.shop.example; xdkim=pass header.d=a.example"], set()),
        (["mx.shop.example; dkim=pass header.d=a.example (open"], set()),
        (['mx.shop.example; dkim=pass header.d=a.example "open'], set()),
        (["mx.shop.example; none"], set()),
        (["mx.shop.example x; dkim=pass header.d=a.example"], set()),
        ([""], set()),
        ([";" * 5000], set()),
        ([], set()),
    ],
)
def test_verified_domains(results: list[str], expected: set[str]) -> None:
    """Those of the topmost statement on DKIM by our own server; forms of RFC 8601, and what only looks like one."""
    assert verified_domains(results, OURS) == expected


@pytest.mark.parametrize(
    ("from_", "signer", "recipient"),
    [
        ("Yahoo <feedback@arf.mail.yahoo.com>", "arf.mail.yahoo.com", ANN),
        ("staff@hotmail.com", "hotmail.com", ANN),
        ("feedback@eu.senderscore.net", "senderscore.net", ANN),
        ("abuse@x.example", "x.example", ANN),
        ("Postmaster@x.example", "x.example", "ann@mail.x.example"),
    ],
)
def test_a_verified_reporter_is_a_match(from_: str, signer: str, recipient: str) -> None:
    """A known one about anybody, a postmaster about the people of his domain."""
    results = (f"{OURS}; dkim=pass header.d={signer}",)
    identity = identify(complaint(recipient, from_=from_, results=results))

    assert (identity.trust, identity.recipient) == (Trust.MATCHED, recipient)
    assert "DKIM" in identity.why


def test_a_provider_speaks_for_nobody_elses_people() -> None:
    """Nor for a domain above its own."""
    for recipient in ("bob@y.example", "bob@notx.example", "bob@example"):
        identity = identify(
            complaint(recipient, from_="abuse@x.example", results=(f"{OURS}; dkim=pass header.d=x.example",))
        )
        assert identity.trust is Trust.CLAIMED
        assert "no known reporter" in identity.why


def test_a_verified_complaint_about_a_redacted_person_names_nobody() -> None:
    """It counts for the campaign."""
    report = complaint(
        "redacted@yahoo.com", ("campaign_guid", "c1"), results=(f"{OURS}; dkim=pass header.d=arf.mail.yahoo.com",)
    )
    identity = identify(report)

    assert (identity.trust, identity.recipient, identity.tags.campaign) == (Trust.MATCHED, None, "c1")


def test_without_a_trusted_server_no_complaint_is_verified() -> None:
    """And it says what to configure."""
    from bounced.config import Correlation
    from bounced.correlate import Correlator

    report = complaint(ANN, results=(f"{OURS}; dkim=pass header.d=arf.mail.yahoo.com",))
    identity = Correlator(Correlation()).correlate(report, verdict(report.findings[0]), NOW)

    assert identity.trust is Trust.CLAIMED
    assert "authserv_id" in identity.why


def test_a_cfbl_report_with_the_providers_signature_and_our_id_is_signed() -> None:
    """RFC 9477 section 3.5: DKIM by the domain in From, our CFBL-Feedback-ID, blanks in it ignored."""
    from bounced.correlate import Purpose

    from .forge import MAIL, SIGNER

    token = SIGNER.seal(MAIL, Purpose.FBL, NOW)
    folded = f" {token[:30]} \t{token[30:]} "
    report = complaint(None, from_="fbl@p.example", cfbl=folded, results=(f"{OURS}; dkim=pass header.d=p.example",))
    identity = identify(report)

    assert (identity.trust, identity.recipient) == (Trust.SIGNED, ANN)
    assert CORRELATOR.signer is not None
