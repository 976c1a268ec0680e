"""Rules that cannot be used stop the start, each named with its file, its id and what to do."""

import pytest

from bounced.classify import Rules
from bounced.errors import ConfigError

GOOD = """
- id: one
  when: {text: 'purple'}
  reason: content_block
  because: Purple mail is not wanted.
  matches: ['550 purple mail']
  rejects: ['550 green mail']
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with one rule that can be used."""
    (tmp_path / "10-good.yaml").write_text(GOOD, encoding="utf-8")
    return tmp_path


def problems(folder, text, name="20-bad.yaml"):
    """What loading says of a folder after one more file was put there."""
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        Rules.load(shipped=folder)
    return caught.value.problems


def rule(**changes):
    """A rule in YAML with some of its lines changed; None leaves one out."""
    lines = {
        "id": "two",
        "when": "{text: 'orange'}",
        "reason": "content_block",
        "because": "Orange.",
        "matches": "['550 orange mail']",
        "rejects": "['550 green mail']",
    } | changes
    kept = [f"{key}: {value}" for key, value in lines.items() if value is not None]
    return "- " + "\n  ".join(kept) + "\n"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"when": "{text: '(?<=a)b'}"}, "RE2 does not take the pattern"),
        ({"when": "{text: 'a%{nowhere}b'}"}, "unknown word %{nowhere}"),
        ({"when": "{texd: 'a'}"}, "unknown key 'texd', did you mean 'text'?"),
        ({"when": "{unless: 'a'}"}, "want a condition in `when`"),
        ({"when": "{text: 5}"}, "when.text: want text in quotes"),
        ({"when": "{status: ['5.1']}"}, "when.status: got '5.1', want masks such as"),
        ({"when": "{reply_code: ['5500']}"}, "when.reply_code: got '5500'"),
        ({"when": "{text: 'a', final: 'yes'}"}, "when.final: want true or false"),
        ({"when": "[a]"}, "when: want keys and values, got list"),
        ({"reason": "mailbox_ful"}, "did you mean 'mailbox_full'?"),
        ({"reason": "abuse"}, "reason: got 'abuse'"),
        ({"fault": "nobody"}, "fault: got 'nobody'"),
        ({"category": "hard"}, "category: got 'hard', want one of soft"),
        ({"because": None}, "want `because`"),
        ({"matches": None}, "want at least one text in `matches`"),
        ({"rejects": "[]"}, "want at least one text in `rejects`"),
        ({"matches": "[{mta: 'x'}]"}, "matches: want a text"),
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"matches": "['550 blue mail']"}, "nothing holds for its own match '550 blue mail'"),
        ({"matches": "['550 orange mail', '550 purple orange']"}, "'550 purple orange' is taken by one (10-good.yaml)"),
        ({"matches": "['550 purple orange']"}, "shadowed by one (10-good.yaml)"),
        ({"rejects": "['550 orange juice']"}, "it takes '550 orange juice', which it lists in `rejects`"),
    ],
)
def test_a_rule_that_cannot_be_used_is_named_with_what_to_do(folder, changes, said):
    """File and id first, then the fault and the way out."""
    (problem,) = problems(folder, rule(**changes))

    assert problem.startswith("20-bad.yaml: two: ")
    assert said in problem


def test_a_rule_without_a_usable_id_is_told_by_its_place(folder):
    """There is no id to name."""
    (problem,) = problems(folder, rule(id="Two!"))

    assert problem.startswith("20-bad.yaml: Two!: want an id")


def test_an_id_used_twice_is_told_at_both_places(folder):
    """Nobody could tell which of them fired."""
    found = problems(folder, rule(id="one"))

    assert [problem.split(":")[0] for problem in found] == ["10-good.yaml", "20-bad.yaml"]
    assert all("used 2 times" in problem for problem in found)


@pytest.mark.parametrize(
    ("text", "said"),
    [("a: b", "want a list of rules"), ("- [", "cannot be read"), ("- 5", "want keys and values, got int")],
)
def test_a_file_that_is_no_list_of_rules_is_named(folder, text, said):
    """By its file name, as there is no id."""
    (problem,) = problems(folder, text)

    assert problem.startswith("20-bad.yaml: ")
    assert said in problem


def test_broken_yaml_is_told_by_file_and_line(folder):
    """Not as "<unicode string>", which names nothing."""
    (problem,) = problems(folder, "- id: one\n- [\n")

    assert "20-bad.yaml" in problem.partition("line")[0].partition("cannot be read")[2]
    assert "unicode string" not in problem


def test_bytes_that_are_no_text_are_told(folder):
    """A file in another charset."""
    (folder / "20-bad.yaml").write_bytes(b"- id: \xff\xfe")

    with pytest.raises(ConfigError, match=r"20-bad\.yaml: cannot be read"):
        Rules.load(shipped=folder)


def test_all_faults_are_told_at_once(folder):
    """One start, one list."""
    found = problems(folder, rule(reason="nonsense") + rule(id="three", because=None))

    assert [problem.split(": ")[1] for problem in found] == ["two", "three"]


def test_words_are_put_in_and_a_bad_one_is_told(folder):
    """`%{name}` stands for what words.yaml says."""
    (folder / "words.yaml").write_text("fruit: ['orange', 'apple']\n")
    (folder / "20-fruit.yaml").write_text(rule(when="{text: '%{fruit} mail'}"))

    assert Rules.load(shipped=folder).classify_reply("550 apple mail").rule == "two"
    assert problems(folder, "fruit: '('\n", "words.yaml")[0].startswith("words.yaml: fruit: RE2 does not take")


def test_an_absent_folder_is_told(tmp_path):
    """Shipped or the operator's own."""
    with pytest.raises(ConfigError, match="no such folder of rules"):
        Rules.load(local=tmp_path / "nowhere")


def test_rules_of_the_operator_come_first_and_may_overrule_shipped_ones(folder, tmp_path):
    """His examples are held to the whole set, the shipped ones to the shipped set."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.yaml").write_text(rule(id="mine", when="{text: 'purple'}", matches="['550 purple mail']"))
    rules = Rules.load(shipped=folder, local=own)

    assert rules.classify_reply("550 purple mail").rule == "mine"
    assert [known.local for known in rules.rules] == [True, False]


def test_the_operators_own_examples_must_hold(folder, tmp_path):
    """Also when a shipped rule is what takes them."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.yaml").write_text(rule(id="mine", matches="['550 purple mail']"))

    with pytest.raises(ConfigError, match=r"mine\.yaml: mine: shadowed by one"):
        Rules.load(shipped=folder, local=own)


def test_the_operators_providers_add_to_the_table(folder, tmp_path):
    """A host of his own may be given a provider."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "providers.csv").write_text("provider,kind,suffix\nacme,mx,mx.acme.example\n")

    assert Rules.load(shipped=folder, local=own).provider_of(None, "a.mx.acme.example") == "acme"
