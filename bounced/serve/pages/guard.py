"""Whether a request comes from our own page: the name it was sent to, and the site that sent it."""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from fastapi import Request

from bounced.serve.problems import Problem

#: What a page may load and do: its own style, script and images, forms to itself; nothing from anywhere else.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
#: `same-origin` and not `no-referrer`: with that a browser would not say where a form comes from.
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow",
}


def demand_our_name(request: Request, names: Collection[str]) -> None:
    """Raise Problem 421 for a host name that is not ours.

    A page of any site may let its own name stand for 127.0.0.1 and then talk to us as its own origin (DNS rebinding).
    It needs a name for that: an address by number, and localhost, cannot be anybody else's.
    """
    host = _host(request.headers.get("host", ""))
    if host != "localhost" and host not in names and not _is_number(host):
        raise Problem(421, "The page is not served under this name. If it should be, add it to http.names.")


def demand_our_form(request: Request) -> None:
    """Raise Problem 403 for a form that was not sent by a page of ours, as the browser tells (Fetch, section 3.2)."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site != "same-origin":
        raise _foreign()
    if origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
        raise _foreign()
    if site is None and origin is None:
        raise _foreign()


def comes_from_elsewhere(request: Request) -> bool:
    """True if a link on another site led here: the browser then held our cookie back."""
    return request.headers.get("sec-fetch-site") in ("cross-site", "same-site")


def _foreign() -> Problem:
    return Problem(403, "This form was not sent by a page of this program.")


def _host(header: str) -> str:
    """Return the host of a Host header in lower case, without its port."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
