"""What the operator's records say of mails sent, as handed to the correlator: it looks nothing up itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bounced.model import Tags


@dataclass(frozen=True, slots=True)
class Sent:
    """One mail to one recipient, normalised, under the id that a token or an ENVID refers to."""

    id: str
    recipient: str
    message_id: str | None = None
    tags: Tags = field(default_factory=Tags)


@dataclass(frozen=True, slots=True)
class References:
    """What a report refers to, to be looked up before it is correlated: record ids and Message-IDs."""

    ids: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Records:
    """What was found: by record id or ENVID, and by Message-ID, which several recipients may share."""

    by_id: Mapping[str, Sent] = field(default_factory=dict)
    by_message_id: Mapping[str, tuple[Sent, ...]] = field(default_factory=dict)


NO_RECORDS = Records()
