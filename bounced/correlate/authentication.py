"""Authentication-Results (RFC 8601) of our own mail server -> the domains whose DKIM signature it verified."""

import re
from collections.abc import Iterator, Sequence

from bounced.address import normalise_domain

_MAX_RESULTS = 50
_METHOD = re.compile(r"\s*([A-Za-z0-9-]+)(?:\s*/\s*\d+)?\s*=\s*([A-Za-z0-9-]+)", re.ASCII)
_DOMAIN = re.compile(r"\bheader\s*\.\s*(d|i)\s*=\s*([^\s;]+)", re.IGNORECASE | re.ASCII)


def verified_domains(results: Sequence[str], authserv_id: str) -> frozenset[str]:
    """Return the domains that the server named `authserv_id` found a valid DKIM signature of.

    `results` are the fields in their order in the mail. Only those above the first of another server are read, and
    of them only the topmost that speaks of DKIM: our server writes on top, so whatever a stranger wrote into his mail
    stands below it (RFC 8601 section 5).
    """
    for value in results:
        server, _, statements = _plain(value).partition(";")
        if not _is(server, authserv_id):
            break
        found = list(_dkim(statements))
        if found:
            return frozenset(domain for passed, domain in found if passed and domain)
    return frozenset()


def _plain(value: str) -> str:
    """Return the field without comments, and what is quoted without separators; empty where either never ends."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for c in value[:10_000]:
        if escaped:
            escaped = False
            continue
        if c == "\\" and (quoted or depth):
            escaped = True
        elif quoted:
            quoted = c != '"'
            kept.append("" if not quoted else "_" if c in ";=\t " else c)
        elif c in "()":
            depth += 1 if c == "(" else -(depth > 0)
            kept.append(" ")
        elif not depth:
            quoted = c == '"'
            kept.append("" if quoted else c)
    return "" if quoted or depth else "".join(kept)


def _is(server: str, authserv_id: str) -> bool:
    """True if the first word is our server's name; a version may follow it."""
    words = server.split()
    return bool(words) and words[0].lower() == authserv_id.lower() and (len(words) == 1 or words[1].isdigit())


def _dkim(statements: str) -> Iterator[tuple[bool, str | None]]:
    """Yield for each DKIM statement whether it passed, and the domain it is about."""
    for statement in statements.split(";")[:_MAX_RESULTS]:
        method = _METHOD.match(statement)
        if method and method[1].lower() == "dkim":
            yield method[2].lower() == "pass", _signer(statement)


def _signer(statement: str) -> str | None:
    """Return the signing domain: header.d, else what follows the `@` of header.i; None where two are named."""
    found = _DOMAIN.findall(statement)
    named = [value for name, value in found if name.lower() == "d"] or [v.rpartition("@")[2] for _, v in found]
    return normalise_domain(named[0]) if len(named) == 1 else None
