"""config.yaml is the manual: complete, right, and at the defaults."""

import re
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from bounced.config import Config, Secret, load, parse

FILE = Path(__file__).parents[2] / "config.yaml"


def uncommented() -> object:
    """Return the file as it reads when every setting and every example in it is uncommented."""
    lines = (re.sub(r"^#(?! [^ ]|$)", "", line) for line in FILE.read_text().splitlines())
    return yaml.safe_load("\n".join(lines))


def models(kind: object) -> Iterator[type[BaseModel]]:
    """Yield every section that a setting of this type may hold."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for inner in typing.get_args(kind):
        yield from models(inner)


def settings(section: type[BaseModel], path: str = "") -> Iterator[str]:
    """Yield the path of every setting, without numbers: `mailboxes.after.mode`."""
    for name, field in section.model_fields.items():
        here = f"{path}.{name}".lstrip(".")
        yield here
        for inner in models(field.annotation):
            if inner is not Secret:
                yield from settings(inner, here)


def written(data: object, path: str = "") -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield f"{path}.{key}".lstrip(".")
            yield from written(value, f"{path}.{key}".lstrip("."))
    elif isinstance(data, list):
        for item in data:
            yield from written(item, path)


def test_as_shipped_it_says_nothing_but_the_defaults() -> None:
    assert load(FILE, {}) == Config()


def test_every_example_in_it_can_be_used() -> None:
    config = parse(uncommented(), {})

    assert [m.kind for m in config.mailboxes] == ["imap", "imap", "imap", "imap", "maildir"]
    assert config.webhooks[0].types == ("bounce.hard", "complaint.received", "suppression.created")


@pytest.mark.parametrize("path", sorted(set(settings(Config))))
def test_every_setting_is_explained(path: str) -> None:
    """A setting that is not in the file has no paragraph: write one."""
    found = set(written(uncommented()))
    # thresholds are explained where they stand by reason
    found |= {p.replace("policy.reasons.mailbox_inactive", "policy.reasons") for p in found}
    # and those of a scope where they stand for all
    found |= {p.replace("policy.", "policy.scopes.", 1) for p in found}

    assert path in found


def test_no_setting_in_it_is_unknown() -> None:
    known = set(settings(Config))
    found = {re.sub(r"(policy\.(scopes\.)?reasons)\.\w+", r"\1", p) for p in written(uncommented())}
    secrets = {"file", "credential", "env", "value"}

    assert {p for p in found if p.rpartition(".")[2] not in secrets} <= known
