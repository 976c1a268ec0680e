"""Thresholds: what it takes to suppress an address, and for how long."""

import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, PrivateAttr, Tag

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


def _known_reasons(given: object) -> object:
    """Return what was given. Raises ValueError for a reason that there is not."""
    for reason in given if isinstance(given, Mapping) else ():
        if reason not in set(Reason):
            near = difflib.get_close_matches(str(reason), list(Reason), 1)
            raise ValueError(f'there is no reason "{reason}"' + (f', did you mean "{near[0]}"?' if near else ""))
    return given


def _over_reasons(given: object) -> object:
    """Return the shipped thresholds with what the operator wrote on top, setting by setting."""
    if not isinstance(given, Mapping):
        return given
    merged: dict[str, object] = dict(_REASONS)
    _known_reasons(given)
    for reason, threshold in given.items():
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


class Scope(Section):
    """What differs for mail of one list or stream: scopes and thresholds, each over those of the policy."""

    name: str = Field(min_length=1)
    scope: str | None = None
    complaint_scope: str | None = None
    unsubscribe_scope: str | None = None
    reasons: Annotated[Mapping[Reason, Cost], BeforeValidator(_known_reasons)] = Field(default_factory=dict)
    soft: Threshold | None = None


class Window(Section):
    """So many dead addresses within so many hours are never too many."""

    hours: float = Field(ge=0.25, le=168)
    at_least: int = Field(ge=5)


class Waves(Section):
    """When too many addresses of one provider are reported dead at once to be believed, and for how long they wait.

    Too many is more than `times` the third-busiest such span of the days before, the more so where as many times
    more providers than usual see dead addresses; and never less than a window's `at_least`.
    """

    enabled: bool = True
    windows: tuple[Window, ...] = (Window(hours=1, at_least=50), Window(hours=24, at_least=90))
    times: float = Field(default=3, ge=1, le=100)
    history_days: int = Field(default=28, ge=1, le=90)
    join_hours: float = Field(default=6, ge=0, le=72)
    quiet_hours: float = Field(default=6, gt=0, le=168)
    longest_hours: float = Field(default=72, gt=0, le=720)
    again_days: float = Field(default=7, ge=0, le=90)
    on_close: Literal["judge", "ask", "release"] = "judge"


class Alarms(Section):
    """When refusals that are the sender's or the message's fault raise an alarm."""

    enabled: bool = True
    hours: float = Field(default=1, ge=0.25, le=168)
    at_least: int = Field(default=20, ge=1)
    times: float = Field(default=3, ge=1, le=100)
    quiet_hours: float = Field(default=3, gt=0, le=168)


class Policy(Section):
    """What the suppression table does: thresholds by reason, and the scope each cause suppresses in.

    A reason without a threshold of its own is counted with the other soft ones. The fault stands above the
    reason: what is the sender's or the message's fault never suppresses, whatever is written here.
    """

    scope: str = "*"
    complaint_scope: str = "*"
    unsubscribe_scope: str = "*"
    scopes: tuple[Scope, ...] = ()
    allow: tuple[Reporter, ...] = ()
    reasons: Annotated[Mapping[Reason, Cost], BeforeValidator(_over_reasons)] = Field(default_factory=dict)
    soft: Annotated[Threshold, BeforeValidator(_over_soft)] = Field(default_factory=lambda: Threshold(**_SOFT))
    disputed: Literal["keep", "release"] = "keep"
    waves: Waves = Waves()
    alarms: Alarms = Alarms()
    strikes: int = Field(default=3, ge=1, le=20)
    _apart: str = PrivateAttr(default="")
    _made: "Mapping[str, Policy]" = PrivateAttr(default_factory=dict)

    @property
    def apart(self) -> str:
        """What tells counters apart that have thresholds of their own; nothing where they are the common ones."""
        return self._apart if self.scopes else ""

    def of(self, list_: str | None, stream: str | None) -> "Policy":
        """Return the policy for mail of that list, or else of that stream, or else for all."""
        if not self.scopes:
            return self
        names = (_name(list_), _name(stream))
        return next((self._made[name] for name in names if name in self._made), self)

    def within(self, scope: str) -> "Policy":
        """Return the policy whose failures suppress in that scope."""
        return next((made for made in self._made.values() if made.scope == scope and made.apart), self)

    def model_post_init(self, _context: object) -> None:
        """Make the policy of each scope once."""
        self._made = {_name(scope.name): self._with(scope) for scope in self.scopes}

    def _with(self, scope: Scope) -> "Policy":
        own = scope.model_dump(include={"scope", "complaint_scope", "unsubscribe_scope"}, exclude_none=True)
        reasons = {**self.reasons, **{r: _over(self.reasons.get(r), cost) for r, cost in scope.reasons.items()}}
        soft = self.soft if scope.soft is None else _over(self.soft, scope.soft)
        made = self.model_copy(update={**own, "reasons": reasons, "soft": soft})
        made._apart = f" of {_name(scope.name)}" if scope.reasons or scope.soft else ""
        made._made = {}
        return made


def _name(text: str | None) -> str:
    return (text or "").strip().strip("<>").lower()


def _over(common: Cost | None, own: Cost) -> Cost:
    """Return a threshold with the settings that were written on top of the common one."""
    if isinstance(common, Threshold) and isinstance(own, Threshold):
        return common.model_copy(update=own.model_dump(exclude_unset=True))
    return own
