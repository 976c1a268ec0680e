"""config.yaml becomes one object, or a list of everything that is wrong with it."""

import pickle
from pathlib import Path

import pytest

from bounced.config import ImapMailbox, load, parse
from bounced.errors import ConfigError

MAILBOX = {"name": "b", "kind": "imap", "host": "imap.example.net", "user": "u", "password": "hush"}


def problems(data: object) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse(data, {})
    return caught.value.problems


def test_every_problem_is_listed_at_once_by_path() -> None:
    """Nobody mends a configuration one start at a time."""
    found = problems(
        {"mailboxes": [MAILBOX | {"port": "imaps"}], "webhooks": [{"name": "n", "url": "https://h/", "secert": "x"}]}
    )

    assert [p.partition(":")[0] for p in found] == ["mailboxes[0].port", "webhooks[0].secret", "webhooks[0].secert"]
    assert 'did you mean "secret"?' in found[2]


def test_no_problem_shows_a_secret() -> None:
    """A secret of the wrong form is not printed to the journal."""
    found = problems({"mailboxes": [MAILBOX | {"password": 31337}]})

    assert found
    assert "31337" not in "".join(found)


def test_plain_text_to_another_host_needs_so_many_words() -> None:
    """Loopback is fine; elsewhere the operator must say it."""
    plain = MAILBOX | {"security": "plain"}

    assert "allow_plaintext_to_remote_host" in problems({"mailboxes": [plain]})[0]
    assert parse({"mailboxes": [plain | {"host": "127.0.0.1"}]}, {})
    assert parse({"mailboxes": [plain | {"allow_plaintext_to_remote_host": True}]}, {})


def test_a_secret_is_read_when_it_is_needed(tmp_path: Path) -> None:
    """A file may change between two logins; a final line break is no part of it."""
    place = tmp_path / "password"
    place.write_text("one\n")
    mailbox = parse({"mailboxes": [MAILBOX | {"password": {"file": str(place)}}]}, {}).mailboxes[0]
    assert isinstance(mailbox, ImapMailbox)
    assert mailbox.password

    assert mailbox.password.read() == "one"
    place.write_text("two\n")
    assert mailbox.password.read() == "two"


@pytest.mark.parametrize(
    ("secret", "environ", "wanted"),
    [
        ({"env": "PW"}, {"PW": "hush"}, "hush"),
        ({"value": "hush"}, {}, "hush"),
        ("hush", {}, "hush"),
    ],
)
def test_where_a_secret_may_be_kept(secret: object, environ: dict[str, str], wanted: str) -> None:
    """Environment, or the value itself for a test."""
    mailbox = parse({"mailboxes": [MAILBOX | {"password": secret}]}, environ).mailboxes[0]
    assert isinstance(mailbox, ImapMailbox)
    assert mailbox.password

    assert mailbox.password.read() == wanted


def test_a_credential_comes_from_systemd(tmp_path: Path) -> None:
    """LoadCredential= puts a file below CREDENTIALS_DIRECTORY; without it the message says what to do."""
    (tmp_path / "imap").write_text("hush")
    data = {"mailboxes": [MAILBOX | {"password": {"credential": "imap"}}]}
    there = parse(data, {"CREDENTIALS_DIRECTORY": str(tmp_path)}).mailboxes[0]
    absent = parse(data, {}).mailboxes[0]
    assert isinstance(there, ImapMailbox) and isinstance(absent, ImapMailbox)
    assert there.password and absent.password

    assert there.password.read() == "hush"
    with pytest.raises(ConfigError, match="use file:"):
        absent.password.read()


def test_a_file_that_is_absent_or_no_yaml_says_so(tmp_path: Path) -> None:
    """The path stands in the message."""
    bad = tmp_path / "config.yaml"
    bad.write_text("a: [")

    with pytest.raises(ConfigError, match="is not YAML"):
        load(bad)
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.yaml")


def test_two_mailboxes_of_one_name_are_refused() -> None:
    """State is kept by name."""
    assert "used twice" in problems({"mailboxes": [MAILBOX, MAILBOX]})[0]


def test_a_configuration_can_be_sent_to_another_process() -> None:
    """The processes that judge get the same one, secrets included."""
    config = parse({"mailboxes": [MAILBOX | {"password": {"env": "PW"}}]}, {"PW": "hush"})
    again = pickle.loads(pickle.dumps(config)).mailboxes[0]

    assert again.password.read() == "hush"


def loaded(folder: Path, text: str) -> list[str]:
    """Return what is wrong with a config.yaml of this text, each less the path of the file, which it begins with."""
    path = folder / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert all(problem.startswith(f"{path}: ") for problem in caught.value.problems)
    return [problem.removeprefix(f"{path}: ") for problem in caught.value.problems]


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """YAML would drop the first block of mailboxes without a word."""
    assert loaded(tmp_path, "mailboxes: []\nhttp: {port: 1, port: 2}\nmailboxes: []\n") == [
        "line 2: http.port: stands already in line 2; put both into one",
        "line 3: mailboxes: stands already in line 1; put both into one",
    ]


def test_a_problem_names_file_and_line(tmp_path: Path) -> None:
    """What is missing is told at its section."""
    found = loaded(tmp_path, "log:\n  levle: info\nwebhooks:\n  - name: n\n    url: https://h/\n")

    assert [problem.rpartition(":")[0] for problem in found] == ["line 4: webhooks[0].secret", "line 2: log.levle"]


def test_traps_of_yaml_are_told_in_plain_words(tmp_path: Path) -> None:
    """A truth value where a text is wanted, a text where a list is."""
    lists, truth = loaded(tmp_path, "log: {level: off}\ncorrelation: {domains: example.org}\n")

    assert lists == "line 2: correlation.domains: want a list, for instance [example.org]"
    assert truth.startswith("line 1: log.level: want 'debug'")
    assert 'quote it ("off")' in truth


def test_a_document_that_holds_itself_is_refused(tmp_path: Path) -> None:
    """Anchors may make a ring."""
    assert loaded(tmp_path, "a: &a [*a]\n") == ["line 1: a: unknown key"]
