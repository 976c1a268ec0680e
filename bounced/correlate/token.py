"""The content of a token and its two spellings: octets and lower-case base32. Knows no key."""

import base64
import binascii
import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from bounced.correlate import text
from bounced.model import Tags

_FIRST_DAY = date(2020, 1, 1)
_MAX_DAY = 0xFFFF
_RECIPIENT, _MESSAGE, _TAGS_MARK, _TAGS, _REFERENCE = 1, 2, 4, 8, 16
_FIELD, _ITEM = "\x1f", "\x1e"


class Purpose(StrEnum):
    """What a token may be used for. One made for one purpose never passes for another."""

    BOUNCE = "bounce"
    UNSUB = "unsub"
    FBL = "fbl"


@dataclass(frozen=True, slots=True)
class Content:
    """What a token says. `recipient_mark` stands for the address; `recipient` is it, in sealed tokens only.

    `message_mark` tells two mails of a day apart, `tags_mark` stands for tags that did not fit,
    `reference` is the id of a stored record, lower-case base32.
    """

    expires: date
    recipient_mark: bytes | None = None
    recipient: str | None = None
    message_mark: bytes | None = None
    tags: Tags | None = None
    tags_mark: bytes | None = None
    reference: str | None = None

    def expired(self, now: datetime) -> bool:
        """True once the day `expires` is over, in UTC."""
        return now.astimezone(UTC).date() > self.expires


def last_day(now: datetime, days: int) -> date:
    """Return the last day on which a token made now is good."""
    return min(now.astimezone(UTC).date() + timedelta(days=days), _FIRST_DAY + timedelta(days=_MAX_DAY))


def mark_of_tags(tags: Tags) -> bytes:
    """Return 6 octets that stand for tags; the same ones always give the same mark."""
    return hashlib.sha256(_pack_tags(tags)).digest()[:6]


def mark_of_message(message_id: str) -> bytes:
    """Return 3 octets that tell this mail from another to the same recipient on the same day."""
    return hashlib.sha256(message_id.encode("utf-8", "replace")).digest()[:3]


def pack(content: Content) -> bytes:
    """Return the octets of what a short token says; the sealed recipient is not among them."""
    parts = (
        (_RECIPIENT, content.recipient_mark),
        (_MESSAGE, content.message_mark),
        (_TAGS_MARK, content.tags_mark),
        (_REFERENCE, from_base32(content.reference) if content.reference else None),
        (_TAGS, _pack_tags(content.tags) if content.tags else None),
    )
    flags = sum(flag for flag, value in parts if value is not None)
    day = (content.expires - _FIRST_DAY).days
    body = (_sized(value) if flag == _REFERENCE else value for flag, value in parts if value is not None)
    return bytes([flags]) + day.to_bytes(2, "big") + b"".join(body)


def unpack(raw: bytes) -> Content | None:
    """Return what the octets say; None if they are none of ours."""
    if len(raw) < 3 or raw[0] & ~31:
        return None
    flags, at = raw[0], 3
    taken: dict[int, bytes] = {}
    for flag, size in ((_RECIPIENT, 6), (_MESSAGE, 3), (_TAGS_MARK, 6), (_REFERENCE, -1), (_TAGS, -2)):
        if not flags & flag:
            continue
        if size == -1:
            size, at = (raw[at] if at < len(raw) else 0), at + 1
        elif size == -2:
            size = len(raw) - at
        taken[flag] = raw[at : at + size]
        if len(taken[flag]) != size or not size:
            return None
        at += size
    if at != len(raw):
        return None
    return Content(
        expires=_FIRST_DAY + timedelta(days=int.from_bytes(raw[1:3], "big")),
        recipient_mark=taken.get(_RECIPIENT),
        message_mark=taken.get(_MESSAGE),
        tags_mark=taken.get(_TAGS_MARK),
        reference=to_base32(taken[_REFERENCE]) if _REFERENCE in taken else None,
        tags=_unpack_tags(taken[_TAGS]) if _TAGS in taken else None,
    )


def pack_sealed(content: Content) -> bytes:
    """Return the octets to seal: recipient and tags in full."""
    address = (content.recipient or "").encode()
    return pack(content) + address + len(address).to_bytes(2, "big")


def unpack_sealed(raw: bytes) -> Content | None:
    """Return what unsealed octets say; None if they are none of ours."""
    size = int.from_bytes(raw[-2:], "big")
    content = unpack(raw[: -2 - size]) if len(raw) > size + 4 else None
    if content is None:
        return None
    address = raw[-2 - size : -2].decode("utf-8", "replace")
    return replace(content, recipient=address)


def to_base32(raw: bytes) -> str:
    """Return lower-case base32 (RFC 4648) without padding: it survives gateways that fold case."""
    return base64.b32encode(raw).decode("ascii").rstrip("=").lower()


def from_base32(spelt: str) -> bytes | None:
    """Return the octets; None if it is no base32."""
    try:
        return base64.b32decode(spelt.upper() + "=" * (-len(spelt) % 8))
    except (binascii.Error, ValueError):
        return None


def _sized(value: bytes) -> bytes:
    return bytes([len(value)]) + value


def _pack_tags(tags: Tags) -> bytes:
    fields = (tags.campaign or "", tags.list or "", _ITEM.join(tags.categories), tags.stream or "")
    return _FIELD.join(fields).rstrip(_FIELD).encode()


def _unpack_tags(raw: bytes) -> Tags:
    fields = [*raw.decode("utf-8", "replace").split(_FIELD), "", "", "", ""]
    categories = tuple(c for one in fields[2].split(_ITEM) if (c := text.tag(one)))
    return Tags(text.tag(fields[0]), text.tag(fields[1]), categories, text.tag(fields[3]))
