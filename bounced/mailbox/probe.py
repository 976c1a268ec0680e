"""Trying a mailbox for `doctor`: everything a poll needs, nothing changed, the findings in plain words."""

from collections.abc import Iterator

from bounced.config import ImapMailbox
from bounced.errors import BouncedError
from bounced.mailbox.acks import can_move
from bounced.mailbox.faults import Refused
from bounced.mailbox.login import Credentials
from bounced.mailbox.session import Selected, Session
from bounced.mailbox.source import Check


def probe_imap(settings: ImapMailbox, credentials: Credentials) -> list[Check]:
    """Return what was found, in the order in which it was tried; the first failure that ends the trial is last."""
    try:
        session = Session(settings, credentials)
    except BouncedError as exc:
        return [Check(False, str(exc))]
    try:
        return [_secured(settings), *_folders(settings, session)]
    except BouncedError as exc:
        return [Check(False, str(exc))]
    finally:
        session.close()


def _secured(settings: ImapMailbox) -> Check:
    how = {"tls": "TLS", "starttls": "STARTTLS", "plain": "no encryption"}[settings.security]
    return Check(True, f"logged in to {settings.host} port {settings.effective_port} as {settings.user} with {how}")


def _folders(settings: ImapMailbox, session: Session) -> Iterator[Check]:
    for folder in settings.folders:
        yield from _polled(settings, session, folder)
    if settings.idle and not session.can("IDLE"):
        yield Check(True, f"no IDLE here: new mail is found by polling, every {settings.poll_every:g} seconds")
    if settings.after.mode == "move" and can_move(session):
        for target in dict.fromkeys(settings.after.folders().values()):
            yield _target(session, target)


def _polled(settings: ImapMailbox, session: Session, folder: str) -> Iterator[Check]:
    try:
        selected = session.select(folder, readonly=True)
        rights = session.rights(folder)
    except Refused as exc:
        yield Check(False, str(exc))
        return
    yield Check(True, f"folder {folder}: {selected.exists} messages")
    yield from _changes(settings, session, selected, rights, folder)


def _changes(
    settings: ImapMailbox, session: Session, selected: Selected, rights: str | None, folder: str
) -> Iterator[Check]:
    """Say whether what `after` wants done in the folder can be done."""
    mode = settings.after.mode
    if mode == "move" and not can_move(session):
        yield Check(False, "the server offers neither MOVE nor UIDPLUS: messages will be flagged, not moved")
        mode = "flag"
    if mode == "move" and rights is not None and not {"t", "e"} <= set(rights):
        yield Check(False, f"folder {folder}: no right to move messages out (ACL: {rights}): ask for t and e")
    if mode == "flag" and rights is not None and "w" not in rights:
        yield Check(False, f"folder {folder}: no right to set flags (ACL: {rights}): ask for w, or set mode: leave")


def _target(session: Session, folder: str) -> Check:
    """Say whether messages can be moved into a folder."""
    if not session.has_folder(folder):
        return Check(True, f"folder {folder}: not there yet; it is made with the first message for it")
    rights = session.rights(folder)
    if rights is not None and "i" not in rights:
        return Check(False, f"folder {folder}: no right to put messages in (ACL: {rights}): ask for i")
    return Check(True, f"folder {folder}: is there")
