"""The nouns: what the stages hand to each other. Frozen, without I/O; every time is aware and in UTC."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a mail is."""

    BOUNCE = "bounce"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    COMPLAINT = "complaint"
    AUTO_REPLY = "auto_reply"
    UNSUBSCRIBE = "unsubscribe"
    OTHER = "other"


class Category(StrEnum):
    """How bad it is for one recipient; no category where nothing failed."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"


class Fault(StrEnum):
    """Whose fault a failure is. Only the recipient's ever suppresses at once."""

    RECIPIENT = "recipient"
    PROVIDER = "provider"
    SENDER = "sender"
    MESSAGE = "message"
    NETWORK = "network"
    NONE = "none"


class Reason(StrEnum):
    """Why it failed, or, for a complaint, what it complains of."""

    MAILBOX_UNKNOWN = "mailbox_unknown"
    MAILBOX_DISABLED = "mailbox_disabled"
    MAILBOX_INACTIVE = "mailbox_inactive"
    MAILBOX_FULL = "mailbox_full"
    DOMAIN_MISSING = "domain_missing"
    ADDRESS_CHANGED = "address_changed"
    CONTENT_BLOCK = "content_block"
    REPUTATION_BLOCK = "reputation_block"
    AUTH_FAILURE = "auth_failure"
    RATE_LIMITED = "rate_limited"
    GREYLISTED = "greylisted"
    TOO_BIG = "too_big"
    RELAY_DENIED = "relay_denied"
    RECIPIENT_RESTRICTED = "recipient_restricted"
    NETWORK = "network"
    ROUTING_LOOP = "routing_loop"
    PROTOCOL = "protocol"
    ENCRYPTION_REQUIRED = "encryption_required"
    SENDER_INVALID = "sender_invalid"
    SENDER_ACCOUNT = "sender_account"
    RECIPIENT_SYSTEM = "recipient_system"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    ABUSE = "abuse"
    FRAUD = "fraud"
    VIRUS = "virus"
    OTHER = "other"


#: The reasons that can make a final failure `hard`: the address, or its domain, is dead.
DEAD = frozenset(
    {
        Reason.MAILBOX_UNKNOWN,
        Reason.MAILBOX_DISABLED,
        Reason.MAILBOX_INACTIVE,
        Reason.DOMAIN_MISSING,
        Reason.ADDRESS_CHANGED,
    }
)

#: Whose fault each reason is, unless the rule that gave it says otherwise.
FAULT_OF: Mapping[Reason, Fault] = MappingProxyType(
    {
        **dict.fromkeys(DEAD, Fault.RECIPIENT),
        Reason.MAILBOX_FULL: Fault.RECIPIENT,
        Reason.RECIPIENT_RESTRICTED: Fault.SENDER,
        Reason.CONTENT_BLOCK: Fault.MESSAGE,
        Reason.TOO_BIG: Fault.MESSAGE,
        Reason.REPUTATION_BLOCK: Fault.SENDER,
        Reason.AUTH_FAILURE: Fault.SENDER,
        Reason.RATE_LIMITED: Fault.SENDER,
        Reason.GREYLISTED: Fault.PROVIDER,
        Reason.RELAY_DENIED: Fault.SENDER,
        Reason.PROTOCOL: Fault.SENDER,
        Reason.ENCRYPTION_REQUIRED: Fault.SENDER,
        Reason.SENDER_INVALID: Fault.SENDER,
        Reason.SENDER_ACCOUNT: Fault.SENDER,
        Reason.NETWORK: Fault.NETWORK,
        Reason.EXPIRED: Fault.NETWORK,
        Reason.ROUTING_LOOP: Fault.PROVIDER,
        Reason.RECIPIENT_SYSTEM: Fault.PROVIDER,
        Reason.UNKNOWN: Fault.NONE,
        Reason.ABUSE: Fault.MESSAGE,
        Reason.FRAUD: Fault.MESSAGE,
        Reason.VIRUS: Fault.MESSAGE,
        Reason.OTHER: Fault.NONE,
    }
)


class Trust(StrEnum):
    """How strong the evidence is that a report speaks of a mail of ours."""

    SIGNED = "signed"
    MATCHED = "matched"
    CLAIMED = "claimed"


class Action(StrEnum):
    """RFC 3464 section 2.3.3, RFC 3886 section 3.3.2 for the last two."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"
    TRANSFERRED = "transferred"
    OPAQUE = "opaque"


class Disposition(StrEnum):
    """What becomes of a raw message once its effect is committed."""

    PROCESSED = "processed"
    REVIEW = "review"
    QUARANTINE = "quarantine"
    LEFT = "left"  # no report: stays where it is, unread
    RETRY = "retry"  # a strike was stored; comes again with the next poll


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


@dataclass(frozen=True, slots=True)
class Original:
    """What a report returns of the mail it speaks of: header fields, decoded and unfolded, in their order."""

    headers: tuple[tuple[str, str], ...] = ()

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of the field, in order; names compare without case."""
        name = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == name)

    def first(self, name: str) -> str | None:
        """Return the first value of the field, or None."""
        return next(iter(self.all(name)), None)


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
    envelope: Envelope = field(default_factory=Envelope)
    feedback: Feedback | None = None
    subtype: str | None = None
    envelope_id: str | None = None
    reporting_mta: str | None = None
    arrival_date: datetime | None = None
    forwarded: bool = False
    puzzled: bool = False
    notes: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Tags:
    """What the sender said of the mail."""

    campaign: str | None = None
    list: str | None = None
    categories: tuple[str, ...] = ()
    stream: str | None = None


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


@dataclass(frozen=True, slots=True)
class Judged:
    """One raw message after the pure stages: a report with a verdict and an identity a finding."""

    place: Place
    digest: str
    size: int
    report: Report
    verdicts: tuple[tuple[Verdict, Identity], ...]
    received: datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One recorded verdict. `id` follows from `key`, so the same evidence never makes a second one."""

    id: str
    key: str
    at: datetime
    kind: Kind
    category: Category | None
    reason: Reason | None
    fault: Fault
    trust: Trust
    address: str | None
    place: Place
    digest: str
    reader: str
    rule: str
    reported_at: datetime | None = None
    final_recipient: str | None = None
    provider: str | None = None
    status: str | None = None
    reply_code: str | None = None
    action: Action | None = None
    diagnostic: str | None = None
    reporting_mta: str | None = None
    remote_mta: str | None = None
    feedback_type: str | None = None
    subtype: str | None = None
    message_id: str | None = None
    subject: str | None = None
    tags: Tags = field(default_factory=Tags)
    matched: str | None = None
    basis: tuple[str, ...] = ()
    disagreed: tuple[str, ...] = ()
    identified_by: str = ""
    trust_why: str = ""
    decision: str = ""  # what the policy did about it, in words


class Move(StrEnum):
    """What a line of the suppression journal does to the state."""

    SUPPRESS = "suppress"
    RELEASE = "release"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the append-only suppression journal."""

    address: str
    scope: str
    move: Move
    at: datetime
    category: str
    reason: str
    why: str
    until: datetime | None = None
    event_id: str | None = None
    actor: str = "bounced"


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address not to mail in a scope: the present state that the journal adds up to."""

    address: str
    scope: str
    category: str
    reason: str
    since: datetime
    until: datetime | None
    event_id: str | None
    why: str
    actor: str = "bounced"

    def holds(self, now: datetime) -> bool:
        """True if it has not run out."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class History:
    """What is known of one address before a batch: its events, newest last, its entries and its journal."""

    address: str
    events: tuple[Event, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    journal: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Notification:
    """Something to tell the endpoints. `id` becomes the `webhook-id`, the same at every attempt."""

    id: str
    type: str
    at: datetime
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one raw message; `detail` says why, for the log and the person."""

    place: Place
    disposition: Disposition
    detail: str = ""
    events: tuple[str, ...] = ()


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    OPEN = "open"
    DONE = "done"
    DEAD = "dead"  # given up; a person may open it again


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notification on its way to one endpoint. `attempts` counts those already made."""

    id: int
    endpoint: str
    notification: Notification
    state: DeliveryState
    attempts: int
    next_at: datetime
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST of a delivery and what follows from it: `next_at` matters only while the state stays open."""

    at: datetime
    duration_ms: int
    state: DeliveryState
    next_at: datetime | None = None
    status_code: int | None = None
    error: str | None = None
    response: str | None = None  # the beginning of the answer's body
