"""Judgements in the light of the sender's records: between the pure stages and the ledger, one look-up a batch."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

from bounced.correlate import recap
from bounced.model import Identity, Judged, Kind, Records, References, Report, Verdict

T = TypeVar("T")


class Recall(Protocol):
    """What is asked of the ledger."""

    def keeps_sent(self) -> bool:
        """Return whether the sender recorded any mail."""

    def recall(self, wanted: Sequence[References]) -> Records:
        """Return what is recorded of the mails that reports refer to."""


@dataclass(frozen=True, slots=True)
class Memory:
    """How a report is tied to records of mails: what to look up, and who it was in their light."""

    references: Callable[[Report, datetime], References]
    correlate: Callable[[Report, Verdict, datetime, Records], Identity]

    def wanted(self, judged: Judged, now: datetime) -> References:
        """Return what to look up for one message; nothing for what is no report."""
        if judged.report.kind is Kind.OTHER:
            return References()
        return self.references(judged.report, judged.received or now)

    def tied(self, judged: Judged, records: Records, now: datetime) -> Judged:
        """Return the judgement with the identities that the records make sure of."""
        verdicts = tuple(self._tied(judged, verdict, records, now) for verdict, _ in judged.verdicts)
        return replace(judged, verdicts=verdicts)

    def _tied(self, judged: Judged, verdict: Verdict, records: Records, now: datetime) -> tuple[Verdict, Identity]:
        identity = self.correlate(judged.report, verdict, judged.received or now, records)
        return recap(verdict, identity), identity


def recalled(
    found: Sequence[Judged | T], memory: Memory, begin: Callable[[], AbstractContextManager[Recall]], now: datetime
) -> list[Judged | T]:
    """Return the judgements, those of recorded mails tied to the records: one look-up for all of them."""
    wanted = {at: memory.wanted(one, now) for at, one in enumerate(found) if isinstance(one, Judged)}
    with begin() as tx:
        records = tx.recall(list(wanted.values()))
    told = list(found)
    for at, references in wanted.items() if records else ():
        one = found[at]
        if isinstance(one, Judged) and _meets(references, records):
            told[at] = memory.tied(one, records, now)
    return told


def _meets(references: References, records: Records) -> bool:
    """True if something was found of what this report refers to."""
    return not (
        records.by_id.keys().isdisjoint(references.ids)
        and records.by_message_id.keys().isdisjoint(references.message_ids)
        and records.by_mark.keys().isdisjoint(references.marks)
    )
