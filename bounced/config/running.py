"""What the program runs on: database, limits, rules, endpoints, HTTP and log."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzlocal
from pydantic import AfterValidator, Field

from bounced.config.base import Domain, Seconds, SecretSetting, Section


class Database(Section):
    url: str = "sqlite:///bounced.db"
    busy_timeout: Seconds = 10
    pool_size: int = Field(default=5, ge=1, le=100)


class Limits(Section):
    """What one message, and one batch, may cost. What exceeds a limit is quarantined with the reason."""

    message_bytes: int = Field(default=10_000_000, ge=10_000)
    header_bytes: int = Field(default=262_144, ge=1_000)
    header_lines: int = Field(default=1_000, ge=50)
    mime_depth: int = Field(default=10, ge=2, le=50)
    mime_parts: int = Field(default=200, ge=3)
    decoded_bytes: int = Field(default=20_000_000, ge=10_000)
    recipients: int = Field(default=500, ge=1)
    seconds: Seconds = 10
    batch_bytes: int = Field(default=50_000_000, ge=100_000)
    workers: int = Field(default=0, ge=0, le=256)


class Rules(Section):
    local: Path | None = None


class Webhook(Section):
    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    url: str = Field(pattern=r"^https?://[^\s/]+")
    secret: SecretSetting
    previous_secret: SecretSetting | None = None
    types: tuple[str, ...] = ("*",)
    timeout: Seconds = 10
    allow_private_address: bool = False
    ca_file: Path | None = None
    attempts: int = Field(default=12, ge=1, le=100)


class Http(Section):
    enabled: bool = True
    host: str = "127.0.0.1"
    port: int = Field(default=8025, ge=0, le=65535)
    pages: bool = True
    names: tuple[Domain, ...] = ()
    import_bytes: int = Field(default=200_000_000, ge=1_000)
    session_hours: float = Field(default=8, gt=0, le=720)
    session_idle_minutes: float = Field(default=60, gt=0, le=43_200)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):  # folders, other files, and paths that lead out
        raise ValueError("want the name of a time zone, such as Europe/Berlin") from None
    return name


class Reports(Section):
    timezone: Annotated[str, AfterValidator(_zone)] | None = None

    @property
    def zone(self) -> str:
        """The time zone whose days are counted: that of the system where none is named, else UTC."""
        if self.timezone:
            return self.timezone
        with suppress(ValueError, LookupError, OSError):
            name = tzlocal.get_localzone_name()
            return _zone(name) if name else "UTC"
        return "UTC"


class Log(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"
