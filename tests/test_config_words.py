"""Whatever is wrong in a config.yaml is told by file, line and setting, with what is wanted there, in plain words."""

from pathlib import Path

import pytest

from bounced.config import load
from bounced.errors import ConfigError

GOOD = """\
mailboxes:
  - name: returns
    host: mail.example.org
    user: b
    password: x
"""
KEY = GOOD + "correlation:\n  signing:\n    domains: [b.example]\n    keys:\n      - {id: k1, secret: a, %s}\n"
CANARY = GOOD + "canary: {recipient: a@b.example, sender: c@d.example, %s, smtp: {host: h}}\n"


def box(line: str) -> str:
    """Return the configuration with one line more, the fourth."""
    return GOOD.replace("    user:", f"    {line}\n    user:")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            box("port: imaps"),
            "4: mailboxes[0].port: want a whole number, got 'imaps'",
        ),
        (
            box("port: 70000"),
            "4: mailboxes[0].port: want 65535 or less, got 70000",
        ),
        (
            box("poll_every: 5m"),
            "4: mailboxes[0].poll_every: want a number, without a unit, got '5m'",
        ),
        (
            box("poll_every: .inf"),
            "4: mailboxes[0].poll_every: want a number that is not without end, got inf",
        ),
        (
            box("poll_every: -5"),
            "4: mailboxes[0].poll_every: want more than 0, got -5",
        ),
        (box("usr: a"), '4: mailboxes[0].usr: unknown key, did you mean "user"?'),
        (GOOD.replace("    user: b\n", ""), "2: mailboxes[0].user: is required"),
        (
            box("security: ssl"),
            "4: mailboxes[0].security: want 'tls', 'starttls' or 'plain', got 'ssl'",
        ),
        (
            GOOD.replace("returns", "my returns"),
            "2: mailboxes[0].name: want a name of 1 to 64 of A-Z a-z 0-9 . _ - without blanks, got 'my returns'",
        ),
        (
            "mailboxes:\n  name: returns\n",
            "1: mailboxes: want a list: put a - before the first line of each of its entries",
        ),
        (
            "http:\n",
            "1: http: want settings, each as NAME: VALUE; nothing stands there: "
            "take the line away, and the defaults hold",
        ),
        ("policy: strict\n", "1: policy: want settings, each as NAME: VALUE, got 'strict'"),
        ("http: {enabled: perhaps}\n", "1: http.enabled: want true or false, got 'perhaps'"),
        ("limits: {recipients: 2.5}\n", "1: limits.recipients: want a whole number, got 2.5"),
        ("rules: {local: 7}\n", "1: rules.local: want a path, got 7"),
        (
            "webhooks:\n  - {name: a, url: ftp://x, secret: b}\n",
            "2: webhooks[0].url: want a URL that begins with https:// or http://, got 'ftp://x'",
        ),
        (
            KEY % "not_after: 2027-01-31",
            "10: correlation.signing.keys[0].not_after: want a time with its zone, such as 2027-01-31T00:00:00Z",
        ),
        (CANARY % "every_hours: daily", "6: canary.every_hours: want a number, without a unit, got 'daily'"),
        (
            GOOD.replace("    user:", "\tuser:"),
            "4: is not YAML: found character '\\t' that cannot start any token (character 1)"
            ": indent with blanks, never with tabs",
        ),
        (
            GOOD + "webhooks: [\n",
            "7: is not YAML: expected the node content, but found '<stream end>' (character 1)"
            ": a bracket or a quote was opened above and not closed",
        ),
        (
            "log:\n  level: debug: info\n",
            "2: is not YAML: mapping values are not allowed here (character 15)"
            ": quote a text that holds a colon; indent lines alike",
        ),
    ],
)
def test_a_mistake_is_told_so_that_it_can_be_mended(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)

    with pytest.raises(ConfigError) as caught:
        load(path, {})

    assert f"{path}: line {told}" in caught.value.problems


def test_what_is_no_text_is_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"log: {level: \xff}\n")

    with pytest.raises(ConfigError, match="is no text in UTF-8: octet 14"):
        load(path, {})
