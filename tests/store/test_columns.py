"""What a stranger's text becomes before either database sees it."""

import json
from datetime import UTC, datetime
from types import MappingProxyType

import pytest

from bounced.model import Reason
from bounced.store.columns import json_text


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ((), []),
        (("a", "b"), ["a", "b"]),
        ({"a": None, "b": True, "c": 1.5, "d": {"e": ["f"]}}, {"a": None, "b": True, "c": 1.5, "d": {"e": ["f"]}}),
        ({"reason": Reason.UNKNOWN}, {"reason": "unknown"}),
        ({"at": datetime(2026, 11, 1, tzinfo=UTC)}, {"at": "2026-11-01T00:00:00+00:00"}),
        (MappingProxyType({"a": MappingProxyType({"b": "c"})}), {"a": {"b": "c"}}),
        ("ü 漢 \U0001f4ec", "ü 漢 \U0001f4ec"),
        ("a\0b", "a\ufffdb"),
        ({"a\0": ["\ud800"]}, {"a\ufffd": ["\ufffd"]}),
        ("\\u0000", "\\u0000"),
        ({"long": "x" * 20_000}, {"long": "x" * 9_999 + "…"}),
        (frozenset({"a"}), ["a"]),
        ({"odd": 1j}, {"odd": "1j"}),
    ],
)
def test_json_is_written_clean(value: object, kept: object) -> None:
    """A value reads back as it was, but for what no database takes."""
    text = json_text(value)

    assert json.loads(text) == kept
    text.encode()
