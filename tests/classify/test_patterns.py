"""The sieve never holds back a pattern that would have fitted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounced.classify import Rules
from bounced.classify.patterns import Sieve, alternatives, first_hit, pattern_of, ways_to_fit
from bounced.classify.rule import RuleError


@pytest.mark.parametrize(
    ("source", "ways"),
    [
        ("quota", [["quota"]]),
        ("over ?quota", [["quota", "over"]]),
        ("(?:user)? unknown", [[" unknown"]]),
        ("full|quota", [["full"], ["quota"]]),
        ("box (?:full|quota)", [["box full"], ["box quota"]]),
        ("[fg]ull", [["ull"]]),
        (r"(?:grey|gray)list", [["list"]]),
        ("(?:Δεν|ПОЛОН)!", [["δεν/полон"]]),
        (r"\S", []),
        ("(?:full)?", []),
        ("a|full", [["a"], ["full"]]),
    ],
)
def test_words_a_pattern_cannot_do_without(source, ways):
    """Every text that fits holds one word of each choice of one way; none if there is a way without words."""
    assert sorted([sorted("/".join(sorted(choice)) for choice in way) for way in ways_to_fit(source)]) == sorted(
        map(sorted, ways)
    )


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("a", ["a"]),
        ("a|b", ["a", "b"]),
        ("(?:a|b)|(?:c)", ["a", "b", "c"]),
        ("(?:a|b)c|d", ["(?:a|b)c", "d"]),
        ("(?:a|b)?", ["(?:a|b)?"]),
        (r"a\|b", [r"a\|b"]),
        (r"[|)(]x|\(", ["[|)(]x", r"\("]),
        ("[]|a]|b", ["[]|a]", "b"]),
        ("(?s)a|b", ["(?s)a|b"]),
        (r"\Qa|b\E", [r"\Qa|b\E"]),
    ],
)
def test_alternatives_are_patterns_of_their_own(source, parts):
    """Bars within groups, classes and behind a backslash divide nothing."""
    assert alternatives(source) == parts


RULES = Rules.load().rules
SOURCES = [rule.when.text for rule in RULES]
SAID = [example.reply for rule in RULES for example in (*rule.matches, *rule.rejects)]
SIEVE = Sieve(SOURCES)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(SAID), min_size=1, max_size=2), st.sampled_from([str.upper, str.lower, str.title, str]))
def test_the_sieve_lets_everything_through_that_fits(said, case):
    """Whatever the case of the text: what passes fits where the whole pattern does, and nothing else fits."""
    text = case(" ".join(said))
    passing = SIEVE.passing(text)

    for number, source in enumerate(SOURCES):
        if source:
            assert first_hit(passing.get(number, ()), text.encode()) == first_hit([source], text.encode())


@pytest.mark.parametrize("source", ["(?<=a)b", r"(a)\1", "(", "a{2000}"])
def test_a_pattern_that_cannot_run_in_linear_time_is_refused(source):
    """With advice, before any text is met."""
    with pytest.raises(RuleError, match="RE2 does not take the pattern"):
        pattern_of(source)
