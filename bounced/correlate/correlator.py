"""A report and a verdict -> the identity: whom we mailed, how sure that is and why, Message-ID and tags."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from bounced.config import Correlation
from bounced.correlate import recipient, signature, text
from bounced.correlate.carriers import carried
from bounced.correlate.origin import our_domain
from bounced.correlate.recipient import Named
from bounced.correlate.records import NO_RECORDS
from bounced.correlate.reporter import Vetting
from bounced.correlate.signature import Spoken
from bounced.correlate.signer import Signer
from bounced.correlate.tags import Tagger
from bounced.model import Finding, Identity, Kind, Records, References, Report, Sent, Trust, Verdict


@dataclass(frozen=True, slots=True)
class _Clues:
    """Everything that bears on one finding."""

    report: Report
    named: tuple[Named, ...]
    spoken: Spoken | None
    sent: tuple[Sent, ...]
    alone: bool


@dataclass(frozen=True, slots=True)
class _Standing:
    """How sure an identity is, why, and the recipient that this holds for."""

    trust: Trust
    why: str
    recipient: str | None
    source: str


class Correlator:
    """Ties findings to mails of ours. Made once from the configuration, then without state or I/O.

    Raises ConfigError where a signing secret is missing or too short.
    """

    def __init__(self, settings: Correlation) -> None:
        self._ours = frozenset((*settings.domains, *settings.signing.domains))
        self._tagger = Tagger(settings.tags)
        self._vetting = Vetting(settings.authserv_id, settings.reporters)
        self.signer = Signer(settings.signing) if settings.signing.keys else None

    def correlate(self, report: Report, verdict: Verdict, now: datetime, records: Records = NO_RECORDS) -> Identity:
        """Return whose report it is. `now` is when the report reached us: signatures are judged by that time.

        `records` holds what `references` asked for. Never raises: what cannot be told is None, or `claimed`.
        """
        message_id = _message_id(report)
        clues = self._clues(report, verdict.finding, records, now)
        standing = self._standing(clues)
        spoken = clues.spoken
        told = spoken.tags if spoken and spoken.tags else clues.sent[0].tags if clues.sent else None
        return Identity(
            recipient=standing.recipient,
            final_recipient=recipient.failed_behind(verdict.finding, standing.recipient),
            trust=standing.trust,
            source=standing.source,
            why=standing.why,
            message_id=message_id,
            tags=self._tagger.tags(report.original, report.kind, told),
            token=spoken.token if spoken and standing.trust is Trust.SIGNED else None,
        )

    def references(self, report: Report, now: datetime) -> References:
        """Return what to look up for `correlate`: what good tokens refer to, the ENVID, the Message-ID."""
        tokens = carried(report, self.signer, now) if self.signer else ()
        contents = [one.checked.content for one in tokens if one.checked.good and one.checked.content]
        ids = [content.reference for content in contents if content.reference]
        message_id = _message_id(report)
        named = (one.address for f in report.findings for one in recipient.named(report, f, self._ours))
        return References(
            tuple(dict.fromkeys([*ids, *([report.envelope_id] if report.envelope_id else [])])),
            (message_id,) if message_id else (),
            tuple(dict.fromkeys(c.tags_mark.hex() for c in contents if c.tags_mark and not c.tags)),
            tuple(dict.fromkeys(named)),
        )

    def _clues(self, report: Report, finding: Finding, records: Records, now: datetime) -> _Clues:
        every = recipient.named(report, finding, self._ours)
        named = tuple(every if self.signer or records is not NO_RECORDS else islice(every, 1))
        alone = len(report.findings) <= 1
        spoken = None
        if self.signer and (tokens := carried(report, self.signer, now)):
            spoken = signature.listen(tokens, _candidates(report, named, alone), alone, records)
        return _Clues(report, named, spoken, _sent(report, records), alone)

    def _standing(self, clues: _Clues) -> _Standing:
        """Return the strongest that holds: a signature, a record, a vetted reporter, our domain, the mere claim."""
        return self._signed(clues) or _recorded(clues) or self._vetted(clues) or self._ours_by_domain(clues)

    def _signed(self, clues: _Clues) -> _Standing | None:
        spoken = clues.spoken
        if spoken is None or not spoken.signed:
            return None
        if _is_cfbl(clues.report):
            vetted = self._vetting.vet(clues.report, spoken.recipient)
            if not vetted.verified:
                why = f"RFC 9477 section 3.5 wants the reporter's own DKIM signature: {vetted.why}"
                return _Standing(Trust.CLAIMED, why, spoken.recipient, spoken.source)
        return _Standing(Trust.SIGNED, spoken.why, spoken.recipient, spoken.source)

    def _vetted(self, clues: _Clues) -> _Standing | None:
        if clues.report.kind is not Kind.COMPLAINT:
            return None
        address, source = _believed(clues)
        vetted = self._vetting.vet(clues.report, address)
        if vetted.believed:
            return _Standing(Trust.MATCHED, vetted.why, address, source)
        why = f"{clues.spoken.why}; {vetted.why}" if clues.spoken else vetted.why
        return _Standing(Trust.CLAIMED, why, address, source)

    def _ours_by_domain(self, clues: _Clues) -> _Standing:
        """With a key configured our mail bears tokens, and our domain in a Message-ID is what anybody can write."""
        address, source = _believed(clues)
        if clues.spoken:
            return _Standing(Trust.CLAIMED, clues.spoken.why, address, source)
        if self.signer:
            return _Standing(Trust.CLAIMED, "it bears no token of ours", address, source)
        if clues.report.forwarded:
            return _Standing(Trust.CLAIMED, "somebody forwarded it by hand, and it bears no token", address, source)
        domain = our_domain(clues.report.original, self._ours)
        if domain:
            return _Standing(Trust.MATCHED, f"the returned original is of our domain {domain}", address, source)
        return _Standing(Trust.CLAIMED, "the report alone says so", address, source)


def _believed(clues: _Clues) -> tuple[str | None, str]:
    """Return the address to file an unsigned finding under, and its source.

    Where a good token speaks for somebody else, only Original-Recipient still names one that was mailed.
    """
    spoken = clues.spoken
    if spoken and spoken.recipient:
        return spoken.recipient, spoken.source
    named = [n for n in clues.named if not (spoken and spoken.excluded) or n.source == recipient.ORIGINAL_RECIPIENT]
    return (named[0].address, named[0].source) if named else (None, "")


def _recorded(clues: _Clues) -> _Standing | None:
    """A mail in our records, sent to an address that the report names; or to one alone, whom nothing contradicts."""
    for one in clues.named:
        if any(sent.recipient == one.address for sent in clues.sent):
            return _Standing(Trust.MATCHED, "our records have this mail, to this recipient", one.address, one.source)
    if clues.alone and len(clues.sent) == 1:
        why = "our records have this mail, to this recipient alone"
        return _Standing(Trust.MATCHED, why, clues.sent[0].recipient, "record of the mail sent")
    return None


def _sent(report: Report, records: Records) -> tuple[Sent, ...]:
    if records is NO_RECORDS:
        return ()
    by_envelope = records.by_id.get(report.envelope_id or "")
    by_message = records.by_message_id.get(_message_id(report) or "", ())
    return (by_envelope, *by_message) if by_envelope else by_message


def _candidates(report: Report, named: tuple[Named, ...], alone: bool) -> tuple[str, ...]:
    """Return the addresses a token may prove to be whom we mailed: those of the finding, and of a lone To or Cc."""
    found = [one.address for one in named]
    if alone and report.original:
        for field in ("To", "Cc", "X-Original-To", "Delivered-To"):
            found += text.addresses(report.original.first(field))
    return tuple(dict.fromkeys(found))


def _is_cfbl(report: Report) -> bool:
    return report.feedback is not None and report.feedback.cfbl_feedback_id is not None


def _message_id(report: Report) -> str | None:
    """Return the Message-ID of the mail reported on, without brackets; where it was not returned, what is answered."""
    original = report.original
    if original and (found := text.message_id(original.first("Message-ID"))):
        return found
    return next((found for one in report.envelope.in_reply_to if (found := text.message_id(one))), None)
