"""A report and a verdict -> the identity: whom we mailed, how sure that is and why, Message-ID and tags."""

from datetime import datetime

from bounced.address import domain_of
from bounced.config import Correlation
from bounced.correlate import recipient, text
from bounced.correlate.tags import Tagger
from bounced.model import Identity, Report, Trust, Verdict


class Correlator:
    """Ties findings to mails of ours. Made once from the configuration, then without state or I/O."""

    def __init__(self, settings: Correlation) -> None:
        self._ours = frozenset((*settings.domains, *settings.signing.domains))
        self._tagger = Tagger(settings.tags)

    def correlate(self, report: Report, verdict: Verdict, now: datetime) -> Identity:
        """Return whose report it is. `now` is when the report reached us: signatures are judged by that time."""
        finding = verdict.finding
        first = next(recipient.named(report, finding, self._ours), None)
        address = first.address if first else None
        trust, why = self._trust(report)
        return Identity(
            recipient=address,
            final_recipient=recipient.failed_behind(finding, address),
            trust=trust,
            source=first.source if first else "",
            why=why,
            message_id=_message_id(report),
            tags=self._tagger.tags(report.original, report.kind),
        )

    def _trust(self, report: Report) -> tuple[Trust, str]:
        confirmed = self._confirmed(report)
        if confirmed:
            return Trust.MATCHED, f"the returned original is of our domain {confirmed}"
        return Trust.CLAIMED, "the report alone says so"

    def _confirmed(self, report: Report) -> str | None:
        """Return the domain of ours that the Message-ID or the return path of the original bears."""
        original = report.original
        if original is None or not self._ours:
            return None
        for value in (text.message_id(original.first("Message-ID")), text.single(original.first("Return-Path"))):
            domain = domain_of(value or "").lower()
            if domain in self._ours:
                return domain
        return None


def _message_id(report: Report) -> str | None:
    """Return the Message-ID of the mail reported on, without brackets; where it was not returned, what is answered."""
    original = report.original
    if original and (found := text.message_id(original.first("Message-ID"))):
        return found
    return next((found for one in report.envelope.in_reply_to if (found := text.message_id(one))), None)
