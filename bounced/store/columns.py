"""Column types: what a value of ours looks like in either database, and what a stranger's text may not do there."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Dialect,
    Integer,
    TableValuedAlias,
    Text,
    any_,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import TEXT, TIMESTAMP
from sqlalchemy.types import TypeDecorator, TypeEngine

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)
#: A day inside what Python and PostgreSQL can both say in every time zone.
_EARLIEST: Final = datetime(1, 1, 2, tzinfo=UTC) - _EPOCH
_LATEST: Final = datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH
#: The longest text in a JSON value, in characters.
_JSON_TEXT: Final = 10_000


def clean(text: str, limit: int) -> str:
    """Return the text as both databases take it: no NUL, no lone surrogate, at most `limit` characters.

    PostgreSQL refuses U+0000 in any text; neither database has an encoding for half a surrogate pair.
    Each becomes U+FFFD; a cut is shown by a final ellipsis.
    """
    text = str(text)
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isascii():
        return text.replace("\0", "\ufffd")
    return text.replace("\0", "\ufffd").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def json_text(value: object) -> str:
    """Return the text of a JSON value all of whose texts are clean; times are ISO 8601, other strangers their text.

    What shows nothing to clean once it is written, as nearly all does, is not looked at value by value.
    """
    if value == ():
        return "[]"
    try:
        text = _PLAIN_JSON.encode(value)
    except (TypeError, ValueError):
        return _JSON.encode(_clean_json(value))
    harmless = len(text) <= _JSON_TEXT and "\\u0000" not in text and (text.isascii() or _is_whole(text))
    return text if harmless else _JSON.encode(_clean_json(value))


def _is_whole(text: str) -> bool:
    """True if there is no half of a surrogate pair in it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _jsonable(value: object) -> object:
    """Return what stands for a value that JSON has no form for; where it needs cleaning, TypeError."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError


def _clean_json(value: object) -> object:
    if isinstance(value, str):
        return clean(value, _JSON_TEXT)
    if isinstance(value, Mapping):
        return {clean(str(key), _JSON_TEXT): _clean_json(item) for key, item in value.items()}
    if isinstance(value, Sequence | frozenset | set):
        return [_clean_json(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float) else clean(str(value), _JSON_TEXT)


#: `_JSON` is for what was cleaned; the other refuses what only cleaning makes writable.
_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_PLAIN_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_jsonable)


class Words(TypeDecorator[str]):
    """Text of at most `limit` characters, compared by code point, so that both databases sort alike."""

    impl = Text
    cache_ok = True

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return text; with the collation of the octets where a database has others."""
        return TEXT(collation="C") if dialect.name == "postgresql" else Text()

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return what is written: a plain str, clean and bounded."""
        if value is None:
            return None
        return clean(value, self.limit)

    def bound(self, values: Sequence[str | None]) -> list[str | None]:
        """Return what is written for a column of values."""
        limit = self.limit
        return [
            value  # nearly all are fit as they are, and there are forty to an event
            if value is None
            or (value.__class__ is str and len(value) <= limit and value.isascii() and "\0" not in value)
            else clean(value, limit)
            for value in values
        ]


class Instant(TypeDecorator[datetime]):
    """A moment in UTC: timestamptz in PostgreSQL, microseconds since 1970 in SQLite, which has no such type.

    A naive time counts as UTC, and one beyond the years 1 to 9999 becomes the nearest inside: strangers' clocks
    may say anything.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the database has for it."""
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if dialect.name == "postgresql" else BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Return what is written."""
        if value is None:
            return None
        since = (value if value.tzinfo else value.replace(tzinfo=UTC)) - _EPOCH
        since = min(max(since, _EARLIEST), _LATEST)
        return _EPOCH + since if dialect.name == "postgresql" else since // _TICK

    def bound(self, values: Sequence[datetime | None], dialect: Dialect) -> list[Any]:
        """Return what is written for a column of values, most of which are often the same."""
        written = {value: self.process_bind_param(value, dialect) for value in set(values)}
        return [written[value] for value in values]

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return an aware time in UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if isinstance(value, datetime) else _EPOCH + value * _TICK


class Json(TypeDecorator[Any]):
    """A JSON value, written as text in both databases, so that it reads back in the same order."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return the text of the value, cleaned."""
        return None if value is None else json_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return the value."""
        return None if value is None else json.loads(value)


def bound(kind: TypeEngine[Any], values: Sequence[Any], dialect: Dialect) -> Sequence[Any]:
    """Return what a driver is given for a column of values."""
    if isinstance(kind, Words):
        return kind.bound(values)
    if isinstance(kind, Instant):
        return kind.bound(values, dialect)
    process = kind.dialect_impl(dialect).bind_processor(dialect)
    return values if process is None else [process(value) for value in values]


def listing(dialect: Dialect, values: Collection[str]) -> TableValuedAlias:
    """Return a table with one column `value` that holds the texts: one parameter, however many they are."""
    if dialect.name == "postgresql":
        return func.unnest(_array(values, Text())).table_valued("value", name="listed").render_derived()
    return func.json_each(json.dumps(list(values))).table_valued("value", name="listed")


def among(dialect: Dialect, column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Return the condition that `column` is one of `values`: one parameter, however many they are.

    A list of placeholders would have to be compiled anew for each length, and each database limits their number.
    """
    if isinstance(column.type, Words):
        values = _all_clean(values, column.type.limit)
    if dialect.name == "postgresql":
        return column == any_(_array(values, BigInteger() if isinstance(column.type, Integer) else Text()))
    return column.in_(select(listing(dialect, values).c.value))


def _all_clean(values: Collection[str], limit: int) -> Collection[str]:
    """Return each value as it is written; thousands of addresses, which are clean already, are looked at as one."""
    whole = "".join(values)
    if whole.isascii() and "\0" not in whole and all(len(value) <= limit for value in values):
        return values
    return [clean(value, limit) for value in values]


def _array(values: Collection[Any], kind: TypeEngine[Any]) -> ColumnElement[Any]:
    """Return the values as one array; an empty one needs its type as much as a full one."""
    return bindparam(None, list(values), type_=ARRAY(kind), unique=True)
