"""Notifications on their way: claimed by one worker at a time, tried until done or given up."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, func, insert, select, text, update

from bounced.model import Attempt, Delivery, DeliveryState
from bounced.store import rows
from bounced.store.columns import among
from bounced.store.database import Database
from bounced.store.tables import DEAD, OPEN, attempt, delivery, notification


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """Which deliveries are listed, newest first; `before` is the id of the last one of the page before."""

    endpoint: str | None = None
    state: DeliveryState | None = None
    type: str | None = None
    before: int | None = None
    limit: int = 100


class Outbox(Database):
    """The outbox."""

    def claim(self, now: datetime, limit: int, lease_seconds: float, endpoint: str | None = None) -> list[Delivery]:
        """Return open deliveries that are due (to one endpoint, if named) and keep other workers off them.

        A worker that crashes loses them when its lease is over. Those that were due first come first; no order
        is promised to an endpoint.
        """
        mine = () if endpoint is None else (delivery.c.endpoint == endpoint,)
        due = (
            select(delivery.c.id)
            .where(text(OPEN), delivery.c.next_at <= now, *mine)
            .order_by(delivery.c.next_at, delivery.c.id)
            .limit(limit)
        )
        with self._read() as connection:
            if connection.scalar(due.limit(1)) is None:
                return []  # the usual answer, and no writer had to wait for it
        over = now + timedelta(seconds=lease_seconds)
        with self._write() as connection:
            taken = (
                update(delivery)
                .where(delivery.c.id.in_(due.with_for_update(skip_locked=True)))
                .values(next_at=over)
                .returning(delivery.c.id)
            )
            ids = list(connection.scalars(taken))
            found = connection.execute(_joined().where(among(connection.dialect, delivery.c.id, ids))) if ids else ()
            return sorted(map(rows.to_delivery, found), key=lambda each: (each.notification.at, each.id))

    def attempted(self, claimed: Delivery, made: Attempt) -> None:
        """Record a POST and what follows from it. A delivery that is no longer open keeps its state."""
        line = made.error or (f"status {made.status_code}" if made.state is not DeliveryState.DONE else None)
        with self._write() as connection:
            if connection.scalar(select(delivery.c.id).where(delivery.c.id == claimed.id)) is None:
                return  # removed for its age while the worker was at it
            connection.execute(
                insert(attempt).values(
                    delivery_id=claimed.id,
                    at=made.at,
                    duration_ms=made.duration_ms,
                    state=made.state,
                    next_at=made.next_at,
                    status_code=made.status_code,
                    error=made.error,
                    response=made.response,
                )
            )
            connection.execute(
                update(delivery)
                .where(delivery.c.id == claimed.id, text(OPEN))
                .values(
                    state=made.state,
                    attempts=delivery.c.attempts + 1,
                    next_at=made.next_at or made.at,
                    last_error=line,
                )
            )

    def deliveries(self, query: DeliveryQuery | None = None) -> list[Delivery]:
        """Return deliveries, the newest first."""
        query = query or DeliveryQuery()
        conditions = [
            column == value
            for column, value in (
                (delivery.c.endpoint, query.endpoint),
                (delivery.c.state, query.state),
                (notification.c.type, query.type),
            )
            if value is not None
        ]
        if query.before is not None:
            conditions.append(delivery.c.id < query.before)
        listed = _joined().where(*conditions).order_by(delivery.c.id.desc()).limit(query.limit)
        with self._read() as connection:
            return [rows.to_delivery(row) for row in connection.execute(listed)]

    def delivery(self, id_: int) -> Delivery | None:
        """Return the delivery of that number, or None."""
        with self._read() as connection:
            row = connection.execute(_joined().where(delivery.c.id == id_)).one_or_none()
        return None if row is None else rows.to_delivery(row)

    def delivery_counts(self) -> Mapping[tuple[str, DeliveryState], int]:
        """Return how many deliveries each endpoint has in each state; those that it has none of are left out."""
        counted = select(delivery.c.endpoint, delivery.c.state, func.count()).group_by(
            delivery.c.endpoint, delivery.c.state
        )
        with self._read() as connection:
            return {(name, DeliveryState(state)): number for name, state, number in connection.execute(counted)}

    def abandon(self, endpoints: Collection[str], due_before: datetime, why: str) -> int:
        """Give up what is open, was due before then and goes to none of these endpoints; return how many.

        The margin is for another daemon on this database, whose configuration may know the endpoint.
        """
        strangers = delivery.c.endpoint.not_in(sorted(endpoints))
        with self._write() as connection:
            forgotten = update(delivery).where(text(OPEN), strangers, delivery.c.next_at < due_before)
            return connection.execute(forgotten.values(state=DeliveryState.DEAD, last_error=why)).rowcount

    def attempts_of(self, delivery_id: int) -> list[Attempt]:
        """Return the attempts made, oldest first."""
        made = select(attempt).where(attempt.c.delivery_id == delivery_id).order_by(attempt.c.id)
        with self._read() as connection:
            return [rows.to_attempt(row) for row in connection.execute(made)]

    def retry(self, ids: Collection[int], now: datetime) -> int:
        """Open these deliveries again, with all attempts before them and due at once; done ones stay done.

        Returns how many were opened.
        """
        with self._write() as connection:
            these = and_(among(connection.dialect, delivery.c.id, ids), delivery.c.state != DeliveryState.DONE)
            again = update(delivery).where(these).values(state=DeliveryState.OPEN, next_at=now, attempts=0)
            return connection.execute(again).rowcount

    def retry_dead(self, endpoint: str, now: datetime) -> int:
        """Open again, as `retry` does, all that was given up for an endpoint; return how many those were."""
        with self._write() as connection:
            these = update(delivery).where(text(DEAD), delivery.c.endpoint == endpoint)
            again = these.values(state=DeliveryState.OPEN, next_at=now, attempts=0)
            return connection.execute(again).rowcount


def _joined() -> Select[tuple[object, ...]]:
    return select(delivery, notification.c.type, notification.c.at.label("notified_at"), notification.c.data).join(
        notification
    )
