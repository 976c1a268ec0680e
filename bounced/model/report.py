"""From the raw message to the judgement: what a mail is, claims, and is taken for."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bounced.model.packing import packed
from bounced.model.words import Action, Category, Fault, Kind, Reason, Trust


@packed
@dataclass(frozen=True, slots=True)
class Place:
    """Where a raw message lies. For files, `uid` is derived from the name and `uidvalidity` is 0."""

    mailbox: str
    folder: str
    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Position:
    """How far a folder was read: every UID below `next_uid` is handled, as long as `uidvalidity` holds."""

    uidvalidity: int
    next_uid: int


@packed
@dataclass(frozen=True, slots=True)
class RawMessage:
    """Untouched octets from a mailbox. `size` is the whole, also where `content` was read up to the limit only."""

    place: Place
    content: bytes
    size: int
    received: datetime | None = None

    @property
    def truncated(self) -> bool:
        """True if only the first octets were read."""
        return self.size > len(self.content)

    def digest(self) -> str:
        """SHA-256 of the content, 64 hex digits: the same bytes are the same message, wherever they lie."""
        return hashlib.sha256(self.content).hexdigest()


Headers = tuple[tuple[str, str], ...]


class Original:
    """What a report returns of the mail it speaks of: header fields, decoded and unfolded, in their order.

    Immutable. `headers` may be a function that gives them, raw, and `decode`, of some module, makes values of what is
    raw: most of it is never asked for.
    """

    __slots__ = ("_decode", "_headers", "_names")

    def __init__(
        self, headers: Headers | Callable[[], Headers] = (), decode: Callable[[str], str] | None = None
    ) -> None:
        self._headers = headers
        self._decode = decode
        self._names: tuple[str, ...] | None = None

    @property
    def headers(self) -> Headers:
        """Name and value of every field."""
        decode = self._decode
        return self._raw() if decode is None else tuple([(name, decode(value)) for name, value in self._raw()])

    def names(self) -> tuple[str, ...]:
        """Return the name of every field in lower case, in their order."""
        if self._names is None:
            self._names = tuple([name.lower() for name, _ in self._raw()])
        return self._names

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of the field, in order; names compare without case."""
        name, names = name.lower(), self.names()
        if name not in names:
            return ()
        return tuple([self._value(at) for at, other in enumerate(names) if other == name])

    def first(self, name: str) -> str | None:
        """Return the first value of the field, or None."""
        name, names = name.lower(), self.names()
        return self._value(names.index(name)) if name in names else None

    def _raw(self) -> Headers:
        if callable(self._headers):
            self._headers = self._headers()
        return self._headers

    def _value(self, at: int) -> str:
        value = self._raw()[at][1]
        return value if self._decode is None else self._decode(value)

    def __eq__(self, other: object) -> bool:
        return self.headers == other.headers if isinstance(other, Original) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.headers)

    def __repr__(self) -> str:
        return f"Original(headers={self.headers!r})"


@packed
@dataclass(frozen=True, slots=True)
class Finding:
    """What a report claims about one recipient, in the fields of RFC 3464 section 2.3 and RFC 5321.

    `recipient` is the address this reader holds for the one that failed. `status` is the Status field as
    reported; refining it is the classifier's work. `action` is None in what reports no delivery: a complaint, a
    wish. `text` is the human part that speaks of this recipient, searched only where there is no diagnostic.
    """

    recipient: str | None
    original_recipient: str | None = None
    final_recipient: str | None = None
    action: Action | None = Action.FAILED
    status: str | None = None
    reply_code: str | None = None
    diagnostic: str | None = None
    diagnostic_type: str | None = None
    remote_mta: str | None = None
    will_retry_until: datetime | None = None
    last_attempt: datetime | None = None
    text: str | None = None
    command: str | None = None


@packed
@dataclass(frozen=True, slots=True)
class Feedback:
    """The machine part of a feedback report: RFC 5965, 6591, 9477, and the forms before them."""

    feedback_type: str
    user_agent: str | None = None
    version: str | None = None
    original_mail_from: str | None = None
    original_rcpt_to: tuple[str, ...] = ()
    source_ip: str | None = None
    reported_domain: tuple[str, ...] = ()
    auth_failure: str | None = None
    incidents: int = 1
    cfbl_feedback_id: str | None = None
    redacted: bool = False


@packed
@dataclass(frozen=True, slots=True)
class Envelope:
    """The report mail itself, as far as other stages need it; header text, decoded, unfolded, bounded."""

    message_id: str | None = None
    from_: str | None = None
    subject: str | None = None
    date: datetime | None = None
    return_path: str | None = None
    delivered_to: tuple[str, ...] = ()  # Delivered-To, X-Original-To, Envelope-To, then To
    in_reply_to: tuple[str, ...] = ()  # In-Reply-To and References
    authentication_results: tuple[str, ...] = ()
    auto_submitted: str | None = None


@packed
@dataclass(frozen=True, slots=True)
class Report:
    """What a mail claims: its kind, one finding a recipient, what it returns of the original.

    `subtype` narrows a kind: `vacation`, `left`, `address_change`, `challenge` for automatic replies; `mdn`,
    `calendar`, `ticket`, `dmarc`, `not-spam`, `auth-failure`, `person` for what is `other`.
    `puzzled` is true where the mail is a report yet its reader could not make sense of it: a person looks.
    """

    kind: Kind
    reader: str
    findings: tuple[Finding, ...] = ()
    original: Original | None = None
    envelope: Envelope = Envelope()
    feedback: Feedback | None = None
    subtype: str | None = None
    envelope_id: str | None = None
    reporting_mta: str | None = None
    arrival_date: datetime | None = None
    forwarded: bool = False
    puzzled: bool = False
    notes: tuple[str, ...] = ()


@packed
@dataclass(frozen=True, slots=True)
class Verdict:
    """Category, reason, fault and rule for one finding. `category` is None where nothing failed.

    `rule` is the id of the rule that fired, `matched` the text it fired on, `basis` the fields the verdict
    rested on, `disagreed` what spoke against it (`status 5.1.1 against text "over quota"`).
    """

    finding: Finding
    category: Category | None
    reason: Reason | None
    fault: Fault
    rule: str
    status: str | None = None
    reply_code: str | None = None
    provider: str | None = None
    matched: str | None = None
    basis: tuple[str, ...] = ()
    disagreed: tuple[str, ...] = ()


@packed
@dataclass(frozen=True, slots=True)
class Tags:
    """What the sender said of the mail."""

    campaign: str | None = None
    list: str | None = None
    categories: tuple[str, ...] = ()
    stream: str | None = None


@packed
@dataclass(frozen=True, slots=True)
class Identity:
    """Whose report it is. `recipient` is the address we mailed, normalised; None if nobody can be named.

    `source` names the field that gave the recipient, `why` the reason of the trust, for a person.
    `token` tells the token that signed it from all others: one token yields one hard verdict at most.
    """

    recipient: str | None
    final_recipient: str | None
    trust: Trust
    source: str
    why: str
    message_id: str | None = None
    tags: Tags = field(default_factory=Tags)
    token: str | None = None


@packed
@dataclass(frozen=True, slots=True)
class Judged:
    """One raw message after the pure stages: a report with a verdict and an identity a finding."""

    place: Place
    digest: str
    size: int
    report: Report
    verdicts: tuple[tuple[Verdict, Identity], ...]
    received: datetime | None = None
