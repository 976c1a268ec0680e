"""The sieve never holds back a pattern that would have fitted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounced.classify import Rules
from bounced.classify.patterns import Sieve, needed_words, pattern_of
from bounced.classify.rule import RuleError


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("quota", {"quota"}),
        ("over ?quota", {"over"}),
        ("full|quota", {"full", "quota"}),
        ("(?:user)? unknown", {" unknown"}),
        (r"\S", None),
        ("(?:full)?", None),
        ("a|full", {"a", "full"}),
        ("[fg]ull", {"ull"}),
        (r"(?:grey|gray)list", {"list"}),
        ("Δεν|ПОЛОН", {"δεν", "полон"}),
    ],
)
def test_words_a_pattern_cannot_do_without(source, words):
    """Every text that fits holds one of them; None if there is no such choice."""
    assert needed_words(source) == (frozenset(words) if words else None)


RULES = Rules.load().rules
SOURCES = [rule.when.text for rule in RULES]
SAID = [example.reply for rule in RULES for example in (*rule.matches, *rule.rejects)]
SIEVE = Sieve(SOURCES)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(SAID), min_size=1, max_size=2), st.sampled_from([str.upper, str.lower, str.title, str]))
def test_the_sieve_lets_everything_through_that_fits(said, case):
    """Whatever the case of the text: a pattern that fits is among those that pass."""
    text = case(" ".join(said))
    passing = set(SIEVE.passing(text))
    fitting = {n for n, source in enumerate(SOURCES) if source and pattern_of(source).hit(text.encode()) is not None}

    assert fitting <= passing


@pytest.mark.parametrize("source", ["(?<=a)b", r"(a)\1", "(", "a{2000}"])
def test_a_pattern_that_cannot_run_in_linear_time_is_refused(source):
    """With advice, before any text is met."""
    with pytest.raises(RuleError, match="RE2 does not take the pattern"):
        pattern_of(source)
