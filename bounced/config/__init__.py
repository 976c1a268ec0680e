"""config.yaml -> one validated object. Alone reads the environment, secret files and systemd credentials."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ValidationError, model_validator

from bounced.config.base import Domain, Pattern, Port, Reporter, Seconds, Secret, SecretSetting, Section
from bounced.config.canary import Canary, Submission
from bounced.config.correlation import (
    Correlation,
    HeaderTag,
    SentRecords,
    SentWith,
    Signing,
    SigningKey,
    SubjectTag,
    Tagging,
    TagName,
)
from bounced.config.document import Document, SaidTwice
from bounced.config.lookups import LookupMap, Lookups, SenderScope
from bounced.config.mailboxes import After, FolderMailbox, GoogleToken, ImapMailbox, Mailbox, MicrosoftToken, OAuth
from bounced.config.policy import Alarms, Cost, Policy, Scope, Threshold, Waves, Window
from bounced.config.privacy import Evidence, Privacy
from bounced.config.running import Database, Http, Limits, Log, Reports, Rules, Webhook
from bounced.config.wording import no_yaml, told
from bounced.errors import ConfigError

__all__ = [
    "After",
    "Alarms",
    "Canary",
    "Config",
    "Correlation",
    "Cost",
    "Database",
    "Domain",
    "Evidence",
    "FolderMailbox",
    "GoogleToken",
    "HeaderTag",
    "Http",
    "ImapMailbox",
    "Limits",
    "Log",
    "LookupMap",
    "Lookups",
    "Mailbox",
    "MicrosoftToken",
    "OAuth",
    "Pattern",
    "Policy",
    "Port",
    "Privacy",
    "Reporter",
    "Reports",
    "Rules",
    "Scope",
    "Seconds",
    "Secret",
    "SecretSetting",
    "Section",
    "SenderScope",
    "SentRecords",
    "SentWith",
    "Signing",
    "SigningKey",
    "SubjectTag",
    "Submission",
    "TagName",
    "Tagging",
    "Threshold",
    "Waves",
    "Webhook",
    "Window",
    "load",
    "parse",
    "secret_problems",
]


class Config(Section):
    """The whole of config.yaml."""

    database: Database = Database()
    mailboxes: tuple[Mailbox, ...] = ()
    limits: Limits = Limits()
    rules: Rules = Rules()
    policy: Policy = Policy()
    correlation: Correlation = Correlation()
    evidence: Evidence = Evidence()
    privacy: Privacy = Privacy()
    canary: Canary | None = None
    webhooks: tuple[Webhook, ...] = ()
    http: Http = Http()
    lookups: Lookups = Lookups()
    reports: Reports = Reports()
    log: Log = Log()

    @model_validator(mode="after")
    def _canary_is_signed(self) -> Self:
        if self.canary and not self.correlation.signing.keys:
            raise ValueError("canary: want correlation.signing.keys: by its token its bounce is known")
        return self

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for what, names in (
            ("mailboxes", [m.name for m in self.mailboxes]),
            ("webhooks", [w.name for w in self.webhooks]),
        ):
            twice = sorted({n for n in names if names.count(n) > 1})
            if twice:
                raise ValueError(f"{what}: the name {', '.join(twice)} is used twice")
        return self


def load(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Return the configuration in `path`. Raises ConfigError that lists every problem at once: file, line, path."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as exc:
        raise ConfigError([f"{path}: cannot be read: {exc.strerror or exc}"]) from exc
    except UnicodeDecodeError as exc:
        raise ConfigError([f"{path}: is no text in UTF-8: octet {exc.start + 1} cannot be part of it"]) from exc
    try:
        document = Document.of(text)
    except SaidTwice as exc:
        raise ConfigError(f"{path}: line {line}: {words}" for line, words in exc.problems) from exc
    except yaml.YAMLError as exc:
        raise ConfigError([f"{path}: {no_yaml(exc)}"]) from exc

    def where(place: Sequence[int | str]) -> str:
        line = document.line(place)
        return f"{path}: line {line}: " if line else f"{path}: "

    return _parse({} if document.data is None else document.data, environ, where)


def parse(data: object, environ: Mapping[str, str] | None = None) -> Config:
    """Return the configuration that `data`, a parsed YAML document, describes. Raises ConfigError."""
    return _parse(data, environ, lambda _place: "")


def _parse(data: object, environ: Mapping[str, str] | None, where: Callable[[Sequence[int | str]], str]) -> Config:
    try:
        config = Config.model_validate(data)
    except ValidationError as exc:
        raise ConfigError(where(e["loc"]) + told(e) for e in exc.errors()) from exc
    environ = dict(os.environ if environ is None else environ)
    for _, secret in _secrets(config):
        secret._environ = environ
    return config


def secret_problems(config: Config) -> list[str]:
    """Return one line, beginning with the path of the setting, for each secret that cannot be read now."""
    problems = []
    for path, secret in _secrets(config):
        try:
            secret.read()
        except ConfigError as exc:
            problems.append(f"{path}: {exc}")
    return problems


def _secrets(value: object, path: str = "") -> Iterator[tuple[str, Secret]]:
    """Yield every secret anywhere below `value`, with the path of its setting."""
    if isinstance(value, Secret):
        yield path, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name), f"{path}.{name}".lstrip("."))
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _secrets(item, f"{path}[{number}]")
