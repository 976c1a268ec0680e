"""What was judged becomes events, and a place for the message. Pure; the same evidence makes the same events."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bounced.model import (
    Category,
    Disposition,
    Event,
    Finding,
    Identity,
    Judged,
    Kind,
    Notification,
    Outcome,
    Place,
    Reason,
    Verdict,
)
from bounced.model.packing import packed

#: The detail of a message that was settled before, and of a report of which nothing is new.
SEEN_BEFORE = "seen before"

#: What is `other` and yet a machine's report: it is filed, not left for a person.
_REPORTS_OF_NO_FAILURE = frozenset({"mdn", "dmarc", "not-spam", "auth-failure"})
#: What stands in a draft where the time will be.
_UNDATED = datetime(1970, 1, 1, tzinfo=UTC)


@packed
@dataclass(frozen=True, slots=True)
class Filed:
    """What is left of a judged message once its events are made: a tenth of it, and all that is written down.

    `drafts` are its events without their time, `rules` the ids of those that fired. `whole` is there where somebody
    wants to look at the report again.
    """

    place: Place
    digest: str
    kind: Kind
    reader: str
    rules: str
    disposition: Disposition
    drafts: tuple[tuple[Any, ...], ...]
    whole: Judged | None = None

    def events(self, now: datetime) -> list[Event]:
        """Return its events, handled now."""
        return [Event.of_draft(draft, now) for draft in self.drafts]


def filed(judged: Judged, whole: bool = True) -> Filed:
    """Return what a judged message comes to, if wanted along with the whole of it."""
    rules = " ".join(dict.fromkeys(verdict.rule for verdict, _ in judged.verdicts))
    drafts = tuple(event.draft() for event in events_of(judged, _UNDATED))
    report = judged.report
    return Filed(
        place=judged.place,
        digest=judged.digest,
        kind=report.kind,
        reader=report.reader,
        rules=rules,
        disposition=disposition_of(judged),
        drafts=drafts,
        whole=judged if whole else None,
    )


def events_of(judged: Judged, now: datetime) -> list[Event]:
    """Return one event for each verdict; none for a mail that is no report."""
    if disposition_of(judged) is Disposition.LEFT:
        return []
    return [_event(judged, verdict, identity, now) for verdict, identity in judged.verdicts]


def disposition_of(judged: Judged) -> Disposition:
    """Return where a judged message belongs."""
    report = judged.report
    if report.kind is Kind.OTHER and report.subtype not in _REPORTS_OF_NO_FAILURE and not report.puzzled:
        return Disposition.LEFT
    if report.puzzled or _unclear(judged):
        return Disposition.REVIEW
    return Disposition.PROCESSED


def _unclear(judged: Judged) -> bool:
    """True if a person should look: a failure of nobody, or one that no rule understood."""
    if judged.report.kind is not Kind.BOUNCE:
        return False
    named = bool(judged.verdicts) and all(identity.recipient for _, identity in judged.verdicts)
    return not named or any(v.reason is Reason.UNKNOWN for v, _ in judged.verdicts)


def _event(judged: Judged, verdict: Verdict, identity: Identity, now: datetime) -> Event:
    report, finding = judged.report, verdict.finding
    key = _key(judged, finding, verdict, identity)
    return Event(
        id="ev_" + key[:32],
        key=key,
        at=now,
        kind=report.kind,
        category=verdict.category,
        reason=verdict.reason,
        fault=verdict.fault,
        trust=identity.trust,
        address=identity.recipient,
        place=judged.place,
        digest=judged.digest,
        reader=report.reader,
        rule=verdict.rule,
        reported_at=report.envelope.date or judged.received,
        final_recipient=identity.final_recipient,
        provider=verdict.provider,
        status=verdict.status,
        reply_code=verdict.reply_code,
        action=finding.action,
        diagnostic=finding.diagnostic or finding.text,
        reporting_mta=report.reporting_mta,
        remote_mta=finding.remote_mta,
        feedback_type=report.feedback.feedback_type if report.feedback else None,
        subtype=report.subtype,
        message_id=identity.message_id,
        subject=report.original.first("Subject") if report.original else None,
        tags=identity.tags,
        matched=verdict.matched,
        basis=verdict.basis,
        disagreed=verdict.disagreed,
        identified_by=identity.source,
        trust_why=identity.why,
    )


def _key(judged: Judged, finding: Finding, verdict: Verdict, identity: Identity) -> str:
    """Return what makes an event the same event when its report comes twice: 64 hex digits.

    The message it speaks of, recipient, action, status, trust and the day the report was written; a report that
    names no message is told by its own Message-ID, or else by its bytes. Trust is in it so that a forgery cannot
    take the place of the true report. What a token signed as hard is told by the token alone: it counts once.
    """
    report = judged.report
    if identity.token and verdict.category is Category.HARD:
        return hashlib.sha256(f"{report.kind}\0{identity.token}\0{identity.recipient}".encode()).hexdigest()
    about = identity.message_id or report.envelope.message_id or judged.digest
    day = report.envelope.date.date().isoformat() if report.envelope.date else ""
    parts = (
        report.kind,
        about,
        identity.recipient or finding.recipient or "",
        identity.final_recipient or "",
        finding.action or "",
        verdict.status or "",
        verdict.reason or "",
        report.feedback.feedback_type if report.feedback else "",
        identity.trust,
        day,
    )
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def quarantined(outcomes: Sequence[Outcome], now: datetime) -> list[Notification]:
    """Return what tells of messages that were put into quarantine now."""
    return [
        Notification(
            "msg_" + hashlib.sha256(repr(o.place).encode()).hexdigest()[:32],
            "message.quarantined",
            now,
            {
                "mailbox": o.place.mailbox,
                "folder": o.place.folder,
                "uidvalidity": o.place.uidvalidity,
                "uid": o.place.uid,
                "why": o.detail,
            },
        )
        for o in outcomes
        if o.disposition is Disposition.QUARANTINE and o.detail != SEEN_BEFORE
    ]
