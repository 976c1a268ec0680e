"""Return paths that other programs make -> what they say: VERP of many makes, BATV, SRS. They prove nothing."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bounced import address

_MAX_NESTED = 4


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a return path says. `recipient` and `sender` are normalised; `detail` is whatever else it names."""

    shape: str
    recipient: str | None = None
    sender: str | None = None
    detail: str | None = None


_Make = Callable[[re.Match[str], str], Decoded | None]


def decode(spelt: str) -> Decoded | None:
    """Return what a return path of a known make says; None if it is of none. Wrappings (BATV, SRS) are taken off."""
    return _decode(spelt, _MAX_NESTED)


def _decode(spelt: str, nested: int) -> Decoded | None:
    local, at, domain = spelt.strip().strip("<>").rpartition("@")
    if not at or len(local) > 320:
        return None
    for pattern, make in (*_WRAPPINGS, *_VERPS):
        match = pattern.fullmatch(local)
        made = make(match, domain) if match else None
        if made is None:
            continue
        inner = _decode(made.sender, nested - 1) if made.recipient is None and made.sender and nested else None
        return inner or made
    return None


def _person(user: str, domain: str) -> str | None:
    return address.normalise(f"{user}@{domain}") if "." in domain else None


def _verp(shape: str) -> _Make:
    """Return a maker for `list<delimiter>user=domain@origin`."""

    def make(match: re.Match[str], origin: str) -> Decoded | None:
        recipient = _person(match["user"], match["domain"])
        sender = address.normalise(f"{match['list']}@{origin}") if match["list"] else None
        return Decoded(shape, recipient, sender, match.groupdict().get("detail")) if recipient else None

    return make


def _token_only(shape: str) -> _Make:
    def make(match: re.Match[str], origin: str) -> Decoded | None:
        return Decoded(shape, None, address.normalise(f"{match['list']}@{origin}"), match["detail"])

    return make


def _wrapped(shape: str) -> _Make:
    """Return a maker for an address inside another one; the domain is in the local part, or stays the same."""

    def make(match: re.Match[str], origin: str) -> Decoded | None:
        groups = match.groupdict()
        inner = address.normalise(f"{match['user']}@{groups.get('domain') or origin}")
        return Decoded(shape, None, inner, groups.get("detail")) if inner else None

    return make


def _re(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


_DOMAIN = r"(?P<domain>[a-z0-9.-]+)"
#: BATV: `prvs=KDDDSSSSSS=local`, in Barracuda's form `btv1==hash==local`. SRS: `SRS0=hash=time=domain=local`, and
#: `SRS1=hash=forwarder==hash=time=domain=local`, whose separators may also be `+` or `-`.
_WRAPPINGS: tuple[tuple[re.Pattern[str], _Make], ...] = (
    (_re(r"prvs=(?P<detail>\d{4}[0-9a-f]{6})=(?P<user>.+)"), _wrapped("batv")),
    (_re(r"prvs=(?P<user>[^=]+)/(?P<detail>\d{4}[0-9a-f]{6})"), _wrapped("batv")),
    (_re(r"btv1==(?P<detail>[0-9a-f]+)==(?P<user>.+)"), _wrapped("batv")),
    (_re(rf"srs0[=+-](?P<detail>[^=]+=[a-z2-7]{{2}})={_DOMAIN}=(?P<user>.+)"), _wrapped("srs")),
    (_re(rf"srs1[=+-](?P<detail>[^=]+=[^=]+)=[=+-][^=]+=[a-z2-7]{{2}}={_DOMAIN}=(?P<user>.+)"), _wrapped("srs")),
)
_VERPS: tuple[tuple[re.Pattern[str], _Make], ...] = (
    (_re(rf"(?P<list>bounce)\+(?P<user>.+?)==a=={_DOMAIN}==(?P<detail>[^=]+(?:==[^=]+)?)"), _verp("sympa")),
    (_re(rf"(?P<list>bounce)\+(?P<user>.+?)==a=={_DOMAIN}"), _verp("sympa")),
    (_re(rf"(?P<list>bounce)\+(?P<detail>[0-9a-f]+\.[0-9a-f]+)-(?P<user>.+)={_DOMAIN}"), _verp("mailgun")),
    (_re(rf"(?P<list>bounces)\+(?P<detail>\d+-[0-9a-z]+)-(?P<user>.+)={_DOMAIN}"), _verp("sendgrid")),
    (_re(rf"(?P<list>.+)-return-(?P<detail>\d+)-(?P<user>.+)={_DOMAIN}"), _verp("ezmlm")),
    (_re(rf"(?P<list>[^+]+)-bounces\+(?P<user>.+)={_DOMAIN}"), _verp("mailman")),
    (_re(r"(?P<list>[^+]+)-bounces\+(?P<detail>[0-9a-f]{40})"), _token_only("mailman probe")),
    (_re(r"(?P<list>[^+]+)-confirm\+(?P<detail>[0-9a-f]{40})"), _token_only("mailman confirm")),
    (_re(rf"(?P<list>[^+]+)\+(?P<user>.+)={_DOMAIN}"), _verp("postfix")),
    # With `-` for a delimiter nobody can tell where a list's name ends, unless there is but one.
    (_re(rf"(?P<list>[^-]+)-(?P<user>[^-]+)={_DOMAIN}"), _verp("postfix")),
)
