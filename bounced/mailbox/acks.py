"""What is committed and not yet moved: gathered, since a server takes as long to move one message as a thousand."""

from collections import defaultdict
from collections.abc import Iterable

import structlog

from bounced.config import After
from bounced.errors import MailboxDown
from bounced.mailbox.faults import Refused
from bounced.mailbox.session import Selected, Session
from bounced.mailbox.source import Positions
from bounced.model import Disposition, Place

log = structlog.get_logger(__name__)


class Pace:
    """How many messages are moved by one command; fewer after a connection that broke or hung over it."""

    def __init__(self) -> None:
        self.portion = 5_000

    def slower(self) -> None:
        """Ask less of the server from now on."""
        self.portion = max(100, self.portion // 4)


class Acks:
    """The outcomes of one open folder, until `settle` has done with the messages what `after` says.

    A crash before that costs nothing but the moves, which the next poll makes good.
    """

    def __init__(self, after: After, session: Session, state: Positions, folder: Selected, pace: Pace) -> None:
        self._after = after
        self._session = session
        self._state = state
        self._folder = folder
        self._pace = pace
        self._waiting: dict[Disposition, list[Place]] = defaultdict(list)

    def note(self, settled: Iterable[tuple[Place, Disposition]]) -> None:
        """Take what is committed. What is no report, or is to be tried again, stays where it is, untouched."""
        for place, disposition in settled:
            if disposition not in (Disposition.LEFT, Disposition.RETRY):
                self._waiting[disposition].append(place)

    def due(self) -> bool:
        """True if enough is gathered."""
        return sum(map(len, self._waiting.values())) >= self._pace.portion

    def settle(self) -> Refused | None:
        """Move or flag what is gathered, and tell the ledger. Returns the server's refusal, if it refused.

        What was refused stays unacked in the ledger and comes again with the next poll. Raises MailboxDown.
        """
        refusal = None
        while self._waiting:
            disposition, places = self._waiting.popitem()
            try:
                self._settle(disposition, places)
            except Refused as exc:
                refusal = exc
            except MailboxDown:
                self._pace.slower()
                raise
        return refusal

    def _settle(self, disposition: Disposition, places: list[Place]) -> None:
        for start in range(0, len(places), self._pace.portion):
            portion = places[start : start + self._pace.portion]
            self._dispose(disposition, [place.uid for place in portion])
            self._state.acked(portion)

    def _dispose(self, disposition: Disposition, uids: list[int]) -> None:
        """Do with the messages what the configuration wants."""
        if self._after.mode == "leave":
            return
        if self._after.mode == "move" and can_move(self._session):
            self._move(uids, folder_for(disposition, self._after))
        elif self._folder.keeps(self._after.flag):
            self._session.flag(uids, self._after.flag)

    def _move(self, uids: list[int], folder: str) -> None:
        try:
            self._session.move(uids, folder)
        except Refused as exc:
            if self._session.has_folder(folder):
                raise
            log.info("folder created", folder=folder, because=str(exc))
            self._session.create(folder)
            self._session.move(uids, folder)


def can_move(session: Session) -> bool:
    """True if single messages can be moved. Without MOVE and UIDPLUS only all of \\Deleted could be expunged,
    also what somebody else marked; that is never done.
    """
    return session.can("MOVE") or session.can("UIDPLUS")


def folder_for(disposition: Disposition, after: After) -> str:
    """Return the folder that a disposition names."""
    return after.folders()[disposition.value]
