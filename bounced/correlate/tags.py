"""The returned original -> tags: campaign, list, categories, stream, by header fields, by subject, by default."""

import json
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import re2

from bounced.config import HeaderTag, SubjectTag, Tagging
from bounced.correlate import text
from bounced.correlate.shipped import SHIPPED
from bounced.model import Kind, Original, Tags

#: A JSON value beyond this many characters is no header that a sender wrote.
_MAX_JSON = 16_384
_MAX_SUBJECT = 998
_DEFAULTED = frozenset({Kind.BOUNCE, Kind.DELAYED, Kind.DELIVERED, Kind.COMPLAINT})

_Take = Callable[[str], list[str]]


class Tagger:
    """Reads tags by the configured header map, then the shipped one, then the subject table, then the defaults."""

    def __init__(self, settings: Tagging) -> None:
        rules = [*settings.headers, *(SHIPPED if settings.shipped_headers else ())]
        self._fields: dict[str, list[tuple[int, str, _Take]]] = {}
        for rank, rule in enumerate(rules):
            self._fields.setdefault(rule.header.lower(), []).append((rank, rule.tag, _taker(rule)))
        self._subjects = [(_subject_test(row), _row_tags(row)) for row in settings.subjects]
        self._default = (_clean(settings.default_campaign), _clean(settings.default_list))

    def tags(self, original: Original | None, kind: Kind, told: Tags | None = None) -> Tags:
        """Return what the sender said of the mail; what nothing names falls to the defaults, for failures only.

        `told` is what a token or our records say of it, which no header can contradict.

        An unsubscribe never falls to the default list: it would be taken for a wish about that list alone.
        """
        tags = self._by_header(original) if original else Tags()
        if told:
            tags = _fill(told, tags)
        if tags.campaign is None and original and self._subjects:
            tags = _fill(tags, self._by_subject(original.first("Subject")))
        if tags.campaign is None and tags.list is None and kind in _DEFAULTED:
            tags = _fill(tags, Tags(*self._default))
        return tags

    def _by_header(self, original: Original) -> Tags:
        found: dict[str, tuple[int, list[str]]] = {}
        for name in self._fields.keys() & set(original.names()):  # only these are decoded
            for (rank, tag, take), value in product(self._fields[name], original.all(name)):
                held = found.get(tag)
                if held and (held[0] < rank or (held[0] == rank and tag != "categories")):
                    continue
                values = take(value)
                if values:
                    found[tag] = (rank, held[1] + values if held and held[0] == rank else values)
        return _tags({tag: values for tag, (_, values) in found.items()}) if found else Tags()

    def _by_subject(self, subject: str | None) -> Tags:
        shown = _fold(subject or "")
        return next((tags for fits, tags in self._subjects if fits(shown)), Tags())


def _taker(rule: HeaderTag) -> _Take:
    """Return the function that takes clean values out of one field value."""
    read = _reader(rule)

    def take(value: str) -> list[str]:
        parts = (part for one in read(value) for part in (one.split(rule.split) if rule.split else (one,)))
        return [clean for part in parts if (clean := text.tag(part))]

    return take


def _reader(rule: HeaderTag) -> Callable[[str], Sequence[str]]:
    if rule.kind == "json":
        steps = (rule.path or "").split(".")
        return lambda value: list(_json_values(value, steps))
    if rule.kind == "regex":
        search = re2.compile(rule.pattern).search
        return lambda value: _group(search(text.encodable(value[: text.MAX_FIELD])))
    return lambda value: (value,)


def _group(match: Any) -> list[str]:
    """Return the first group of a match, the whole of it where the pattern has no group."""
    if match is None:
        return []
    found = match.group(1) if match.re.groups else match.group(0)
    return [found] if found else []


def _json_values(value: str, steps: Sequence[str]) -> Iterator[str]:
    """Yield the text, number or list of them at the path; nothing where the value is no JSON or has no such path."""
    if len(value) > _MAX_JSON:
        return
    try:
        node = json.loads(value)
    except (ValueError, RecursionError):
        return
    for step in steps:
        node = node.get(step) if isinstance(node, dict) else None
    for one in node if isinstance(node, list) else (node,):
        if isinstance(one, str | int | float) and not isinstance(one, bool):
            yield str(one)


def _subject_test(row: SubjectTag) -> Callable[[str], bool]:
    if row.exact is not None:
        wanted = _fold(row.exact).casefold()
        return lambda subject: subject.casefold() == wanted
    search = re2.compile(f"(?i){row.pattern}").search
    return lambda subject: search(subject) is not None


def _fold(subject: str) -> str:
    """Return a subject for comparison: NFKC, blanks collapsed, bounded."""
    return " ".join(unicodedata.normalize("NFKC", text.encodable(subject[:_MAX_SUBJECT])).split())


def _row_tags(row: SubjectTag) -> Tags:
    values = {"campaign": [row.campaign], "list": [row.list], "categories": row.categories, "stream": [row.stream]}
    return _tags({tag: [c for v in some if v and (c := text.tag(v))] for tag, some in values.items()})


def _tags(values: dict[str, list[str]]) -> Tags:
    first = {tag: some[0] for tag, some in values.items() if some}
    categories = tuple(dict.fromkeys(values.get("categories", ())))[: text.MAX_CATEGORIES]
    return Tags(first.get("campaign"), first.get("list"), categories, first.get("stream"))


def _fill(tags: Tags, more: Tags) -> Tags:
    """Return `tags` with what it lacks taken from `more`."""
    return Tags(
        tags.campaign or more.campaign,
        tags.list or more.list,
        tags.categories or more.categories,
        tags.stream or more.stream,
    )


def _clean(value: str | None) -> str | None:
    return text.tag(value) if value else None
