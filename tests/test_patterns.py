"""Patterns give the same answers whether RE2 is asked below its Python layer or through it."""

import pytest

from bounced import patterns
from bounced.patterns import Pattern, PatternError

TEXTS = ("", "quota", "Die Box ist voll: über 5 MB, quota 7 MB", "漢字 quota quota", "x" * 300)


@pytest.mark.parametrize("source", ["quota", r"(\d+) (MB)|(box)", "(?i)BOX", r"\bvoll\b", "[^x]漢?"])
@pytest.mark.parametrize("groups", [True, False])
def test_a_release_that_hides_what_is_below_finds_the_same(
    source: str, groups: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = Pattern(source, groups=groups)
    monkeypatch.setattr(patterns, "_matching", patterns._above)
    above = Pattern(source, groups=groups)

    for text in TEXTS:
        assert above.occurs(text) == below.occurs(text)
        assert above.span(text.encode()) == below.span(text.encode())
        one, other = ([(hit.start(), hit.end(), hit.group()) for hit in each.finditer(text)] for each in (above, below))
        assert one == other
    with pytest.raises(PatternError):
        Pattern("(?=x)")


def test_groups_are_the_same_too(monkeypatch: pytest.MonkeyPatch) -> None:
    text, source = "über 5 MB", r"(\d+) (MB)|(box)"
    below = Pattern(source).search(text)
    monkeypatch.setattr(patterns, "_matching", patterns._above)
    above = Pattern(source).search(text)
    assert below and above
    for hit in (below, above):
        assert [(hit.start(n), hit.end(n), hit.group(n)) for n in range(4)] == [
            (5, 9, "5 MB"), (5, 6, "5"), (7, 9, "MB"), (-1, -1, ""),
        ]  # fmt: skip
