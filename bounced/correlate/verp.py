"""Return paths as a library: mint what a mail carries, verify one token, decode whatever return path is at hand."""

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime

from bounced.address import domain_of
from bounced.correlate import shapes
from bounced.correlate.carriers import REFERENCE_HEADER
from bounced.correlate.shapes import Decoded
from bounced.correlate.signer import Checked, Mail, Signer
from bounced.correlate.token import Purpose


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a mail to one recipient carries, so that whichever piece survives is enough.

    `return_path` goes into MAIL FROM, `envid` into its ENVID parameter (RFC 3461; to be xtext-encoded by the client),
    `headers` are to be set on the mail; the CFBL ones count only if the DKIM signature covers them (RFC 9477).
    """

    return_path: str
    envid: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a return path or header value turned out to be: a token of ours, another program's shape, or neither."""

    ours: Checked | None = None
    purpose: Purpose | None = None
    foreign: Decoded | None = None


def sign(signer: Signer, mail: Mail, now: datetime, purpose: Purpose = Purpose.BOUNCE) -> str:
    """Return the address that reports on this mail shall come back to, at most 64 octets before its `@`.

    Raises ValueError if the recipient is no address or no key is valid.
    """
    return signer.return_path(signer.sign(mail, purpose, now))


def stamp(signer: Signer, mail: Mail, now: datetime, unsubscribe: str | None = None) -> Stamp:
    """Return everything that may carry the reference. Raises ValueError as `sign` does.

    `unsubscribe` is the one-click HTTPS address of RFC 8058, if the sender has one. Where `mail` brings no Message-ID
    one is made, of the token; it is a new one with each call.
    """
    told = mail if mail.message_id else replace(mail, message_id=secrets.token_hex(16))
    token = signer.sign(told, Purpose.BOUNCE, now)
    headers = {
        REFERENCE_HEADER: signer.seal(told, Purpose.BOUNCE, now),
        "CFBL-Address": f"{sign(signer, told, now, Purpose.FBL)}; report=arf",
        "CFBL-Feedback-ID": signer.seal(told, Purpose.FBL, now),
        "List-Unsubscribe": f"<mailto:{sign(signer, told, now, Purpose.UNSUB)}?subject=unsubscribe>",
    }
    if unsubscribe:
        headers["List-Unsubscribe"] = f"<{_one_line(unsubscribe)}>, {headers['List-Unsubscribe']}"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if mail.message_id is None:
        headers["Message-ID"] = f"<{token}@{domain_of(signer.return_path(token))}>"
    return Stamp(signer.return_path(token), token, headers)


def verify(signer: Signer, spelt: str, now: datetime, purpose: Purpose = Purpose.BOUNCE) -> Checked | None:
    """Return what the token in an address or a header value is worth for `purpose`; None if there is none."""
    return signer.verify(spelt, purpose, now, domain_of(spelt.strip().strip("<>")).lower())


def decode(spelt: str, signer: Signer | None, now: datetime) -> Inspected:
    """Return what `spelt` says: ours, with the purpose it was made for, else the shape of another program."""
    checks = [(purpose, verify(signer, spelt, now, purpose)) for purpose in Purpose] if signer else []
    found = [(purpose, checked) for purpose, checked in checks if checked]
    if not found:
        return Inspected(foreign=shapes.decode(spelt))
    purpose, checked = next((one for one in found if one[1].content), found[0])
    return Inspected(ours=checked, purpose=purpose if checked.content else None)


def _one_line(url: str) -> str:
    if any(c.isspace() or c in "<>," or ord(c) < 33 or ord(c) == 127 for c in url):
        raise ValueError("want a URL without blanks, commas and angle brackets")
    return url
