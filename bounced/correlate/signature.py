"""The tokens of a report and a finding -> whom they speak for. A token speaks for its own recipient and nobody else."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bounced.correlate.carriers import Carried
from bounced.model import Records, Tags


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the tokens came to. `signed` is true if one speaks for `recipient` and may.

    `recipient` is None where none is named by them. `excluded` is true if a good token speaks for somebody that the
    finding does not name: then the finding's own address is not whom we mailed. `token` tells the token from others.
    """

    signed: bool
    why: str
    recipient: str | None = None
    source: str = ""
    tags: Tags | None = None
    excluded: bool = False
    token: str | None = None


def listen(tokens: Sequence[Carried], candidates: Sequence[str], alone: bool, records: Records) -> Spoken | None:
    """Return what the tokens say of a finding that names `candidates`, normalised; None if there is no token.

    `alone` is true if the report has no other finding: then a token that gives its recipient back (sealed, or by
    record) attributes the finding to him although somebody else failed behind him.
    """
    if not tokens:
        return None
    heard = [_hear(one, candidates, alone, records) for one in tokens]
    return min(heard, key=_rank)


def _hear(carried: Carried, candidates: Sequence[str], alone: bool, records: Records) -> Spoken:
    checked, place = carried.checked, f"token in {carried.field}"
    if not checked.good or checked.content is None:
        return Spoken(False, f"{place}: {checked.flaw}")
    sent = records.by_id.get(checked.content.reference or "")
    known = checked.content.recipient or (sent.recipient if sent else None)
    marked = records.by_mark.get(checked.content.tags_mark.hex()) if checked.content.tags_mark else None
    tags = checked.content.tags or (sent.tags if sent else None) or marked
    spoken = Spoken(False, "", tags=tags, token=checked.mail)
    named = next((one for one in candidates if one == known or checked.speaks_for(one)), None)
    recipient = named or (known if alone else None)
    if recipient is None:
        unknown = checked.content.reference is not None and known is None
        why = "it refers to a record that is not known" if unknown else "it was made for another recipient"
        return replace(spoken, why=f"{place}: {why}", excluded=not unknown)
    if not carried.authorised:
        why = f"{place} names the recipient, but a token for {carried.purpose} proves nothing here"
        return replace(spoken, why=why, recipient=recipient, source=place)
    why = f"{place}, key {checked.key.id if checked.key else ''}, good until {checked.content.expires}"
    return replace(spoken, signed=True, why=why, recipient=recipient, source=place)


def _rank(spoken: Spoken) -> tuple[bool, bool, bool]:
    """Order: what signs, then what at least names, then what excludes, then the flawed; else as they stand."""
    return (not spoken.signed, spoken.recipient is None, not spoken.excluded)
