"""Reports as literals, and the hour at which they reach us."""

from datetime import UTC, datetime

import pytest

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    """The time of arrival."""
    return NOW
