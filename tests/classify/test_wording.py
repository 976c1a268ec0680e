"""From a server's words to the text that patterns see."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounced.classify.wording import MAX_TEXT, collapse, fold, wording


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("550 5.1.1 <a@b.example>: User unknown", "<@>: User unknown"),
        ("550-5.2.2 out of storage. Please 550-5.2.2 ask them", "out of storage. Please ask them"),
        ("smtp; 550 no", "no"),
        ("550 5.1.1 &lt;a@b.example&gt;: &#85;ser&nbsp;unknown", "<@>: User unknown"),
        ("550 Boîte pleine", "Boite pleine"),
        ("550 relay from spam.example [192.0.2.7] to no-spam@b.example.", "relay from <host> [<ip>] to <@>."),
        ("550 see https://help.example/spam?x=1.", "see <www>."),
        ("550 does not exist.Please check", "does not exist.Please check"),
        ("550 RESOLVER.ADR.RecipNotFound; none", "RESOLVER.ADR.RecipNotFound; none"),
        ("550 500 mails are enough", "500 mails are enough"),
        ("554 5.1.1 host mx.b.example[192.0.2.7] said: 550 no", "550 no"),
        ("550 “quoted” and it’s", '"quoted" and it\'s'),
    ],
)
def test_words_are_kept_and_names_are_marked(text, seen):
    """Addresses, links, hosts and repeated codes go; what was said stays."""
    said = collapse(text)

    assert wording(said, said.removeprefix("smtp; ")[:3]).text == seen


def test_links_and_hosts_are_kept_apart():
    """Rules may ask for them, in the order they were said."""
    said = wording("550 listed at bl.example.org, see https://bl.example.org/lookup?ip=192.0.2.7.", "550")

    assert said.names == "bl.example.org https://bl.example.org/lookup?ip=192.0.2.7"


@pytest.mark.parametrize(("text", "plain"), [("ÉТÉ", "EТE"), ("й", "й"), ("ガ", "ガ"), ("ß", "ss"), ("ψηφίο", "ψηφιο")])
def test_only_latin_and_greek_letters_lose_their_marks(text, plain):
    """Cyrillic й and Japanese ガ are letters of their own."""
    assert fold(text) == plain


@given(st.text(max_size=5000))
def test_any_text_is_bounded_and_encodable(text):
    """Also with lone surrogates, controls and marks of direction."""
    said = collapse(text)
    words = wording(said, "550")

    assert len(said) <= MAX_TEXT
    assert words.text.encode() is not None
    assert words.names.encode() is not None


@pytest.mark.parametrize("piece", ["a", "a.", "a@", "<a", "http://", "550-", "&amp;", "host a[", "."])
def test_hostile_repetition_costs_little(piece):
    """The longest text that is looked at, of one piece only."""
    text = piece * (200_000 // len(piece))
    start = time.process_time()
    wording(collapse(text), "550")

    assert time.process_time() - start < 0.5
