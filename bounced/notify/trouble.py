"""Why a POST got no answer, in words for the person whose endpoint it is."""

import ssl
from collections.abc import Iterator

import httpx2


def words(exc: httpx2.HTTPError) -> str:
    """Return what went wrong: the cause the system named, not the library's word for it."""
    for cause in _causes(exc):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is not accepted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"no TLS with it: {cause.reason or cause}"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused; does it listen on that port?"
        if isinstance(cause, ConnectionResetError | BrokenPipeError):
            return "it broke the connection off"
    if isinstance(exc, httpx2.ConnectTimeout):
        return "no connection in time; does a firewall drop it?"
    if isinstance(exc, httpx2.ReadError | httpx2.WriteError) or "disconnected" in str(exc):
        return "it broke the connection off"
    if isinstance(exc, httpx2.RemoteProtocolError):
        return f"what it answered is no HTTP: {exc}"
    return str(exc) or type(exc).__name__


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and what led to it, nearest first."""
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__
