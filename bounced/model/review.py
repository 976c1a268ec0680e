"""What a person should look at: reports by their masked wording, and what was said about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bounced.model.words import Category, Fault, Kind, Reason


class Cause(StrEnum):
    """Why a person should look."""

    UNKNOWN = "unknown"  # no rule understands the words
    CODE = "code"  # decided by the reply code alone, whatever the words say
    CONTRADICTION = "contradiction"  # the words say one thing, the codes another
    NOBODY = "nobody"  # a failure that names no address of ours
    PUZZLING = "puzzling"  # a report whose reader could make no sense of it
    QUARANTINE = "quarantine"  # could not be read at all


@dataclass(frozen=True, slots=True)
class Unclear:
    """One event or message that a person should look at.

    `event_id` is None for a message in quarantine, `source` then says where it lies, else which reader took it.
    """

    event_id: str | None
    at: datetime
    cause: Cause
    text: str
    digest: str
    kind: Kind | None = None
    category: Category | None = None
    reason: Reason | None = None
    fault: Fault | None = None
    rule: str = ""
    provider: str | None = None
    address: str | None = None
    status: str | None = None
    reply_code: str | None = None
    remote_mta: str | None = None
    against: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """A person's word on a wording: what came until `at` is not asked about again. `how` says what was done."""

    key: str
    at: datetime
    actor: str
    how: str


@dataclass(frozen=True, slots=True)
class Wording:
    """What has one cause and one masked wording. `key` names both; `examples` are the newest of them. `rule` is the
    one that believed the words, of a contradiction; else empty.

    `providers`, `statuses` and `verdicts` come with their numbers, the most frequent first.
    """

    key: str
    cause: Cause
    text: str
    amount: int
    addresses: int
    providers: Sequence[tuple[str, int]]
    statuses: Sequence[tuple[str, int]]
    verdicts: Sequence[tuple[str, int]]
    first_at: datetime
    last_at: datetime
    examples: Sequence[Unclear]
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rule that somebody thinks of, in the words of a rule file. `text` is an RE2 pattern.

    `fault` and `soft` are None and False where the reason says it all. `provider` limits it to one, and `host` is a
    host of that provider, for the examples.
    """

    id: str
    text: str
    reason: Reason
    because: str
    matches: Sequence[str]
    rejects: Sequence[str]
    provider: str | None = None
    fault: Fault | None = None
    soft: bool = False
    host: str | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A proposal to begin with, and why its reason was guessed; `guessed` is empty where nothing speaks for one."""

    proposal: Proposal
    guessed: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What a proposed rule would come to. `problems` keep it from being used, in words.

    `asked` reports were looked at, of which it would take `hits`, and give `changes` another verdict; `moves` counts
    those by verdict before and after.
    """

    yaml: str
    problems: Sequence[str]
    asked: int = 0
    hits: int = 0
    changes: int = 0
    moves: Sequence[tuple[str, str, int]] = ()
    file: str = ""
