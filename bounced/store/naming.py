"""An address as it stands in texts of the database: found there, and taken out."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Text, func, type_coerce

from bounced.store.columns import Json

_GONE: Final = "<erased>"


class Name:
    """An address, wherever it stands in a text: in any case, and not as the end of a longer one."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._pattern = re.compile(
            rf"(?<![A-Za-z0-9!#$%&*+?^_`{{|}}~.-]){re.escape(address)}(?![A-Za-z0-9-]|\.[A-Za-z0-9])", re.IGNORECASE
        )

    def likely(self, column: Column[Any]) -> ColumnElement[bool]:
        """Return the condition that a text column, or the text of a JSON column, may have the address in it."""
        words = self.address
        if isinstance(column.type, Json):
            words = json.dumps(words, ensure_ascii=False)[1:-1]
        return func.lower(type_coerce(column, Text())).contains(words, autoescape=True)

    def stands_in(self, value: object) -> bool:
        """Return whether the address stands anywhere in a text, or in the texts of a JSON value."""
        return bool(self.masked(value) != value)

    def masked(self, value: Any) -> Any:
        """Return the value with other words where the address stood."""
        if isinstance(value, str):
            return self._pattern.sub(_GONE, value)
        if isinstance(value, Mapping):
            return {key: self.masked(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.masked(item) for item in value]
        return value
