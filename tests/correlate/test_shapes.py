"""Return paths of other programs, and addresses that only look like one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounced.correlate.shapes import Decoded, decode


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("owner-l+ann=x.example@o.example", Decoded("postfix", "ann@x.example", "owner-l@o.example")),
        ("owner-l+ann+tag=x.example@o.example", Decoded("postfix", "ann+tag@x.example", "owner-l@o.example")),
        ("<l-ann=x.example@o.example>", Decoded("postfix", "ann@x.example", "l@o.example")),
        ("owner-l-ann=x.example@o.example", None),
        ("l-return-12-ann-lee=x.example@o.example", Decoded("ezmlm", "ann-lee@x.example", "l@o.example", "12")),
        ("dev-bounces+ann=x.example@o.example", Decoded("mailman", "ann@x.example", "dev@o.example")),
        (f"dev-bounces+{'a1' * 20}@o.example", Decoded("mailman probe", None, "dev@o.example", "a1" * 20)),
        (f"dev-confirm+{'a1' * 20}@o.example", Decoded("mailman confirm", None, "dev@o.example", "a1" * 20)),
        ("bounce+ann==a==x.example==l@o.example", Decoded("sympa", "ann@x.example", "bounce@o.example", "l")),
        ("bounce+ann==a==x.example==l==w@o.example", Decoded("sympa", "ann@x.example", "bounce@o.example", "l==w")),
        ("bounce+ann==a==x.example@o.example", Decoded("sympa", "ann@x.example", "bounce@o.example")),
        ("bounce+a1.b2-ann=x.example@o.example", Decoded("mailgun", "ann@x.example", "bounce@o.example", "a1.b2")),
        (
            "bounces+12-ab3f-ann=x.example@o.example",
            Decoded("sendgrid", "ann@x.example", "bounces@o.example", "12-ab3f"),
        ),
        ("prvs=1234abcdef=ann@x.example", Decoded("batv", None, "ann@x.example", "1234abcdef")),
        ("prvs=ann/1234abcdef@x.example", Decoded("batv", None, "ann@x.example", "1234abcdef")),
        ("btv1==0a1b==ann@x.example", Decoded("batv", None, "ann@x.example", "0a1b")),
        ("SRS0=AbCd=TT=x.example=ann@f.example", Decoded("srs", None, "ann@x.example", "AbCd=TT")),
        ("srs0+abcd=tt=x.example=ann@f.example", Decoded("srs", None, "ann@x.example", "abcd=tt")),
        (
            "SRS1=EfGh=f.example==AbCd=TT=x.example=ann@g.example",
            Decoded("srs", None, "ann@x.example", "EfGh=f.example"),
        ),
        ("SRS0=AbCd=TT=o.example=l+ann=x.example@f.example", Decoded("postfix", "ann@x.example", "l@o.example")),
        ("prvs=1234abcdef=l+ann=x.example@o.example", Decoded("postfix", "ann@x.example", "l@o.example")),
        ("ann@x.example", None),
        ("ann+tag@x.example", None),
        ("ann+a=b@x.example", None),
        ("l+ann=x..example@o.example", None),
        ("l+=x.example@o.example", None),
        ("prvs=123=ann@x.example", None),
        ("", None),
        ("@", None),
        ("l+ann=x.example", None),
        ("l+" + "a" * 400 + "=x.example@o.example", None),
    ],
)
def test_decode(path: str, expected: Decoded | None) -> None:
    """Recipient and list where the make tells them; nothing where it would be guessed."""
    assert decode(path) == expected


@settings(deadline=None)
@given(st.text(alphabet="ab1=+-.@<>SRS0prvs/", max_size=330))
def test_no_path_makes_it_raise_or_nest_for_ever(path: str) -> None:
    """Whatever is in it."""
    decode(path)
    decode("SRS0=a=aa=x.example=" * 12 + path)
