"""Questions that may take long are given up after a time, by the database itself: nothing goes on behind."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

#: SQLite looks at the clock after so many of its steps: some hundred rows.
_STEPS = 2_000


@contextmanager
def within(connection: Connection, seconds: float) -> Iterator[None]:
    """Let no statement take longer than that. Raises TimeoutError where one would have."""
    if connection.dialect.name == "postgresql":
        with _postgresql(connection, seconds):
            yield
        return
    raw = connection.connection.driver_connection
    assert raw is not None  # noqa: S101  it is connected
    end = time.monotonic() + seconds
    raw.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    try:
        yield
    except OperationalError as exc:
        raise _given_up(exc, "interrupted") from exc
    finally:
        raw.set_progress_handler(None, 0)


@contextmanager
def _postgresql(connection: Connection, seconds: float) -> Iterator[None]:
    connection.execute(text(f"SET statement_timeout = {int(seconds * 1000)}"))
    try:
        yield
    except OperationalError as exc:
        raise _given_up(exc, "statement timeout") from exc
    finally:
        if not connection.invalidated:
            connection.execute(text("SET statement_timeout = DEFAULT"))


def _given_up(exc: OperationalError, sign: str) -> Exception:
    """Return what is raised for the error of a statement: its own, unless it was given up."""
    return TimeoutError("gave up: it would have taken too long") if sign in str(exc.orig) else exc
