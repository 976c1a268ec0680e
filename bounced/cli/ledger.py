"""What commands share that ask the ledger: opening it, addresses, times."""

import getpass
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bounced.address import known_as
from bounced.cli.options import configuration
from bounced.config import Config
from bounced.model.names import PRINTABLE, SCOPE_LENGTH

if TYPE_CHECKING:
    from bounced.store import Store

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@contextmanager
def ledger(given: Path | None) -> "Iterator[tuple[Config, Store]]":
    """Open the database that the configuration names, and close it again. Raises ConfigError; its use StoreDown."""
    from bounced.daemon.wiring import store

    config = configuration(given)
    opened = store(config)
    try:
        yield config, opened
    finally:
        opened.close()


def address(text: str) -> str:
    """Return the normal form of an address from the command line, or end with a usage error.

    What stands for an address in a listing, `hmac:` and 64 digits, is taken as it is.
    """
    normal = known_as(text)
    if normal is None:
        raise typer.BadParameter(f"{text!r} is no mail address")
    return normal


def scope_name(text: str | None) -> str | None:
    """Return the name of a scope as HTTP takes it, or end with a usage error; None stays None."""
    if text is not None and (len(text) > SCOPE_LENGTH or not re.fullmatch(PRINTABLE[1:-1], text)):
        raise typer.BadParameter(f"want 1 to {SCOPE_LENGTH} printable characters; * is everywhere")
    return text


def words(text: str) -> str:
    """Return the reason that somebody gives, or end with a usage error where it says nothing."""
    if not text.strip():
        raise typer.BadParameter("say something, for whoever asks later")
    return text


def moment(text: str | None) -> datetime | None:
    """Return the time that `2026-11-21`, an ISO time, or `90m`, `6h`, `7d`, `2w` ago names; None stays None."""
    if text is None:
        return None
    if text[-1:] in _UNITS and text[:-1].isdecimal():
        return datetime.now(UTC) - int(text[:-1]) * _UNITS[text[-1]]
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r}: want a date, an ISO time, or an age such as 7d or 12h") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def actor() -> str:
    """Return who types, for the journal."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):
        return "command line"
