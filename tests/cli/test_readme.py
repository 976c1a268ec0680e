"""What the README says to type can be typed, and what it says to write can be loaded."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from bounced.cli.app import app
from bounced.cli.demo_mails import Story
from bounced.config import Limits, parse
from tests.cli.conftest import Run

README = (Path(__file__).parents[2] / "README.md").read_text()
COMMANDS = list(dict.fromkeys(re.findall(r"^\$ bounced (.*)$", README, re.M)))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.M | re.S)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_right_as_it_stands(polled: Run, home: Path, mails: list[Story], command: str) -> None:
    """It may say yes or no; it is no wrong usage, and need not be tried later."""
    (home / "mails/erika.eml").write_bytes(mails[0].content)

    done = polled(*shlex.split(command))

    assert done.returncode in (0, 1), done.stderr
    assert done.stdout.strip()


def test_there_are_commands_to_try() -> None:
    assert len(COMMANDS) > 12


def test_the_first_configuration_can_be_used() -> None:
    (text,) = blocks("yaml")

    config = parse(yaml.safe_load(text), {})

    assert config.mailboxes[0].name == "returns"
    assert config.limits == Limits()


def test_every_command_has_its_line_in_the_table() -> None:
    """And the table names none that does not exist."""
    table = README.partition("| command |")[2].partition("\n\n")[0].replace("\\|", "/")
    cells = [row.split("|")[1] for row in table.splitlines()[2:]]
    named = {words.split()[0] for words in re.findall(r"`([a-z][^`]*)`", "\n".join(cells))}
    exist = {c.name or getattr(c.callback, "__name__", "") for c in app.registered_commands}
    exist |= {group.name or "" for group in app.registered_groups}

    assert named | {"demo"} == exist


def test_the_makefile_has_the_two_commands() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()

    assert re.search(r"^demo: ", makefile, re.M)
    assert re.search(r"^test: ", makefile, re.M)
