"""What goes wrong between here and an IMAP server, in plain words that say what to do about it."""

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from bounced.config import ImapMailbox
from bounced.errors import BouncedError, MailboxDown

#: What imapclient, imaplib, ssl and socket are known to raise: their own errors, and what slips through on odd input.
LIBRARY_ERRORS = (imaplib.IMAP4.error, OSError, EOFError, ValueError, LookupError, TypeError, AttributeError)

_CERTIFICATE = {
    10: "its certificate has expired: renew it there",
    18: "its certificate is self-signed: name the authority that signed it in ca_file",
    19: "its certificate comes from an authority that is not trusted here: name that authority in ca_file",
    20: "its certificate comes from an authority that is not trusted here: name that authority in ca_file",
    62: "its certificate is for another host name: set host to a name that stands in the certificate",
    64: "its certificate is for another address: set host to a name that stands in the certificate",
}


class Refused(MailboxDown):
    """The server answered NO or BAD to one command; the connection is still good."""


@contextmanager
def plain_words(settings: ImapMailbox, doing: str) -> Iterator[None]:
    """Map whatever the libraries raise inside to MailboxDown, or Refused where the server answered NO or BAD."""
    try:
        yield
    except BouncedError:
        raise
    except LIBRARY_ERRORS as exc:
        error = Refused if _is_answer(exc) else MailboxDown
        raise error(f"mailbox {settings.name}: {doing}: {explain(exc, settings)}") from exc


def explain(exc: BaseException, settings: ImapMailbox) -> str:
    """Return what happened and what to do, in one line, without secrets and control characters."""
    where = f"{settings.host} port {settings.effective_port}"
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"{where}: {_CERTIFICATE.get(exc.verify_code, f'its certificate is not valid: {exc.verify_message}')}"
    if isinstance(exc, ssl.SSLError):
        return f"{where}: no TLS session: {_tls(exc)}"
    if isinstance(exc, socket.gaierror):
        return f"{settings.host}: {_name_service(exc)}"
    if isinstance(exc, TimeoutError):
        return f"{where}: no answer within {settings.timeout:g} seconds{_silent(settings)}"
    if isinstance(exc, ConnectionRefusedError):
        return f"{where}: connection refused: nothing listens there, or a firewall rejects it; check host and port"
    if isinstance(exc, ConnectionError) or "EOF" in str(exc):
        return f"{where}: the server broke the connection off"
    if isinstance(exc, imaplib.IMAP4.readonly):
        return "this user may only read there: set after.mode: leave, or ask for the right to change it"
    if isinstance(exc, imaplib.IMAP4.error):
        return f"{where}: {_answer(exc)}"
    return f"{where}: {_clean(f'{type(exc).__name__}: {exc}')}"


def _is_answer(exc: BaseException) -> bool:
    return isinstance(exc, imaplib.IMAP4.error) and (
        isinstance(exc, imaplib.IMAP4.readonly) or not isinstance(exc, imaplib.IMAP4.abort)
    )


def _tls(exc: ssl.SSLError) -> str:
    if exc.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"):
        return "this port does not begin with TLS: set security: starttls, or the port for implicit TLS (993)"
    if isinstance(exc, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "the server broke the handshake off"
    return _clean(str(exc.reason or exc))


def _name_service(exc: socket.gaierror) -> str:
    if exc.errno == socket.EAI_AGAIN:
        return "the name service gave no answer: check the network and DNS"
    return "no such host: check the spelling of host"


def _silent(settings: ImapMailbox) -> str:
    if settings.security == "tls":
        return ""
    return "; if this port begins with TLS (993 does), set security: tls"


def _answer(exc: imaplib.IMAP4.error) -> str:
    """Return what the server said, without imaplib's framing."""
    text = str(exc.args[0]) if exc.args else str(exc)
    text = re.sub(r"^(?:\w+ failed: |command: \w+ => )+", "", text)
    return f"the server said: {_clean(text)}"


def _clean(text: str) -> str:
    text = re.sub(r"^b(['\"])(.*)\1$", r"\2", text.strip())
    text = re.sub(r" \([\d.]+ \+ [\d. +]+ secs\)\.?$", "", text)  # Dovecot's stop-watch
    return "".join(c if c.isprintable() else "?" for c in text)[:300]
