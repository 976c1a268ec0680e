"""Thresholds: what it takes to suppress an address, and for how long."""

import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from bounced.config.base import Reporter, Section
from bounced.model import Reason


class Threshold(Section):
    """How often, and how far apart, before an address is suppressed, and for how long."""

    count: int = Field(default=1, ge=1)
    distinct_days: int = Field(default=1, ge=1)
    span_days: float = Field(default=0, ge=0, le=3650)
    within_days: float = Field(default=30, gt=0, le=3650)
    apart_hours: float = Field(default=0, ge=0, le=87_600)
    suppress_days: float | None = Field(default=None, gt=0, le=3650)
    probation_days: float | None = Field(default=None, gt=0, le=3650)


#: Failures that do not say the address is bad: counted together, one a day.
_SOFT: Mapping[str, Any] = MappingProxyType(
    {"count": 5, "distinct_days": 3, "span_days": 7, "within_days": 30, "suppress_days": 90, "probation_days": 90}
)

#: What a failure or complaint costs, by reason; every reason not named here is counted as `soft`.
_REASONS: Mapping[str, Mapping[str, Any] | str] = MappingProxyType(
    {
        Reason.MAILBOX_UNKNOWN: {"count": 1},
        Reason.ADDRESS_CHANGED: {"count": 1},
        Reason.MAILBOX_DISABLED: {"count": 1, "suppress_days": 180},
        Reason.MAILBOX_INACTIVE: {"count": 2, "within_days": 30, "suppress_days": 180},
        Reason.DOMAIN_MISSING: {"count": 2, "apart_hours": 72},
        Reason.ABUSE: {"count": 1},
        Reason.FRAUD: {"count": 1},
        **dict.fromkeys(
            (
                Reason.VIRUS,
                Reason.OTHER,
                Reason.CONTENT_BLOCK,
                Reason.REPUTATION_BLOCK,
                Reason.AUTH_FAILURE,
                Reason.RATE_LIMITED,
                Reason.GREYLISTED,
                Reason.TOO_BIG,
                Reason.RELAY_DENIED,
                Reason.RECIPIENT_RESTRICTED,
                Reason.ROUTING_LOOP,
                Reason.PROTOCOL,
                Reason.ENCRYPTION_REQUIRED,
                Reason.SENDER_INVALID,
                Reason.SENDER_ACCOUNT,
            ),
            "never",
        ),
    }
)


def _over_soft(given: object) -> object:
    """Return the shipped soft threshold with what the operator wrote on top."""
    return {**_SOFT, **given} if isinstance(given, Mapping) else given


def _over_reasons(given: object) -> object:
    """Return the shipped thresholds with what the operator wrote on top, setting by setting."""
    if not isinstance(given, Mapping):
        return given
    merged: dict[str, object] = dict(_REASONS)
    for reason, threshold in given.items():
        if reason not in set(Reason):
            near = difflib.get_close_matches(str(reason), list(Reason), 1)
            raise ValueError(f'there is no reason "{reason}"' + (f', did you mean "{near[0]}"?' if near else ""))
        shipped = _REASONS.get(reason)
        if isinstance(threshold, Mapping) and isinstance(shipped, Mapping):
            threshold = {**shipped, **threshold}
        merged[reason] = threshold
    return merged


def _cost_kind(given: object) -> str:
    return "word" if isinstance(given, str) else "threshold"


Cost = Annotated[
    Annotated[Threshold, Tag("threshold")] | Annotated[Literal["never", "soft"], Tag("word")],
    Discriminator(_cost_kind),
]


class Policy(Section):
    """What the suppression table does: thresholds by reason, and the scope each cause suppresses in.

    A reason without a threshold of its own is counted with the other soft ones. The fault stands above the
    reason: what is the sender's or the message's fault never suppresses, whatever is written here.
    """

    scope: str = "*"
    complaint_scope: str = "*"
    unsubscribe_scope: str = "*"
    allow: tuple[Reporter, ...] = ()
    reasons: Annotated[Mapping[Reason, Cost], BeforeValidator(_over_reasons)] = Field(default_factory=dict)
    soft: Annotated[Threshold, BeforeValidator(_over_soft)] = Field(default_factory=lambda: Threshold(**_SOFT))
    strikes: int = Field(default=3, ge=1, le=20)
