"""What is kept of people, how much of it and for how long."""

from typing import Literal, Self

from pydantic import Field, model_validator

from bounced.config.base import SecretSetting, Section


class Evidence(Section):
    """The reports themselves, compressed, so that they can be looked at and judged again. 0 in either keeps none."""

    keep_days: float = Field(default=90, ge=0, le=3650)
    max_bytes: int = Field(default=131_072, ge=0, le=10_000_000)

    @property
    def kept(self) -> bool:
        """True if any report is kept."""
        return self.keep_days > 0 and self.max_bytes > 0


class Privacy(Section):
    """How long what is known of people is kept (null: without end), and whether addresses are, or their hashes.

    The key is that of the hashes: of all addresses, or of those who must be forgotten.
    """

    addresses: Literal["plain", "hashed"] = "plain"
    key: SecretSetting | None = None
    events_days: float | None = Field(default=None, ge=60, le=36_500)
    diagnostics_days: float | None = Field(default=None, ge=1, le=36_500)
    notifications_days: float = Field(default=30, ge=1, le=3650)

    @property
    def hashed(self) -> bool:
        """True if no address is kept."""
        return self.addresses == "hashed"

    @model_validator(mode="after")
    def _hashes_want_a_key(self) -> Self:
        if self.hashed and self.key is None:
            raise ValueError("addresses: hashed needs a key (privacy.key)")
        return self
