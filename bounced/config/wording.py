"""What is wrong with a configuration, in words for the person who wrote it: where, what is wanted, what to write."""

import difflib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import yaml

from bounced.config.base import Section

#: What a problem never shows, since it may hold a secret that was written in the wrong form.
_PRIVATE = re.compile("secret|password|token|key")
#: Steps of a path that are names of forms and no names of settings.
_FORMS = ("imap", "folder", "threshold", "word")
_TIME = "a time with its zone, such as 2027-01-31T00:00:00Z"
#: What is wanted, by the type of the error; `{…}` is filled in from its context.
_WANTED: Mapping[str, str] = MappingProxyType(
    {
        "int_parsing": "a whole number",
        "int_type": "a whole number",
        "int_from_float": "a whole number",
        "float_parsing": "a number, without a unit",
        "float_type": "a number, without a unit",
        "finite_number": "a number that is not without end",
        "bool_parsing": "true or false",
        "bool_type": "true or false",
        "greater_than": "more than {gt}",
        "greater_than_equal": "{ge} or more",
        "less_than": "less than {lt}",
        "less_than_equal": "{le} or less",
        "string_type": "a text",
        "string_too_short": "at least {min_length} character(s)",
        "string_too_long": "at most {max_length} characters",
        "too_long": "at most {max_length} of them",
        "too_short": "at least {min_length} of them",
        "literal_error": "{expected}",
        "path_type": "a path",
        "timezone_aware": _TIME,
        "datetime_type": _TIME,
        "datetime_parsing": _TIME,
        "datetime_from_date_parsing": _TIME,
        "datetime_object_invalid": _TIME,
        "date_from_datetime_parsing": "a date, such as 2027-01-31",
        "dict_type": "settings, each as NAME: VALUE",
        "model_type": "settings, each as NAME: VALUE",
    }
)
#: What a pattern wants, in words.
_PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        r"^[A-Za-z0-9._-]{1,64}$": "a name of 1 to 64 of A-Z a-z 0-9 . _ - without blanks",
        r"^[a-z0-9]{1,4}$": "1 to 4 of a-z 0-9",
        r"^[a-z0-9]{1,11}$": "1 to 11 of a-z 0-9",
        r"^https?://[^\s/]+": "a URL that begins with https:// or http://",
        r"^[!-9;-~]{1,76}$": "the name of a header field, without the colon",
    }
)


def told(error: Any) -> str:
    """Return one line for a person: path of the setting, what is wrong, and what to write instead."""
    parts = [p for p in error["loc"] if p not in _FORMS]
    path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts).lstrip(".") or "config"
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(parts[-1]), sorted(_known_keys()), 1)
        return f"{path}: unknown key" + (f', did you mean "{near[0]}"?' if near else "")
    if error["type"] == "missing":
        return f"{path}: is required"
    shown = error.get("input")
    private = any(isinstance(p, str) and _PRIVATE.search(p) for p in parts)
    if error["type"] == "tuple_type":
        return f"{path}: want a list" + ("" if private else _as_list(shown))
    message = _wanted(error)
    if isinstance(shown, bool):
        return f'{path}: {message}; YAML reads an unquoted on, off, yes or no as a truth value: quote it ("off")'
    if shown is None and error["type"] == "model_type":
        return f"{path}: {message}; nothing stands there: take the line away, and the defaults hold"
    return f"{path}: {message}" + (f", got {shown!r}" if isinstance(shown, str | int | float) and not private else "")


def _as_list(shown: object) -> str:
    """Return how what stands there becomes a list."""
    if isinstance(shown, dict):
        return ": put a - before the first line of each of its entries"
    return f", for instance [{shown}]" if isinstance(shown, str) else ""


def no_yaml(error: yaml.YAMLError) -> str:
    """Return where a document is no YAML, and why."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None or problem is None:
        return f"is not YAML: {error}"
    hint = next((words for piece, words in _YAML.items() if piece in problem), "")
    return f"line {mark.line + 1}: is not YAML: {problem} (character {mark.column + 1}){hint}"


_YAML: Mapping[str, str] = MappingProxyType(
    {
        "'\\t'": ": indent with blanks, never with tabs",
        "mapping values are not allowed": ": quote a text that holds a colon; indent lines alike",
        "<stream end>": ": a bracket or a quote was opened above and not closed",
        "<block end>": ": it is not indented like the lines around it",
        "block mapping": ": it is not indented like the lines around it",
        "start any token": ": quote the text",
        "alias": ": a text that begins with * needs quotes",
    }
)


def _wanted(error: Any) -> str:
    """Return what belongs there instead."""
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "string_pattern_mismatch" and context.get("pattern") in _PATTERNS:
        return f"want {_PATTERNS[context['pattern']]}"
    if kind in _WANTED:
        shown = {name: f"{value:g}" if isinstance(value, float) else value for name, value in context.items()}
        return f"want {_WANTED[kind].format(**shown)}"
    return str(error["msg"]).removeprefix("Value error, ")


def _known_keys() -> set[str]:
    """Return the name of every setting of every section."""
    known: set[str] = set()
    waiting = list(Section.__subclasses__())
    for section in waiting:
        known |= set(section.model_fields)
    return known
