"""The words: kinds, categories, reasons, faults, and what each may be."""

from collections.abc import Mapping
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
    BACKSCATTER = "backscatter"  # bears no token where one is due: set aside unread
    LEFT = "left"  # no report: stays where it is, unread
    RETRY = "retry"  # a strike was stored; comes again with the next poll
