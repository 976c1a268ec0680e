"""JSON of strangers: bounded in size and depth, and never an exception."""

import json
from collections.abc import Iterator

_MAX_OCTETS = 262_144
_MAX_DEPTH = 32
#: How lines of more than 998 octets come back from mail systems that break them.
_BREAKS = ("!\n ", "!\n", "\n")
Json = dict[str, object]


def parse_object(text: str) -> Json | None:
    """Return the first JSON object that begins in the text, whatever follows it; None if there is none, or too deep."""
    begin = text.find("{")
    if begin < 0 or len(text) - begin > _MAX_OCTETS or _depth(text[begin:]) > _MAX_DEPTH:
        return None
    for candidate in (text[begin:], *(text[begin:].replace(breaks, "") for breaks in _BREAKS if breaks in text)):
        try:
            value, _ = json.JSONDecoder(strict=False).raw_decode(candidate)
        except (ValueError, RecursionError):
            continue
        return value if isinstance(value, dict) else None
    return None


def inner(value: Json, *names: str) -> Json:
    """Return the object that lies under the names, compared without case; empty where there is none."""
    for name in names:
        found = get(value, name)
        value = found if isinstance(found, dict) else {}
    return value


def get(value: Json, *names: str) -> object:
    """Return what stands under the first of the names that occurs, compared without case; None if none does."""
    folded = {key.lower(): item for key, item in value.items()}
    return next((folded[name.lower()] for name in names if name.lower() in folded), None)


def string(value: Json, *names: str) -> str | None:
    """Return a text, at most 1,000 characters of it, or None where there is none or something else."""
    found = get(value, *names)
    return found[:1_000] if isinstance(found, str) and found else None


def objects(value: object) -> Iterator[Json]:
    """Yield the objects of an array, at most 1,000; nothing for anything else."""
    if isinstance(value, list):
        yield from (item for item in value[:1_000] if isinstance(item, dict))


def _depth(text: str) -> int:
    """Return how deep brackets nest, those within strings counted as well: an upper bound in one pass."""
    depth = deepest = 0
    for character in text:
        if character in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "}]":
            depth -= 1
    return deepest
