"""Addresses out of sight: a keyed hash in the place of each, and none left in what strangers wrote. Pure."""

import hmac
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from bounced.keeping import pseudonym
from bounced.model import Change, Event, Sent, SignOfLife, Suppression

#: What stands where an address was.
MASK: Final = "<address>"
_SPELT: Final = re.compile(
    r"""[^\s<>()\[\]{}"',;:/?&]{1,256}[@\uff20][^\s<>()\[\]{}"',;:/?&]{1,256}"""
    r"""|[^\s<>()\[\]{}"',;:/?&=]{1,256}(?:%40|=40)[^\s<>()\[\]{}"',;:/?&]{1,256}""",
    re.IGNORECASE,
)
#: How the id of an event begins that is without an address; all others have a hex digit there.
_SEALED: Final = "ev_h"
_SEALED_NEWS: Final = "msg_h"
_WORD: Final = re.compile(r"[^\W_]+")
#: The fields of a notification that name an address, and those whose words may.
_NAMES: Final = frozenset({"address", "final_recipient"})
_WORDS: Final = frozenset({"why", "trust_why", "decision", "diagnostic"})


class Seal:
    """One key. Made of it: the name of an address, `hmac:` and 64 hex digits, the same ever after.

    `check` tells keys apart and nothing else about them.
    """

    def __init__(self, key: str, prepare: Callable[[Event], Event] = lambda event: event) -> None:
        """`prepare` writes into an event what cannot be told of it any more once its address is gone."""
        self._key = key.encode()
        self._prepare = prepare
        self._pseudonym = pseudonym(key)
        self.check = self._digest("bounced: which key is it?")[:32]

    def name(self, address: str) -> str:
        """Return what stands for an address; of what stands for one already, itself."""
        return address if address.startswith("hmac:") else self._pseudonym(address)

    def text(self, words: str, about: Iterable[str | None] = ()) -> str:
        """Return the words with a mark for whatever looks like an address, and for the local parts of those named."""
        words = _SPELT.sub(MASK, words)
        for part in _local_parts(about):
            if part in words.lower():
                words = re.sub(rf"(?<![^\W_]){re.escape(part)}(?![^\W_])", MASK, words, flags=re.IGNORECASE)
        return words

    def event(self, event: Event) -> Event:
        """Return the event under another key and id, without any address; the subject goes, words are masked.

        One that is so already stays as it is.

        Key and id followed from the address too: without the key of this seal one could try addresses against them.
        """
        if event.id.startswith(_SEALED):
            return event
        event, about = self._prepare(event), (event.address, event.final_recipient)
        return replace(
            event,
            key=self._digest(event.key),
            id=self.event_id(event.id),
            superseded_by=event.superseded_by and self.event_id(event.superseded_by),
            address=event.address and self.name(event.address),
            final_recipient=event.final_recipient and self.name(event.final_recipient),
            message_id=event.message_id and self._message_id(event.message_id, about),
            subject=None,
            diagnostic=event.diagnostic and self.text(event.diagnostic, about),
            matched=event.matched and self.text(event.matched, about),
            basis=tuple(map(self.text, event.basis)),
            disagreed=tuple(self.text(each, about) for each in event.disagreed),
            identified_by=self.text(event.identified_by),
            trust_why=self.text(event.trust_why, about),
            decision=self.text(event.decision, about),
        )

    def event_id(self, id_: str) -> str:
        """Return the id of an event whose own followed from an address; of what is no such id, itself."""
        plain = id_.startswith("ev_") and not id_.startswith(_SEALED)
        return _SEALED + self._digest(id_)[:31] if plain else id_

    def change(self, change: Change) -> Change:
        """Return the line of the journal under the name."""
        return replace(
            change,
            address=self.name(change.address),
            why=self.text(change.why, (change.address,)),
            event_id=change.event_id and self.event_id(change.event_id),
        )

    def entry(self, entry: Suppression) -> Suppression:
        """Return the entry under the name."""
        return replace(
            entry,
            address=self.name(entry.address),
            why=self.text(entry.why, (entry.address,)),
            event_id=entry.event_id and self.event_id(entry.event_id),
        )

    def sign(self, sign: SignOfLife) -> SignOfLife:
        """Return the sign of life under the name."""
        return replace(sign, address=self.name(sign.address), source=self.text(sign.source, (sign.address,)))

    def sent(self, mail: Sent) -> Sent:
        """Return the record with names for recipient, id and Message-ID: it is only ever looked up by them."""
        return replace(
            mail,
            id=self.name(mail.id),
            recipient=self.name(mail.recipient),
            message_id=mail.message_id and self.name(mail.message_id),
            return_path=None,
        )

    def data(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return what an endpoint is told, without an address and the subject."""
        about = [value for key in sorted(_NAMES) if isinstance(value := data.get(key), str)]
        return {key: self._told(key, value, about) for key, value in data.items()}

    def notification_id(self, id_: str) -> str:
        """Return the id of a notification whose own followed from an address; of one that does not any more, itself."""
        return id_ if id_.startswith(_SEALED_NEWS) else _SEALED_NEWS + self._digest(id_)[:31]

    def _told(self, key: str, value: Any, about: Collection[str]) -> Any:
        if not isinstance(value, str):
            return value
        if key in _NAMES:
            return self.name(value)
        if key == "event_id":
            return self.event_id(value)
        if key == "message_id":
            return self._message_id(value, about)
        if key == "subject":
            return None
        return self.text(value, about) if key in _WORDS else value

    def _message_id(self, message_id: str, about: Collection[str | None]) -> str:
        """Return the Message-ID; its name where the sender wrote an address into it."""
        folded = message_id.lower()
        words = frozenset(_WORD.findall(folded))
        spelt = any(part in words or (len(part) > 3 and part in folded) for part in _local_parts(about))
        return self.name(message_id) if spelt else message_id

    def _digest(self, text: str) -> str:
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256").hex()


def _local_parts(about: Iterable[str | None]) -> list[str]:
    """Return the local parts of addresses, the longest first; of one with a plus also what stands before that."""
    parts = set()
    for address in about:
        local = (address or "").lower().rpartition("@")[0].strip('"')  # of what stands for an address there is none
        parts |= {local, local.partition("+")[0]}
    return sorted(filter(None, parts), key=len, reverse=True)
