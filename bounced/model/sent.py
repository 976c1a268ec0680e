"""What the operator's records say of mails sent, and what a report refers to there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bounced.model.report import Tags


@dataclass(frozen=True, slots=True)
class Sent:
    """One mail to one recipient, normalised, under the id that a token or an ENVID refers to.

    `message_id` is without its angle brackets.
    """

    id: str
    recipient: str
    message_id: str | None = None
    tags: Tags = field(default_factory=Tags)
    at: datetime | None = None
    return_path: str | None = None


@dataclass(frozen=True, slots=True)
class References:
    """What a report refers to, to be looked up before it is correlated: record ids, Message-IDs, marks of tags.

    `recipients` are the addresses that it names: a Message-ID may be that of a million mails.
    """

    ids: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Records:
    """What was found: by record id or ENVID, by Message-ID, and what the marks in short tokens stand for.

    Of the mails of one Message-ID, which several recipients may share, those to the addresses asked for, and
    always two if there are two.
    """

    by_id: Mapping[str, Sent] = field(default_factory=dict)
    by_message_id: Mapping[str, tuple[Sent, ...]] = field(default_factory=dict)
    by_mark: Mapping[str, Tags] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """True if anything was found."""
        return bool(self.by_id or self.by_message_id or self.by_mark)
