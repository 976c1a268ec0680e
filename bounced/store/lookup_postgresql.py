"""The question of a waiting sender to PostgreSQL: one connection, one prepared statement, libpq with no wrapping."""

import select
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg import pq
from psycopg.pq.abc import PGresult

from bounced.errors import StoreDown
from bounced.model import Suppression

_NAME: Final = b"bounced_lookup"
_TEXT: Final = 25  # the OID of the type text
_QUESTION: Final = b"""SELECT address, scope, category, reason, (extract(epoch FROM since) * 1000000)::bigint,
(extract(epoch FROM until) * 1000000)::bigint, event_id, why, actor,
(extract(epoch FROM disputed) * 1000000)::bigint
FROM suppression WHERE address = $1 AND scope IN ('*', $2)"""
_FORM_NAME: Final = b"bounced_form"
_FORM: Final = b"SELECT form, key_check FROM address_form"
#: The plan is made once. Without this it could be one for a table that was empty then: a walk through millions.
_SETTINGS: Final = (
    "SET statement_timeout = {}; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off"
)
#: Seconds that a sender is kept waiting before it hears "later".
_PATIENCE: Final = 5.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class PostgresqlReader:
    """A connection of its own, in the way of libpq's asynchronous commands: a server that hangs is given up."""

    def __init__(self, arguments: Mapping[str, Any], busy_timeout: float) -> None:
        """Connect and prepare the question. Raises StoreDown."""
        self._patience = min(_PATIENCE, busy_timeout)
        wanted = {
            "connect_timeout": max(2, int(self._patience)),
            "application_name": "bounced lookup",
            "client_encoding": "utf8",
        }
        with _mapped():
            self._connection = psycopg.connect(**{**arguments, **wanted}, autocommit=True)
        self._pg, self._ready = self._connection.pgconn, select.poll()
        self._ready.register(self._pg.socket, select.POLLIN)
        try:
            self._prepare()
        except StoreDown:
            self.close()
            raise

    def entries(self, address: str, scope: str) -> list[Suppression]:
        """Return the entries of the address in `*` and in the scope. Raises StoreDown, after seconds at most."""
        result = self._ask(_NAME, [address.encode(), scope.encode()])
        return [_suppression(result, row) for row in range(result.ntuples)]

    def form(self) -> tuple[str, str] | None:
        """Return form of the addresses and check of their key; None for addresses as they are. Raises StoreDown."""
        result = self._ask(_FORM_NAME, []) if self._has_form else None
        if result is None or not result.ntuples:
            return None
        form, key_check = ((result.get_value(0, column) or b"").decode() for column in (0, 1))
        return form, key_check

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _prepare(self) -> None:
        with _mapped():
            self._connection.execute(_SETTINGS.format(int(self._patience * 1000)))
            prepared = [self._pg.prepare(_NAME, _QUESTION, [_TEXT, _TEXT])]
            row = self._connection.execute("SELECT to_regclass('address_form')").fetchone()
            self._has_form = row is not None and row[0] is not None
            prepared += [self._pg.prepare(_FORM_NAME, _FORM)] if self._has_form else []
        for each in prepared:
            _demand(each, pq.ExecStatus.COMMAND_OK)

    def _ask(self, name: bytes, values: list[bytes]) -> PGresult:
        with _mapped():
            self._pg.send_query_prepared(name, values)
            result = self._result()
        _demand(result, pq.ExecStatus.TUPLES_OK)
        return result

    def _result(self) -> PGresult:
        """Return the one result of what was sent, and read to its end."""
        end = time.monotonic() + self._patience
        found: PGresult | None = None
        while True:
            if not self._ready.poll(max(0.0, end - time.monotonic()) * 1000):
                raise StoreDown(f"PostgreSQL did not answer within {self._patience:g} seconds")
            self._pg.consume_input()
            while not self._pg.is_busy():
                result = self._pg.get_result()
                if result is not None:
                    found = result
                elif found is not None:
                    return found
                else:
                    raise StoreDown("PostgreSQL cannot be asked: it broke off the answer")


@contextmanager
def _mapped() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as exc:
        raise StoreDown(f"PostgreSQL cannot be asked: {_line(exc)}") from exc


def _demand(result: PGresult, wanted: pq.ExecStatus) -> None:
    if result.status != wanted:
        raise StoreDown(f"PostgreSQL cannot be asked: {_line(result.error_message.decode(errors='replace'))}")


def _suppression(result: PGresult, row: int) -> Suppression:
    text = [
        None if value is None else value.decode() for value in (result.get_value(row, column) for column in range(10))
    ]
    address, scope, category, reason, since, until, event_id, why, actor, disputed = text
    return Suppression(
        address=address or "",
        scope=scope or "",
        category=category or "",
        reason=reason or "",
        since=_time(since or "0"),
        until=_time(until) if until else None,
        event_id=event_id,
        why=why or "",
        actor=actor or "",
        disputed=_time(disputed) if disputed else None,
    )


def _time(microseconds: str) -> datetime:
    return _EPOCH + timedelta(microseconds=int(microseconds))


def _line(said: object) -> str:
    """Return the first line of what libpq said."""
    return (str(said).strip().splitlines() or ["no more is known"])[0][:300]
