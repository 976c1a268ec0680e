"""A mailbox on an IMAP server: what is new since last time, in bounded batches, folder by folder."""

import contextlib
import threading
from collections import Counter
from collections.abc import Generator, Iterator, Sequence

import structlog

from bounced.config import ImapMailbox, Limits
from bounced.errors import MailboxDown, TryLater
from bounced.mailbox.acks import Acks, can_move
from bounced.mailbox.faults import Refused
from bounced.mailbox.idle import Waiter
from bounced.mailbox.login import open_credentials
from bounced.mailbox.probe import probe_imap
from bounced.mailbox.session import Listed, Selected, Session, tls_context
from bounced.mailbox.source import Batch, Check, Positions
from bounced.model import Outcome, Place, RawMessage

log = structlog.get_logger(__name__)

_REFUSALS = 3  # so often may the server fail to give out one message before it is handed on without content


class ImapSource:
    """The Source for `kind: imap`. Connects at the first poll, keeps the connection, and reconnects."""

    def __init__(self, settings: ImapMailbox, limits: Limits) -> None:
        self._settings = settings
        self._limits = limits
        self._credentials = open_credentials(settings)
        if settings.security != "plain":
            tls_context(settings)  # a CA file that cannot be read is told at start, not at night
        self._session: Session | None = None
        self._reading: _Reading | None = None
        self._waiter = Waiter()
        self._refused: Counter[Place] = Counter()
        self._warned = False

    @property
    def name(self) -> str:
        """The name of the mailbox in the configuration."""
        return self._settings.name

    def poll(self, state: Positions) -> Generator[Batch, None, None]:
        """Yield what is new in each folder; a folder that is refused stops none of the others."""
        self._reading = None
        refusals: list[Refused] = []
        for folder in self._settings.folders:
            try:
                yield from self._poll_folder(folder, state, refusals)
            except Refused as exc:
                refusals.append(exc)
            except TryLater:
                self._hang_up()
                raise
        if refusals:
            raise MailboxDown("; ".join(dict.fromkeys(map(str, refusals))))

    def ack(self, outcomes: Sequence[Outcome]) -> None:
        """Remember how far the folder is handled now, and move when enough is gathered."""
        if self._reading is None:
            raise MailboxDown(f"mailbox {self.name}: nothing is being read that could be acked")
        try:
            self._reading.ack(outcomes)
        except MailboxDown:
            self._hang_up()
            raise

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Wait for new mail in the first folder; other folders are looked at when the time is over."""
        if self._session is None or not self._settings.idle:
            stop.wait(seconds)
            return False
        woken = self._waiter.wait(self._session, self._settings.folders[0], seconds, stop)
        if self._waiter.broken:
            self._hang_up()
        return woken

    def probe(self) -> list[Check]:
        """Connect, log in, look at each folder and at what the server permits; change nothing."""
        return probe_imap(self._settings, self._credentials)

    def close(self) -> None:
        """Log out."""
        self._reading = None
        if self._session is not None:
            self._session.close()
            self._session = None

    def _poll_folder(self, folder: str, state: Positions, refusals: list[Refused]) -> Iterator[Batch]:
        session = self._connected()
        selected = session.select(folder, readonly=self._settings.after.mode == "leave")
        self._waiter.saw(folder, selected)
        self._warn(session, selected)
        reading = self._reading = _Reading(self._settings, folder, session, selected, state)
        reading.make_good()
        for listed in reading.waiting(self._settings.batch, self._limits):
            yield from self._batch(reading, listed)
        reading.finish()
        refusals.extend(reading.refusals)

    def _batch(self, reading: "_Reading", listed: Sequence[Listed]) -> Iterator[Batch]:
        """Fetch and yield one batch; moves what was acked before, should nobody ask for more."""
        messages = tuple(self._messages(reading, listed))
        if not messages:
            return
        try:
            yield reading.open_batch(messages, listed[-1].uid + 1)
        except GeneratorExit:
            if self._reading is reading:
                with contextlib.suppress(TryLater):
                    reading.finish()
            raise

    def _messages(self, reading: "_Reading", listed: Sequence[Listed]) -> Iterator[RawMessage]:
        """Yield what can be fetched; one that the server fails to give out costs the others nothing."""
        limit = self._limits.message_bytes
        try:
            bodies = reading.session.bodies([item.uid for item in listed], limit)
        except Refused:
            bodies = {item.uid: body for item in listed for body in self._one(reading, item, limit)}
        for item in listed:
            if item.uid in bodies:
                yield _raw(reading.place(item.uid), item, bodies[item.uid], limit)

    def _one(self, reading: "_Reading", item: Listed, limit: int) -> Iterator[bytes]:
        place = reading.place(item.uid)
        try:
            yield from reading.session.bodies([item.uid], limit).values()
        except Refused as exc:
            self._refused[place] += 1
            log.warning("message not given out", uid=item.uid, times=self._refused[place], why=str(exc))
            if self._refused[place] < _REFUSALS:
                raise MailboxDown(f"{exc} (UID {item.uid} of {place.folder})") from exc
            yield b""

    def _connected(self) -> Session:
        """Return the open session, or a new one; a refused login is tried once more with a fresh token."""
        if self._session is None:
            try:
                self._session = Session(self._settings, self._credentials)
            except Refused as exc:
                if not self._credentials.renew():
                    raise MailboxDown(str(exc)) from exc
                self._session = Session(self._settings, self._credentials)
        return self._session

    def _hang_up(self) -> None:
        self._reading = None
        if self._session is not None:
            self._session.close(politely=False)
            self._session = None

    def _warn(self, session: Session, selected: Selected) -> None:
        """Say once what this server does not allow."""
        if self._warned or self._settings.after.mode == "leave":
            return
        self._warned = True
        if self._settings.after.mode == "move" and not can_move(session):
            log.warning("server offers neither MOVE nor UIDPLUS: messages are flagged, not moved", mailbox=self.name)
        elif self._settings.after.mode == "move":
            return
        if not selected.keeps(self._settings.after.flag):
            log.warning("server keeps no flags of ours: what is read is told by position alone", mailbox=self.name)


class _Reading:
    """One folder during one poll."""

    def __init__(
        self, settings: ImapMailbox, folder: str, session: Session, selected: Selected, state: Positions
    ) -> None:
        self._name = settings.name
        self._folder = folder
        self.session = session
        self._selected = selected
        self._state = state
        self._acks = Acks(settings.after, session, state, selected)
        self._batch: Batch | None = None
        self._known: set[int] = set()
        self.refusals: list[Refused] = []
        self._next_uid = self._position()

    def place(self, uid: int) -> Place:
        """Return the place of a UID of this folder."""
        return Place(self._name, self._folder, self._selected.uidvalidity, uid)

    def make_good(self) -> None:
        """Ack what a crash kept from being acked; it is not fetched again."""
        settled = self._state.unacked(self._name, self._folder, self._selected.uidvalidity)
        self._known = {place.uid for place, _ in settled}
        self._acks.note(settled)
        self._settle()

    def waiting(self, count: int, limits: Limits) -> Iterator[list[Listed]]:
        """Yield what to fetch together: first what has a strike, then what is new; bounded by number and octets."""
        again = self._state.retries(self._name, self._folder, self._selected.uidvalidity)
        yield from self._planned([uid for uid in sorted(again) if uid < self._next_uid], count, limits)
        for uids in self.session.uids(self._selected, self._next_uid):
            yield from self._planned([uid for uid in uids if uid not in self._known], count, limits)

    def open_batch(self, messages: tuple[RawMessage, ...], next_uid: int) -> Batch:
        """Return the batch that is to be acked next."""
        self._batch = Batch(messages, self._folder, self._selected.uidvalidity, max(next_uid, self._next_uid))
        return self._batch

    def ack(self, outcomes: Sequence[Outcome]) -> None:
        """Note outcomes; once the whole batch has its outcome, remember the position."""
        batch = self._batch
        self._acks.note((outcome.place, outcome.disposition) for outcome in outcomes)
        if batch and {raw.place for raw in batch.messages} <= {outcome.place for outcome in outcomes}:
            self._batch, self._next_uid = None, batch.next_uid
            self._state.advance(self._name, self._folder, batch.uidvalidity, batch.next_uid)
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
        position = self._state.position(self._name, self._folder)
        if position is None:
            return 1
        if position.uidvalidity != self._selected.uidvalidity:
            log.warning("UIDVALIDITY has changed: reading from the start", mailbox=self._name, folder=self._folder)
            return 1
        return position.next_uid

    def _planned(self, uids: Sequence[int], count: int, limits: Limits) -> Iterator[list[Listed]]:
        for start in range(0, len(uids), _LISTED):
            listed = self.session.listed(uids[start : start + _LISTED])
            yield from portions(listed, count, limits.batch_bytes, limits.message_bytes)


_LISTED = 1_000  # sizes asked for at once


def portions(listed: Sequence[Listed], count: int, octets: int, limit: int) -> Iterator[list[Listed]]:
    """Split into runs of at most `count` messages of which at most `octets` are read, `limit` of each."""
    run: list[Listed] = []
    total = 0
    for item in listed:
        cost = min(item.size, limit)
        if run and (len(run) == count or total + cost > octets):
            yield run
            run, total = [], 0
        run.append(item)
        total += cost
    if run:
        yield run


def _raw(place: Place, item: Listed, content: bytes, limit: int) -> RawMessage:
    """Return the message. What ended before the limit is whole, whatever the server said of its size."""
    whole = 0 < len(content) < limit
    return RawMessage(place, content, len(content) if whole else max(item.size, len(content)), item.received)
