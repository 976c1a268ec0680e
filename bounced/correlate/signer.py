"""Mints and verifies the tokens of our return paths.

A token is `1<key>.<content>.<mac>`: lower-case base32, 80 bits of HMAC-SHA-256 over purpose, domain and all before
it. A sealed one is `2<key>.<sealed>`: content and recipient under AES-SIV (RFC 5297), for header fields, which have
room for it. Neither holds a readable address.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from cryptography.exceptions import InvalidTag

from bounced import address
from bounced.config import Signing
from bounced.correlate import text, token
from bounced.correlate.keys import Key, read_keys
from bounced.correlate.token import Content, Purpose
from bounced.model import Tags

_MAC_OCTETS = 10
_MAX_SEALED = 700  # with the name of its field well below the 998 octets of RFC 5322 section 2.1.1
_MAX_LOCAL = 64  # RFC 5321 section 4.5.3.1.1
#: `+` arrives as `=2b` or `%2b` where a gateway took it for an escape.
_TOKEN = re.compile(
    r"(?:(?<![a-z0-9])|(?<==2b)|(?<=%2b))"
    r"(?:1(?P<key>[a-z0-9]{1,4})\.(?P<content>[a-z2-7]{8,90})\.(?P<mac>[a-z2-7]{16})"
    r"|2(?P<sealer>[a-z0-9]{1,4})\.(?P<sealed>[a-z2-7]{40,800}))(?![a-z0-9])",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Mail:
    """The mail that a token is made for. Its Message-ID tells it from another to the same person on that day."""

    recipient: str
    tags: Tags = field(default_factory=Tags)
    message_id: str | None = None


class Flaw(StrEnum):
    """Why a token is not believed, in words for the person who asks."""

    UNKNOWN_KEY = "its key is not known"
    KEY_RETIRED = "its key is no longer valid"
    FORGED = "its signature is wrong"
    OTHER_PURPOSE = "it was made for another purpose"
    OTHER_DOMAIN = "it was made for another domain"
    EXPIRED = "it has expired"


@dataclass(frozen=True, slots=True)
class Checked:
    """A token after verification. `content` is there only if the signature is right; a `flaw` bars it all the same."""

    spelt: str
    content: Content | None
    flaw: Flaw | None
    key: Key | None = None

    @property
    def good(self) -> bool:
        """True if nothing speaks against it."""
        return self.flaw is None and self.content is not None

    @property
    def mail(self) -> str | None:
        """What tells the mail it was made for from all others: the same for each token of one mail; 32 hex digits."""
        content = self.content
        if content is None or self.key is None:
            return None
        mark = self.key.mark(content.recipient) if content.recipient else content.recipient_mark or b""
        parts = (str(content.expires).encode(), mark, content.message_mark or b"", (content.reference or "").encode())
        return hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]

    def speaks_for(self, recipient: str) -> bool:
        """True if the token was made for this normalised address. Takes the same time for each."""
        if self.content is None or self.key is None:
            return False
        if self.content.recipient is not None:
            return hmac.compare_digest(self.content.recipient.encode(), recipient.encode())
        mark = self.content.recipient_mark
        return mark is not None and hmac.compare_digest(mark, self.key.mark(recipient))


class Signer:
    """Holds the keys. Made once from the configuration; raises ConfigError for a secret that cannot be used."""

    def __init__(self, settings: Signing) -> None:
        self._keys = read_keys(settings.keys)
        self._domains = settings.domains
        self._settings = settings
        known = (Tags(c.campaign, c.list, c.categories, c.stream) for c in settings.campaigns)
        self._campaigns: Mapping[bytes, Tags] = {
            token.mark_of_tags(clean_tags(tags)): clean_tags(tags) for tags in known
        }

    def sign(self, mail: Mail, purpose: Purpose, now: datetime) -> str:
        """Return a token for this recipient whose return path is at most 64 octets before the `@`.

        Tags too long for it are carried as a mark; `campaigns` of the configuration says what the mark stands for.
        Raises ValueError if the recipient is no address or no key is valid.
        """
        key = self._signing_key(now)
        content = Content(
            token.last_day(now, self._settings.valid_days),
            recipient_mark=key.mark(_recipient(mail.recipient)),
            message_mark=token.mark_of_message(mail.message_id) if mail.message_id else None,
        )
        return self._spell(key, purpose, self._with_tags(key, content, clean_tags(mail.tags)))

    def sign_reference(self, record: str, purpose: Purpose, now: datetime) -> str:
        """Return a token that names a stored record: lower-case base32 of 1 to 16 octets. Raises ValueError."""
        raw = token.from_base32(record)
        if not raw or len(raw) > 16 or token.to_base32(raw) != record:
            raise ValueError("want a record id in lower-case base32, of 1 to 16 octets")
        content = Content(token.last_day(now, self._settings.valid_days), reference=record)
        spelt = self._spell(self._signing_key(now), purpose, content)
        if not self._fits(spelt):
            raise ValueError("this record id does not fit a return path with so long a prefix")
        return spelt

    def seal(self, mail: Mail, purpose: Purpose, now: datetime) -> str:
        """Return a sealed token, which gives the recipient and all tags back to whoever holds the key.

        For header fields: it does not fit a return path. At most 700 characters; tags beyond that are carried as a
        mark. Raises ValueError as `sign` does.
        """
        key = self._signing_key(now)
        tags = clean_tags(mail.tags)
        content = Content(
            token.last_day(now, self._settings.valid_days),
            recipient=_recipient(mail.recipient),
            message_mark=token.mark_of_message(mail.message_id) if mail.message_id else None,
            tags=tags if tags != Tags() else None,
        )
        whole = self._seal(key, purpose, content)
        if len(whole) <= _MAX_SEALED:
            return whole
        return self._seal(key, purpose, replace(content, tags=None, tags_mark=token.mark_of_tags(tags)))

    def return_path(self, spelt: str) -> str:
        """Return the address that carries a token."""
        return f"{self._settings.prefix}{self._settings.delimiter}{spelt}@{self._domains[0]}"

    def find(self, value: str) -> Iterator[re.Match[str]]:
        """Yield what has the form of a token in a header value or an address, in any case."""
        return _TOKEN.finditer(value[: text.MAX_FIELD])

    def verify(self, spelt: str, purpose: Purpose, now: datetime, domain: str | None = None) -> Checked | None:
        """Return what the first token in `spelt` is worth for `purpose`; None if there is none.

        `domain` is where it arrived; one of the configured domains binds the token to itself, any other (a
        forwarder's, or None for a header) leaves all of them open.
        """
        found = next(self.find(spelt), None)
        return self.check(found, purpose, now, domain) if found else None

    def check(self, found: re.Match[str], purpose: Purpose, now: datetime, domain: str | None = None) -> Checked:
        """Return what a token that `find` yielded is worth. As `verify`."""
        spelt = found[0].lower()
        key = self._keys.get((found["key"] or found["sealer"]).lower())
        if key is None:
            return Checked(spelt, None, Flaw.UNKNOWN_KEY)
        read = _unseal if found["sealed"] else _unsign
        domains = (domain,) if domain and domain in self._domains else self._domains
        content = next((c for d in domains if (c := read(key, spelt, purpose, d))), None)
        if content is None:
            return Checked(spelt, None, self._why_not(read, key, spelt, domains))
        flaw = Flaw.EXPIRED if content.expired(now) else None if key.valid(now) else Flaw.KEY_RETIRED
        return Checked(spelt, self._with_campaign(content), flaw, key)

    def required(self, recipients: Iterable[str]) -> bool:
        """True if mail to one of these addresses must bear a token: one of them lies in a signing domain."""
        return any(address.domain_of(one).lower() in self._domains for one in recipients)

    def is_backscatter(self, recipients: Iterable[str], now: datetime) -> bool:
        """True if a token is required of these envelope recipients, and none bears one that we ever made.

        An expired token is no backscatter: it answers a mail of ours. A few microseconds; nothing is parsed.
        """
        bounded = [one[:1000] for one in recipients][:20]
        if not self.required(bounded):
            return False
        found = (self.check(match, Purpose.BOUNCE, now) for one in bounded for match in self.find(one))
        return all(checked.flaw in (Flaw.FORGED, Flaw.UNKNOWN_KEY) for checked in found)

    def _why_not(self, read: "_Read", key: Key, spelt: str, domains: tuple[str, ...]) -> Flaw:
        """Tell a token of ours in the wrong place from a forgery."""
        if any(read(key, spelt, other, d) for other in Purpose for d in domains):
            return Flaw.OTHER_PURPOSE
        if any(read(key, spelt, other, d) for other in Purpose for d in self._domains):
            return Flaw.OTHER_DOMAIN
        return Flaw.FORGED

    def _signing_key(self, now: datetime) -> Key:
        key = next((key for key in self._keys.values() if key.valid(now)), None)
        if key is None:
            raise ValueError("no signing key is valid")
        return key

    def _spell(self, key: Key, purpose: Purpose, content: Content) -> str:
        head = f"1{key.id}.{token.to_base32(token.pack(content))}"
        return f"{head}.{_mac(key, head, purpose, self._domains[0])}"

    def _seal(self, key: Key, purpose: Purpose, content: Content) -> str:
        sealed = key.sealing.encrypt(token.pack_sealed(content), _bound(purpose, self._domains[0]))
        return f"2{key.id}.{token.to_base32(sealed)}"

    def _with_tags(self, key: Key, content: Content, tags: Tags) -> Content:
        """Return the content with the tags themselves where they fit, else with their mark."""
        mark = token.mark_of_tags(tags)
        if tags == Tags():
            return content
        whole = replace(content, tags=tags)
        fits = self._fits(self._spell(key, Purpose.BOUNCE, whole))
        return whole if fits and mark not in self._campaigns else replace(content, tags_mark=mark)

    def _fits(self, spelt: str) -> bool:
        return len(self.return_path(spelt).rpartition("@")[0]) <= _MAX_LOCAL

    def _with_campaign(self, content: Content) -> Content:
        if content.tags_mark is None:
            return content
        return replace(content, tags=self._campaigns.get(content.tags_mark))


_Read = Callable[[Key, str, Purpose, str], Content | None]


def _mac(key: Key, head: str, purpose: Purpose, domain: str) -> str:
    return token.to_base32(key.mac(purpose, domain, head)[:_MAC_OCTETS])


def _bound(purpose: Purpose, domain: str) -> list[bytes]:
    return [purpose.encode(), domain.encode()]


def _unsign(key: Key, spelt: str, purpose: Purpose, domain: str) -> Content | None:
    head, _, mac = spelt.rpartition(".")
    if not hmac.compare_digest(mac, _mac(key, head, purpose, domain)):
        return None
    raw = token.from_base32(head.partition(".")[2])
    return token.unpack(raw) if raw else None


def _unseal(key: Key, spelt: str, purpose: Purpose, domain: str) -> Content | None:
    sealed = token.from_base32(spelt.partition(".")[2])
    if not sealed or token.to_base32(sealed) != spelt.partition(".")[2]:
        return None
    try:
        return token.unpack_sealed(key.sealing.decrypt(sealed, _bound(purpose, domain)))
    except InvalidTag:
        return None


def _recipient(recipient: str) -> str:
    normal = address.normalise(recipient)
    if normal is None:
        raise ValueError("want a mail address")
    return normal


def clean_tags(tags: Tags) -> Tags:
    """Return tags as they would be read: bounded, and without the characters that separate them in a token."""
    categories = [c for one in tags.categories if (c := text.tag(one))][: text.MAX_CATEGORIES]
    return Tags(_tag(tags.campaign), _tag(tags.list), tuple(categories), _tag(tags.stream))


def _tag(value: str | None) -> str | None:
    return text.tag(value) if value else None
