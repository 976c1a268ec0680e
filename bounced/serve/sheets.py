"""What is handed out as a file, column by column: events, and the suppression table."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from bounced.model import Event, Place, Suppression, Tags
from bounced.serve.exported import Sheet, plain
from bounced.spreadsheet import escaped, shown

_EVENT: Final = (
    *("at", "id", "kind", "category", "reason", "fault", "trust", "address", "final_recipient", "provider"),
    *("status", "reply_code", "action", "diagnostic", "remote_mta", "reporting_mta", "feedback_type"),
    *("campaign", "list", "stream", "categories", "message_id", "subject", "reported_at"),
    *("reader", "rule", "matched", "identified_by", "trust_why", "decision", "superseded_by"),
    *("mailbox", "folder", "uidvalidity", "uid"),
)
#: As `bounced suppressions import` reads them back.
_ENTRY: Final = ("address", "scope", "category", "reason", "since", "until", "why", "actor", "event_id")


#: The fields of an event that are told as they are; the key says nothing to anybody.
_FIELDS: Final = tuple(each.name for each in fields(Event) if each.name not in ("key", "digest", "tags", "place"))


def _event_told(event: Event) -> Mapping[str, Any]:
    """Return the fields of `/v1/events`."""
    row = {name: getattr(event, name) for name in _FIELDS}
    return row | {"tags": _fields(event.tags), "place": _fields(event.place)}


def _fields(noun: Tags | Place) -> dict[str, Any]:
    return {name: getattr(noun, name) for name in noun.__slots__}


def _event_cells(event: Event) -> list[str]:
    """Return what people look at: what strangers wrote is shown as what it is."""
    tags, place = event.tags, event.place
    apart = {
        "campaign": tags.campaign,
        "list": tags.list,
        "stream": tags.stream,
        "categories": ", ".join(tags.categories),
        "mailbox": place.mailbox,
        "folder": place.folder,
        "uidvalidity": place.uidvalidity,
        "uid": place.uid,
    }
    return [shown(plain(apart[name] if name in apart else getattr(event, name))) for name in _EVENT]


def _entry_told(entry: Suppression) -> Mapping[str, Any]:
    return {name: getattr(entry, name) for name in _ENTRY}


def _entry_cells(entry: Suppression) -> list[str]:
    """Return what is read back as it was; a spreadsheet finds no formula in it."""
    return [escaped(plain(getattr(entry, name))) for name in _ENTRY]


EVENTS: Final = Sheet("events", _EVENT, _event_cells, _event_told)
SUPPRESSIONS: Final = Sheet("suppressions", _ENTRY, _entry_cells, _entry_told)
