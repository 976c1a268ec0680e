"""One normal form for an address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounced.address import domain_of, normalise, normalise_domain


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("<Ann.Lee@EXAMPLE.com.>", "ann.lee@example.com"),
        ("  ann+news@example.com ", "ann+news@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("JOS\u00c9@example.com", "jos\u00e9@example.com"),
        ("jose\u0301@example.com", "jos\u00e9@example.com"),
        ('"ann"@example.com', "ann@example.com"),
        ('"ann lee"@example.com', '"ann lee"@example.com'),
        ("ann@[192.0.2.1]", "ann@[192.0.2.1]"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
    ],
)
def test_spellings_of_one_mailbox_meet(written: str, wanted: str) -> None:
    """Case, brackets, final dot, A-label, composition and needless quotes make no difference."""
    assert normalise(written) == wanted


@pytest.mark.parametrize(
    "written",
    ["", "ann", "@example.com", "ann@", "ann@exa mple.com", "ann lee@example.com", "a\r\nb@example.com", "ann@a..b",
     "a" * 65 + "@example.com", "ann@" + "a" * 64 + ".com", "ann@" + "a." * 127 + "com", "<>", '"a"b"@example.com',
     "\udc80@example.com"],
)  # fmt: skip
def test_what_is_no_address_is_none(written: str) -> None:
    """Strangers' text never becomes an address by force."""
    assert normalise(written) is None


@given(st.text(max_size=80))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    """Whatever comes in: None, or a form that stays."""
    once = normalise(text)

    assert once is None or normalise(once) == once


@given(st.text(max_size=80))
def test_a_domain_stays_what_it_became(text: str) -> None:
    """The same for a domain alone."""
    once = normalise_domain(text)

    assert once is None or normalise_domain(once) == once


def test_the_domain_is_what_follows_the_last_at() -> None:
    """Also for a quoted local part that holds one."""
    assert domain_of('"a@b"@example.com') == "example.com"
