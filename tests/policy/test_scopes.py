"""Thresholds and scopes by list and stream, over those for all."""

import pytest

from bounced.config import Policy, parse
from bounced.errors import ConfigError
from bounced.model import Event, Reason, Tags
from tests.policy.ground import Table, complaint, event

SCOPED = Policy.model_validate(
    {
        "scopes": [
            {
                "name": "Marketing",
                "scope": "marketing",
                "complaint_scope": "marketing",
                "reasons": {"mailbox_inactive": {"count": 1}},
                "soft": {"count": 2, "distinct_days": 2, "span_days": 1},
            },
            {"name": "weekly", "complaint_scope": "weekly"},
        ]
    }
)


def full(day: float, stream: str | None) -> Event:
    return event(Reason.MAILBOX_FULL, day, tags=Tags(stream=stream))


def test_a_complaint_on_marketing_leaves_other_mail_alone() -> None:
    table = Table(SCOPED)
    table.take(
        complaint(tags=Tags(stream="marketing")), complaint(day=1, tags=Tags(list="<Weekly>", stream="marketing"))
    )
    assert table.says(2) == {"marketing": "abuse", "weekly": "abuse"}


def test_a_dead_address_is_dead_where_its_stream_says_so() -> None:
    table = Table(SCOPED)
    table.take(event(tags=Tags(stream="transactional")))
    assert table.says() == {"*": "mailbox_unknown"}


def test_thresholds_of_a_stream_stand_over_the_common_ones() -> None:
    """What the stream does not name stays as it is: 180 days for an inactive mailbox."""
    table = Table(SCOPED)
    table.take(event(Reason.MAILBOX_INACTIVE, tags=Tags(stream="marketing")))
    table.take(event(Reason.MAILBOX_INACTIVE, address="bob@example.org"))
    assert table.says(1) == {"marketing": "mailbox_inactive"}
    assert table.until("marketing") is not None
    assert len(table.journal) == 1


def test_what_has_thresholds_of_its_own_is_counted_apart() -> None:
    """Two soft failures of marketing are enough there, and are none of the five elsewhere."""
    table = Table(SCOPED)
    table.take(full(0, "marketing"), full(2, None), full(4, None), full(6, "marketing"), full(8, None), full(10, None))
    assert table.says(11) == {"marketing": "mailbox_full"}


def test_a_scope_with_an_unknown_reason_is_refused() -> None:
    with pytest.raises(ConfigError, match="did you mean"):
        parse({"policy": {"scopes": [{"name": "x", "reasons": {"mailbox_ful": "never"}}]}}, {})
