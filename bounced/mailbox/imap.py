"""A mailbox on an IMAP server: what is new since last time, in bounded batches, folder by folder."""

import contextlib
import threading
from collections import Counter
from collections.abc import Generator, Iterator, Sequence

import structlog

from bounced.config import ImapMailbox, Limits
from bounced.errors import MailboxDown, TryLater
from bounced.mailbox.acks import Acks, Pace, can_move
from bounced.mailbox.faults import Refused
from bounced.mailbox.idle import Waiter
from bounced.mailbox.login import open_credentials
from bounced.mailbox.probe import probe_imap
from bounced.mailbox.reading import Reading
from bounced.mailbox.session import Fetched, Listed, Selected, Session, tls_context
from bounced.mailbox.source import Batch, Check, Positions, Urgent, nothing_urgent
from bounced.model import Outcome, Place, RawMessage

log = structlog.get_logger(__name__)

_REFUSALS = 3  # so often may the server fail to give out one message before it is handed on without content


class ImapSource:
    """The Source for `kind: imap`. Connects at the first poll, keeps the connection, and reconnects."""

    def __init__(self, settings: ImapMailbox, limits: Limits, urgent: Urgent = nothing_urgent) -> None:
        self._settings = settings
        self._urgent = urgent
        self._limits = limits
        self._credentials = open_credentials(settings)
        if settings.security != "plain":
            tls_context(settings)  # a CA file that cannot be read is told at start, not at night
        self._session: Session | None = None
        self._reading: Reading | None = None
        self._waiter = Waiter()
        self._refused: Counter[Place] = Counter()
        self._pace = Pace()
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
        acks = Acks(self._settings.after, session, state, selected, self._pace)
        here = Place(self.name, folder, selected.uidvalidity, 0)
        reading = self._reading = Reading(here, session, selected, state, acks)
        reading.make_good()
        try:
            if self._urgent is not nothing_urgent:
                for listed in reading.ahead(self._settings.batch, self._limits, self._urgent):
                    yield from self._batch(reading, listed, 0)
            for listed in reading.waiting(self._settings.batch, self._limits):
                yield from self._batch(reading, listed, listed[-1].uid + 1)
        except TryLater:
            yield from reading.unacked()  # what was handed out before is not to suffer
            raise
        yield from reading.unacked()
        reading.pass_ahead()
        reading.finish()
        refusals.extend(reading.refusals)

    def _batch(self, reading: Reading, listed: Sequence[Listed], next_uid: int) -> Iterator[Batch]:
        """Fetch and yield one batch; moves what was acked before, should nobody ask for more."""
        messages = tuple(self._messages(reading, listed))
        if not messages:
            return
        try:
            yield reading.open_batch(messages, next_uid)
        except GeneratorExit:
            if self._reading is reading:
                with contextlib.suppress(TryLater):
                    reading.finish()
            raise

    def _messages(self, reading: Reading, listed: Sequence[Listed]) -> Iterator[RawMessage]:
        """Yield what can be fetched; one that the server fails to give out costs the others nothing."""
        limit = self._limits.message_bytes
        try:
            bodies = reading.session.bodies([item.uid for item in listed], limit)
        except Refused:
            bodies = {item.uid: body for item in listed for body in self._one(reading, item, limit)}
        for item in listed:
            if item.uid in bodies:
                yield _raw(reading.place(item.uid), item, bodies[item.uid], limit)

    def _one(self, reading: Reading, item: Listed, limit: int) -> Iterator[Fetched]:
        place = reading.place(item.uid)
        try:
            yield from reading.session.bodies([item.uid], limit).values()
        except Refused as exc:
            self._refused[place] += 1
            log.warning("message not given out", uid=item.uid, times=self._refused[place], why=str(exc))
            if self._refused[place] < _REFUSALS:
                raise MailboxDown(f"{exc} (UID {item.uid} of {place.folder})") from exc
            yield Fetched(b"", None)

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


def _raw(place: Place, item: Listed, fetched: Fetched, limit: int) -> RawMessage:
    """Return the message. What ended before the limit is whole, whatever the server said of its size."""
    content = fetched.content
    whole = 0 < len(content) < limit
    size = len(content) if whole else max(item.size or 0, len(content))
    return RawMessage(place, content[:limit], size, fetched.received)
