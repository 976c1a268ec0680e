"""What every section is made of: strict forms, secrets, and the types that several sections use."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

import re2
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from bounced.address import normalise, normalise_domain
from bounced.errors import ConfigError

_QUIET = re2.Options()
_QUIET.log_errors = False


def _domain(value: object) -> object:
    normal = normalise_domain(value) if isinstance(value, str) else None
    if normal is None:
        raise ValueError("want a domain name")
    return normal


def _reporter(value: object) -> object:
    if isinstance(value, str) and "@" in value:
        normal = normalise(value)
        if normal is None:
            raise ValueError("want a domain name or a mail address")
        return normal
    return _domain(value)


def _pattern(value: str) -> str:
    try:
        re2.compile(value, _QUIET)
    except re2.error as exc:
        raise ValueError(f"is no regular expression (RE2): {exc}") from exc
    return value


Domain = Annotated[str, BeforeValidator(_domain)]
Reporter = Annotated[str, BeforeValidator(_reporter)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Secret(Section):
    """Where a secret is kept: one of a file, an environment variable, a systemd credential, or the value itself."""

    file: Path | None = None
    env: str | None = None
    credential: str | None = None
    value: str | None = Field(default=None, repr=False)
    _environ: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(x is not None for x in (self.file, self.env, self.credential, self.value)) != 1:
            raise ValueError("want exactly one of file, env, credential, value")
        return self

    def read(self) -> str:
        """Return the secret, read afresh, without the final line break. Raises ConfigError if it is not there."""
        if self.value is not None:
            return self.value
        if self.env is not None:
            if self.env not in self._environ:
                raise ConfigError([f"environment variable {self.env} is not set"])
            return self._environ[self.env]
        path = self._path()
        try:
            return path.read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigError([f"cannot read the secret in {path}: {exc}"]) from exc

    def _path(self) -> Path:
        if self.file is not None:
            return self.file
        folder = self._environ.get("CREDENTIALS_DIRECTORY")
        if folder is None:
            raise ConfigError(
                [f"credential {self.credential}: no CREDENTIALS_DIRECTORY; start by systemd, or use file:"]
            )
        return Path(folder, self.credential or "")


def _secret(value: object) -> object:
    return {"value": value} if isinstance(value, str) else value


SecretSetting = Annotated[Secret, BeforeValidator(_secret)]
