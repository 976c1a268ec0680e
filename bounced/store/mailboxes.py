"""What is remembered of a mailbox: where its folders stand, what is to be acked or to come again, who polls it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import and_, delete, or_, select, text, update

from bounced.model import Disposition, Place, Position
from bounced.store import rows
from bounced.store.database import Database
from bounced.store.statements import at_places, kept_if, upserting
from bounced.store.tables import TO_ACK, TO_RETRY, lease, message, position


@dataclass(frozen=True, slots=True)
class FolderPosition:
    """Where one folder of a mailbox stands: everything below `next_uid` was handled."""

    mailbox: str
    folder: str
    uidvalidity: int
    next_uid: int


class Mailboxes(Database):
    """The memory of mailboxes."""

    def position(self, mailbox: str, folder: str) -> Position | None:
        """Return where the folder stands; None if it was never read."""
        here = and_(position.c.mailbox == mailbox, position.c.folder == folder)
        with self._read() as connection:
            row = connection.execute(select(position.c.uidvalidity, position.c.next_uid).where(here)).one_or_none()
        return None if row is None else Position(row.uidvalidity, row.next_uid)

    def positions(self) -> list[FolderPosition]:
        """Return where each folder stands, by mailbox and folder."""
        listed = select(position).order_by(position.c.mailbox, position.c.folder)
        with self._read() as connection:
            return [FolderPosition(**row._mapping) for row in connection.execute(listed)]

    def advance(self, mailbox: str, folder: str, uidvalidity: int, next_uid: int) -> None:
        """Remember that everything below `next_uid` was handled; never goes back while UIDVALIDITY stays."""
        with self._write() as connection:
            new = upserting(connection, position).values(
                mailbox=mailbox, folder=folder, uidvalidity=uidvalidity, next_uid=next_uid
            )
            further = and_(
                position.c.uidvalidity == new.excluded.uidvalidity, position.c.next_uid > new.excluded.next_uid
            )
            connection.execute(
                new.on_conflict_do_update(
                    index_elements=list(position.primary_key),
                    set_={
                        "uidvalidity": new.excluded.uidvalidity,
                        "next_uid": kept_if(further, position.c.next_uid, new.excluded.next_uid),
                    },
                )
            )

    def unacked(self, mailbox: str, folder: str, uidvalidity: int) -> list[tuple[Place, Disposition]]:
        """Return what was settled and not acked, by UID; mail that stays where it is is not among it."""
        waiting = (
            select(message)
            .where(
                message.c.mailbox == mailbox,
                message.c.folder == folder,
                message.c.uidvalidity == uidvalidity,
                text(TO_ACK),
            )
            .order_by(message.c.uid)
        )
        with self._read() as connection:
            return [(rows.to_place(row._mapping), Disposition(row.disposition)) for row in connection.execute(waiting)]

    def acked(self, places: Sequence[Place]) -> None:
        """Remember that nothing more is to be done about these."""
        now = datetime.now(UTC)
        with self._write() as connection:
            for these in at_places(connection.dialect, message, places):
                connection.execute(update(message).where(these).values(acked_at=now))

    def retries(self, mailbox: str, folder: str, uidvalidity: int) -> list[int]:
        """Return the UIDs that have a strike and no outcome yet, ascending."""
        here = and_(message.c.mailbox == mailbox, message.c.folder == folder, message.c.uidvalidity == uidvalidity)
        again = select(message.c.uid).where(here, text(TO_RETRY)).order_by(message.c.uid)
        with self._read() as connection:
            return list(connection.scalars(again))

    def lease(self, mailbox: str, owner: str, until: datetime, now: datetime | None = None) -> bool:
        """Take or prolong the right to poll a mailbox; False while another owner's has not run out."""
        with self._write() as connection:
            new = upserting(connection, lease).values(mailbox=mailbox, owner=owner, until=until)
            taken = new.on_conflict_do_update(
                index_elements=[lease.c.mailbox],
                set_={"owner": new.excluded.owner, "until": new.excluded.until},
                where=or_(lease.c.owner == new.excluded.owner, lease.c.until <= (now or datetime.now(UTC))),
            )
            return connection.execute(taken.returning(lease.c.mailbox)).one_or_none() is not None

    def release(self, mailbox: str, owner: str) -> None:
        """Give the right to poll back, if it is still the owner's."""
        with self._write() as connection:
            connection.execute(delete(lease).where(lease.c.mailbox == mailbox, lease.c.owner == owner))
