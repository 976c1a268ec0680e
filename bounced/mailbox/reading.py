"""One folder during one poll: what to fetch next, and what became of it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import structlog

from bounced.config import Limits
from bounced.mailbox.acks import Acks
from bounced.mailbox.faults import Refused
from bounced.mailbox.session import Listed, Selected, Session
from bounced.mailbox.source import Batch, Positions, Urgent
from bounced.model import Outcome, Place, RawMessage

log = structlog.get_logger(__name__)

_LOOKED_AT = 2_000  # messages whose recipients are asked for before the urgent ones among them are handed out


class Reading:
    """One folder, opened, during one poll; `here` is its place with UID 0."""

    def __init__(self, here: Place, session: Session, selected: Selected, state: Positions, acks: Acks) -> None:
        self._here = here
        self.session = session
        self._selected = selected
        self._state = state
        self._acks = acks
        self._open: list[Batch] = []
        self._known: set[int] = set()
        self._ahead = 0
        self.refusals: list[Refused] = []
        self._key = (here.mailbox, here.folder, here.uidvalidity)
        self._next_uid = self._position()

    def place(self, uid: int) -> Place:
        """Return the place of a UID of this folder."""
        return replace(self._here, uid=uid)

    def make_good(self) -> None:
        """Ack what a crash kept from being acked; it is not fetched again."""
        settled = self._state.unacked(*self._key)
        self._known = {place.uid for place, _ in settled}
        self._acks.note(settled)
        self._settle()

    def waiting(self, count: int, limits: Limits) -> Iterator[list[Listed]]:
        """Yield what to fetch together: first what has a strike, then what is new; bounded by number and octets."""
        again = self._state.retries(*self._key)
        yield from self._planned([uid for uid in sorted(again) if uid < self._next_uid], count, limits)
        for uids in self.session.uids(self._selected, self._next_uid):
            yield from self._planned([uid for uid in uids if uid not in self._known], count, limits)

    def ahead(self, count: int, limits: Limits, urgent: Urgent) -> Iterator[list[Listed]]:
        """Yield what goes before its turn, if more than one batch is waiting: of each message the recipients alone
        are read for that. The position stays where it is, and `waiting` leaves out what was handed out here.
        """
        first = True
        for uids in self.session.uids(self._selected, self._next_uid):
            if first and len(uids) <= count:
                return
            first = False
            for start in range(0, len(uids), _LOOKED_AT):
                found = self._found_urgent(uids[start : start + _LOOKED_AT], urgent)
                for listed in self._planned(found, count, limits):
                    self._known.update(item.uid for item in listed)
                    self._ahead = max(self._ahead, listed[-1].uid + 1)
                    yield listed

    def pass_ahead(self) -> None:
        """Move the position beyond what was handed out before its turn, once nothing before that is waiting."""
        if self._ahead > self._next_uid and not self._open:
            self._next_uid = self._ahead
            self._state.advance(*self._key, self._ahead)

    def _found_urgent(self, uids: Sequence[int], urgent: Urgent) -> list[int]:
        """Return those to hand out first; none where the server does not give out single fields."""
        try:
            told = self.session.recipients([uid for uid in uids if uid not in self._known])
        except Refused as exc:
            log.warning("recipients not given out: mail comes in its order", why=str(exc))
            return []
        return [uid for uid in uids if uid in told and urgent(told[uid])]

    def open_batch(self, messages: tuple[RawMessage, ...], next_uid: int) -> Batch:
        """Return a batch that is to be acked."""
        self._open.append(Batch(messages, self._here.folder, self._here.uidvalidity, max(next_uid, self._next_uid)))
        return self._open[-1]

    def unacked(self) -> Iterator[Batch]:
        """Yield a batch without messages if the caller has read ahead of its acks."""
        if self._open:
            yield Batch((), self._here.folder, self._here.uidvalidity, self._next_uid)

    def ack(self, outcomes: Sequence[Outcome]) -> None:
        """Note outcomes; once the oldest open batch has all of its own, remember the position."""
        places = {outcome.place for outcome in outcomes}
        self._acks.note((outcome.place, outcome.disposition) for outcome in outcomes)
        if self._open and places.issuperset(raw.place for raw in self._open[0].messages):
            batch = self._open.pop(0)
            self._next_uid = batch.next_uid
            self._state.advance(*self._key, batch.next_uid)
        if self._acks.due():
            self._settle()

    def finish(self) -> None:
        """Move everything that is acked so far."""
        self._settle()

    def _settle(self) -> None:
        refusal = self._acks.settle()
        if refusal:
            self.refusals.append(refusal)

    def _position(self) -> int:
        """Return the first UID that was not handled. UIDs of another UIDVALIDITY mean nothing (RFC 3501 2.3.1.1)."""
        position = self._state.position(self._here.mailbox, self._here.folder)
        if position is None:
            return 1
        if position.uidvalidity != self._here.uidvalidity:
            where = {"mailbox": self._here.mailbox, "folder": self._here.folder}
            log.warning("UIDVALIDITY has changed: reading from the start", **where)
            return 1
        return position.next_uid

    def _planned(self, uids: Sequence[int], count: int, limits: Limits) -> Iterator[list[Listed]]:
        """Yield runs. Sizes are asked for of those alone that are too large for a run of so many to hold the limit."""
        if not uids:
            return
        small = min(limits.batch_bytes // count, limits.message_bytes)
        sizes = self.session.sizes(self._larger(uids, small))
        listed = [Listed(uid, sizes.get(uid)) for uid in uids]
        yield from portions(listed, count, limits, small)

    def _larger(self, uids: Sequence[int], octets: int) -> list[int]:
        """Return those with more octets; all of them where the server cannot tell."""
        try:
            found = self.session.larger(uids[0], uids[-1], octets)
        except Refused as exc:
            log.debug("server does not tell which messages are large", why=str(exc))
            return list(uids)
        return [uid for uid in uids if uid in found]


def portions(listed: Sequence[Listed], count: int, limits: Limits, small: int) -> Iterator[list[Listed]]:
    """Split into runs of at most `count` messages within `limits`; one of unknown size has `small` octets at most."""
    run: list[Listed] = []
    total = 0
    for item in listed:
        cost = small if item.size is None else min(item.size, limits.message_bytes)
        if run and (len(run) == count or total + cost > limits.batch_bytes):
            yield run
            run, total = [], 0
        run.append(item)
        total += cost
    if run:
        yield run
